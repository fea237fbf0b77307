"""The start of a process: what happens after its dependencies are built, and around a SnapStart snapshot of it."""

import gc
from collections.abc import Callable


def finish() -> None:
    """Have the garbage collector skip all that was imported and built: it stays until the process ends."""
    gc.freeze()


def register_snapshot_hooks(prepare: Callable[[], object], renew: Callable[[], object]) -> None:
    """Have Lambda call `prepare` before it takes a snapshot, and `renew` in every process that it restores from it.

    The package of the hooks is part of Lambda's Python; where it is missing, no snapshot is taken either.
    """
    try:
        from snapshot_restore_py import (  # noqa: PLC0415  see above
            register_after_restore,
            register_before_snapshot,
        )
    except ImportError:
        return
    register_before_snapshot(prepare)
    register_after_restore(renew)
