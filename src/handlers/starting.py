"""What a process makes while it starts stays for good: garbage is not looked for until it has started, nor ever among that."""

import gc

from handlers import ahead

_USUAL = gc.get_threshold()
_MANY = 200_000  # objects; a start makes fewer


def begun() -> None:
    gc.set_threshold(_MANY)
    if compiled := ahead.read(ahead.FILE):
        ahead.begin(compiled)


def over() -> None:
    ahead.end()
    gc.freeze()
    gc.set_threshold(*_USUAL)
