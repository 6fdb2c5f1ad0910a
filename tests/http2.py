"""HTTP/2 by hand (RFC 9113, RFC 7541): what no library would send."""

from __future__ import annotations

import socket
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from coordinator.transport import Tls

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, END_HEADERS, ACK = 1, 4, 1
INITIAL_WINDOW_SIZE = 4
"""A setting: how much of a stream its receiver takes before it has read any of it."""


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def settings(**values: int) -> bytes:
    """A SETTINGS frame; `window` is the only setting that tests change."""
    pairs = b"".join(INITIAL_WINDOW_SIZE.to_bytes(2, "big") + value.to_bytes(4, "big") for value in values.values())
    return frame(SETTINGS, 0, 0, pairs)


def header(name: bytes, value: bytes) -> bytes:
    """A literal header field without indexing and without Huffman coding."""
    return b"\x00" + _length(len(name)) + name + _length(len(value)) + value


def request(path: str, *more: tuple[bytes, bytes]) -> bytes:
    """The header block of a gRPC call."""
    fields = (
        (b":method", b"POST"),
        (b":scheme", b"https"),
        (b":path", path.encode()),
        (b":authority", b"localhost"),
        (b"te", b"trailers"),
        (b"content-type", b"application/grpc"),
        *more,
    )
    return b"".join(header(name, value) for name, value in fields)


def message(data: bytes, *, compressed: bool = False) -> bytes:
    """A gRPC message with its prefix."""
    return bytes([compressed]) + len(data).to_bytes(4, "big") + data


def _length(value: int) -> bytes:
    """An integer with a prefix of seven bits (RFC 7541, 5.1)."""
    if value < 127:
        return bytes([value])
    value -= 127
    found = [127]
    while value >= 128:
        found.append(value % 128 + 128)
        value //= 128
    return bytes([*found, value])


def context(tls: Tls | None, root: bytes, *protocols: str) -> ssl.SSLContext:
    """A client that trusts `root`, shows `tls`, and offers these protocols (ALPN)."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.load_verify_locations(cadata=root.decode())
    made.set_alpn_protocols(list(protocols))
    if tls is not None:
        key, own, _ = tls
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "both.pem").write_bytes(own + key)
            made.load_cert_chain(Path(folder) / "both.pem")
    return made


class Line:
    """A TLS connection that speaks HTTP/2 by hand."""

    def __init__(self, socket: ssl.SSLSocket) -> None:
        self.socket = socket

    def begin(self, *frames: bytes) -> None:
        """The preface, and frames after it."""
        self.socket.sendall(PREFACE + b"".join(frames))

    def send(self, *frames: bytes) -> bool:
        """False where the other side has hung up."""
        try:
            self.socket.sendall(b"".join(frames))
        except OSError:
            return False
        return True

    def hung_up(self, within_s: float) -> bool:
        """Reads, and answers nothing, until the other side hangs up."""
        self.socket.settimeout(within_s)
        try:
            while self.socket.recv(65_536):
                pass
        except TimeoutError:
            return False
        except OSError:
            return True
        return True


@contextmanager
def dial(port: int, tls: Tls | None, root: bytes, *protocols: str) -> Iterator[Line]:
    """A line to a port of this machine. Raises OSError where the handshake fails."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=20) as plain,
        context(tls, root, *(protocols or ("h2",))).wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        yield Line(secure)
