"""What a process makes while it starts stays for good: garbage is not looked for until it has started, nor ever among that."""

import gc

_USUAL = gc.get_threshold()
_MANY = 200_000  # objects; a start makes fewer


def begun() -> None:
    gc.set_threshold(_MANY)


def over() -> None:
    gc.freeze()
    gc.set_threshold(*_USUAL)
