"""A small HTTP proxy that knows CONNECT alone, as stands before a region's way out; tests say which names it knows."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Proxy:
    """Listens on an address; `routes` maps what is asked for ("desk.test:443") to where it really is.

    `asked` are the requests as they came. While it is `cut` it drops everything: what is open, and what comes.
    """

    host: str
    routes: Mapping[str, tuple[str, int]]
    asked: list[str] = field(default_factory=list)
    cut: bool = False
    port: int = 0

    def __post_init__(self) -> None:
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def sever(self) -> None:
        """The line is cut: every tunnel breaks, and no new one is made."""
        self.cut = True
        with self._lock:
            for line in self._open:
                with suppress(OSError):
                    line.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self.cut = False

    @contextmanager
    def running(self) -> Iterator[Proxy]:
        with socket.create_server((self.host, self.port)) as server:
            self.port = server.getsockname()[1]
            threading.Thread(target=self._serve, args=(server,), daemon=True).start()
            yield self
            self.sever()
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)

    def _serve(self, server: socket.socket) -> None:
        while True:
            try:
                line, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=self._tunnel, args=(line,), daemon=True).start()

    def _tunnel(self, line: socket.socket) -> None:
        with line, suppress(OSError):
            request = b""
            while b"\r\n\r\n" not in request:
                more = line.recv(4096)
                if not more:
                    return
                request += more
            method, target, *_ = request.split(b"\r\n", 1)[0].decode("ascii", "replace").split(" ")
            self.asked.append(f"{method} {target}")
            if self.cut:
                return
            if method != "CONNECT" or target not in self.routes:
                line.sendall(b"HTTP/1.1 403 Forbidden\r\n\r\n")
                return
            with socket.create_connection(self.routes[target], 5) as far:
                line.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                self._join(line, far)

    def _join(self, line: socket.socket, far: socket.socket) -> None:
        with self._lock:
            self._open |= {line, far}
        back = threading.Thread(target=_pump, args=(far, line), daemon=True)
        back.start()
        _pump(line, far)
        back.join()
        with self._lock:
            self._open -= {line, far}


def _pump(source: socket.socket, target: socket.socket) -> None:
    """Bytes one way, until either side has gone; then neither stays."""
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    finally:
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
