"""A loopback HTTP server that counts complete requests and then answers, drops, resets or delays as a test says."""

import json
import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Behavior = Callable[[socket.socket, threading.Event], None]


class CountingServer(socketserver.ThreadingTCPServer):
    """`requests` counts those that arrived completely; `behave` answers each of them."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.requests = 0
        self.behave: Behavior = hang
        self.stopped = threading.Event()
        self.lock = threading.Lock()
        self._connections: list[socket.socket] = []

    def note(self, connection: socket.socket) -> None:
        with self.lock:
            self._connections.append(connection)

    def end(self) -> None:
        """Close every connection, also those that handlers still use."""
        self.stopped.set()
        self.shutdown()
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Connection(socketserver.BaseRequestHandler):
    server: CountingServer

    def handle(self) -> None:
        self.server.note(self.request)
        if self.server.behave is drop_unread:
            self.server.stopped.wait(0.1)  # until the client has connected
            _reset(self.request)
            return
        while _read_request(self.request):
            with self.server.lock:
                self.server.requests += 1
            self.server.behave(self.request, self.server.stopped)


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
    """A response as Glue sends it."""
    return raw_reply(status, json.dumps(document).encode())


def raw_reply(status: int, body: bytes, *, content_length: int | None = None) -> Behavior:
    """Any body; `content_length` is a false header value, to break off the body."""
    length = len(body) if content_length is None else content_length
    head = f"HTTP/1.1 {status} x\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {length}\r\n\r\n"

    def behave(connection: socket.socket, _stopped: threading.Event) -> None:
        connection.sendall(head.encode() + body)
        if content_length is not None:
            connection.shutdown(socket.SHUT_RDWR)

    return behave


def hang(_connection: socket.socket, stopped: threading.Event) -> None:
    """Never answer, keep the connection open."""
    stopped.wait(10)


def drop(connection: socket.socket, _stopped: threading.Event) -> None:
    """Close the connection orderly, without a response."""
    connection.shutdown(socket.SHUT_RDWR)


def reset(connection: socket.socket, _stopped: threading.Event) -> None:
    """Reset the connection, without a response."""
    _reset(connection)


def drop_unread(_connection: socket.socket, _stopped: threading.Event) -> None:
    """Reset the connection before the request is read."""
    raise AssertionError  # never called: _Connection compares by identity


def no_http(connection: socket.socket, _stopped: threading.Event) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")
    connection.shutdown(socket.SHUT_RDWR)


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def _read_request(connection: socket.socket) -> bool:
    """Read a request, its body by Content-Length; False if the client has disconnected."""
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
