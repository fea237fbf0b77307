"""An HTTP server on loopback that counts whole requests, and then does to the answer what networks and servers do."""

import json
import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Behavior = Callable[[socket.socket, threading.Event], None]


class CountingServer(socketserver.ThreadingTCPServer):
    """`requests` that arrived whole; `behave` is what happens to each of their answers."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _OneConnection)
        self.requests = 0
        self.behave: Behavior = hang
        self.over = threading.Event()
        self.lock = threading.Lock()
        self._connections: list[socket.socket] = []

    def note(self, connection: socket.socket) -> None:
        with self.lock:
            self._connections.append(connection)

    def end(self) -> None:
        """Let every connection go, whoever still holds it."""
        self.over.set()
        self.shutdown()
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _OneConnection(socketserver.BaseRequestHandler):
    server: CountingServer

    def handle(self) -> None:
        self.server.note(self.request)
        if self.server.behave is drop_unread:
            self.server.over.wait(0.1)  # until the client is past connecting
            _reset(self.request)
            return
        while _whole_request(self.request):
            with self.server.lock:
                self.server.requests += 1
            self.server.behave(self.request, self.server.over)


@contextmanager
def counting_server() -> Iterator[CountingServer]:
    with CountingServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.end()
            thread.join()


def reply(status: int, document: object) -> Behavior:
    """An answer as Glue sends it."""
    return raw_reply(status, json.dumps(document).encode())


def raw_reply(status: int, body: bytes, *, promised: int | None = None) -> Behavior:
    """Any body; `promised` is the length that the header tells, where it is not the truth."""
    length = len(body) if promised is None else promised
    head = f"HTTP/1.1 {status} x\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {length}\r\n\r\n"

    def behave(connection: socket.socket, _over: threading.Event) -> None:
        connection.sendall(head.encode() + body)
        if promised is not None:
            connection.shutdown(socket.SHUT_RDWR)

    return behave


def hang(_connection: socket.socket, over: threading.Event) -> None:
    """No answer, the connection stays."""
    over.wait(10)


def drop(connection: socket.socket, _over: threading.Event) -> None:
    """The connection is closed in good order, without an answer."""
    connection.shutdown(socket.SHUT_RDWR)


def reset(connection: socket.socket, _over: threading.Event) -> None:
    """The connection is reset, without an answer."""
    _reset(connection)


def drop_unread(_connection: socket.socket, _over: threading.Event) -> None:
    """The connection is reset before the request was read."""
    raise AssertionError  # recognized by the connection's handler


def no_http(connection: socket.socket, _over: threading.Event) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")
    connection.shutdown(socket.SHUT_RDWR)


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def _whole_request(connection: socket.socket) -> bool:
    """Read one request, its body by its Content-Length; False when the client has gone."""
    data = b""
    try:
        while b"\r\n\r\n" not in data:
            if not (more := connection.recv(65536)):
                return False
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        while len(body) < int(lengths[0]):
            if not (more := connection.recv(65536)):
                return False
            body += more
    except OSError:
        return False
    return True
