"""The way to the coordinator and every witness, step by step, so that whoever runs the network knows where it ends.

    name -> (proxy ->) port -> TLS: theirs is genuine -> TLS: ours is taken

It walks as the node does: through the proxy that the environment names (CONNECT), never through one to this machine.
The last step shows an answer only: nothing is asked of anybody.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from node.doctor.lines import Line, broken, ok
from node.home import Home, PeerAddress

WITHIN_S = 5.0
_LONGEST_REPLY = 8192
_VARIABLES = ("grpc_proxy", "https_proxy", "http_proxy")
"""In the order in which gRPC's core reads them."""


@dataclass(frozen=True, slots=True)
class Proxy:
    host: str
    port: int

    @property
    def text(self) -> str:
        return f"{self.host}:{self.port}"


class _Ends(Exception):
    """Where the way ends: the code of a line, and its fields."""

    def __init__(self, code: str, **fields: str | int) -> None:
        self.code, self.fields = code, fields
        super().__init__(code)


def proxy_for(address: PeerAddress, environment: Mapping[str, str]) -> Proxy | None:
    """The proxy on the way to an address by the environment; None for this machine and for names in `no_proxy`."""
    if address.loopback:
        return None
    excepted = environment.get("no_grpc_proxy") or environment.get("no_proxy", "")
    names = [name.strip().lstrip("*.").lower() for name in excepted.split(",") if name.strip()]
    host = address.host.lower()
    if any(host == name or host.endswith(f".{name}") for name in names):
        return None
    text = next((environment[name] for name in _VARIABLES if environment.get(name)), "")
    if not text:
        return None
    parts = urlsplit(text if "://" in text else f"http://{text}")
    return Proxy(parts.hostname or "", parts.port or 80)


def reach(home: Home, address: PeerAddress, who: str, environment: Mapping[str, str]) -> Line:
    """One line about the way to an address; `who` is what it is to the node."""
    proxy = proxy_for(address, environment)
    through = "" if proxy is None else proxy.text
    port = int(address.address.rpartition(":")[2])
    told: dict[str, str | int] = {
        "who": who,
        "address": address.address,
        "host": address.host,
        "port": port,
        "proxy": through,
    }
    try:
        with _connected(address.host, port, proxy) as line:
            _shake_hands(home, address, line)
    except _Ends as end:
        return broken("way", end.code, address.address, **told | end.fields)
    return ok("way", "way_through_proxy" if proxy else "way", address.address, **told)


def ways(home: Home, environment: Mapping[str, str]) -> Iterator[Line]:
    """A line for the coordinator, and one for each witness."""
    config = home.config()
    yield reach(home, config.coordinator, "coordinator", environment)
    for witness in config.witnesses:
        yield reach(home, witness, "witness", environment)


def _connected(host: str, port: int, proxy: Proxy | None) -> socket.socket:
    to = (host, port) if proxy is None else (proxy.host, proxy.port)
    part = "" if proxy is None else "proxy_"
    try:
        line = socket.create_connection(to, WITHIN_S)
    except socket.gaierror:
        raise _Ends(f"{part}no_name") from None
    except TimeoutError:
        raise _Ends(f"{part}no_answer") from None
    except OSError as error:
        raise _Ends(f"{part}refused", detail=error.strerror or type(error).__name__) from None
    if proxy is not None:
        try:
            _tunnel(line, host, port)
        except BaseException:
            line.close()
            raise
    return line


def _tunnel(line: socket.socket, host: str, port: int) -> None:
    """Asks a proxy for a way through (RFC 9110, section 9.3.6)."""
    try:
        line.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode("idna"))
        reply = b""
        while b"\r\n\r\n" not in reply and len(reply) < _LONGEST_REPLY:
            more = line.recv(1024)
            if not more:
                break
            reply += more
    except OSError as error:
        raise _Ends("proxy_broke", detail=error.strerror or type(error).__name__) from None
    words = reply.split(b"\r\n", 1)[0].split(b" ", 2)
    status = int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
    if not 200 <= status < 300:
        raise _Ends("proxy_says_no", status=status)


def _shake_hands(home: Home, address: PeerAddress, line: socket.socket) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(["h2"])
    try:
        context.load_verify_locations(home.certs / "ca.pem")
        context.load_cert_chain(home.certs / "own.pem", home.keys / "tls.pem")
    except (OSError, ssl.SSLError):
        raise _Ends("no_papers") from None
    try:
        with context.wrap_socket(line, server_hostname=address.name or address.host) as shaken:
            # With TLS 1.3 the other side's view of our certificate comes with its first words.
            shaken.settimeout(WITHIN_S)
            if not shaken.recv(1):
                raise _Ends("hung_up")
    except ssl.SSLCertVerificationError as error:
        wrong_name = error.verify_code in (62, 64)
        raise _Ends("wrong_name" if wrong_name else "not_genuine", detail=error.verify_message) from None
    except TimeoutError:
        raise _Ends("no_answer") from None
    except ssl.SSLError as error:
        raise _Ends("not_taken", detail=error.reason or type(error).__name__) from None
    except OSError as error:
        raise _Ends("hung_up", detail=error.strerror or type(error).__name__) from None
