"""Listening sockets: opened before the local cloud's process starts, so that it holds its port from the beginning."""

import errno
import socket
from collections.abc import Sequence
from contextlib import ExitStack

ATTEMPTS = 10  # a free port on one address may be taken on another


def open_sockets(addresses: Sequence[str], preferred_port: int = 0) -> list[socket.socket]:
    """Listen on one port of all addresses: on the preferred port if it is free, else on any other.

    Raises OSError if an address is not one of this machine.
    """
    for port in (preferred_port, *[0] * ATTEMPTS):
        try:
            return _listen(addresses, port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
    raise OSError(errno.EADDRINUSE, f"no port is free on all of {', '.join(addresses)}")


def find_free_port(address: str) -> int:
    (opened,) = open_sockets([address])
    with opened:
        return port_of(opened)


def port_of(opened: socket.socket) -> int:
    return int(opened.getsockname()[1])


def _listen(addresses: Sequence[str], port: int) -> list[socket.socket]:
    with ExitStack() as on_failure:
        sockets: list[socket.socket] = []
        for address in addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            opened = on_failure.enter_context(socket.create_server((address, port), family=family))
            sockets.append(opened)
            port = port_of(opened)
        on_failure.pop_all()
        return sockets
