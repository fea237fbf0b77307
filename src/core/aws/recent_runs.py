"""Which runs this process has met in the ledger: a hint, never a truth."""

from collections import OrderedDict

_MOST = 1000


class Known:
    """The ids of the latest runs, a thousand at most.

    Who asks for one of these again most likely asks a second time. Reading the run is two thirds of the work of a write that
    has to fail, takes a read unit in place of two items' write units, and leaves the transform's line alone, where such a
    write would make those of others fail.
    """

    def __init__(self) -> None:
        self._ids: OrderedDict[str, None] = OrderedDict()

    def __contains__(self, run_id: str) -> bool:
        return run_id in self._ids

    def add(self, run_id: str) -> None:
        self._ids[run_id] = None
        if len(self._ids) > _MOST:
            self._ids.popitem(last=False)

    def discard(self, run_id: str) -> None:
        self._ids.pop(run_id, None)
