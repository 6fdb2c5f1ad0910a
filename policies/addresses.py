"""Where parties listen: host:port, in the form in which settings write it. Nothing is looked up or dialled here."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated

from pydantic import AfterValidator, StringConstraints


def loopback(address: str) -> str:
    """The address, if it is one of this machine alone: figures are shown without TLS. Raises ValueError."""
    host, colon, port = address.rpartition(":")
    try:
        here = ip_address(host.removeprefix("[").removesuffix("]")).is_loopback
    except ValueError:
        here = False
    if not (here and colon and port.isascii() and port.isdigit() and int(port) < 65_536):
        raise ValueError("expected an address of this machine, such as 127.0.0.1:9464 or [::1]:9464")
    return address


Address = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:]+\]):[0-9]{1,5}$")]
"""host:port, such as desk.example.org:443, 0.0.0.0:443, 127.0.0.1:0 or [::1]:443; port 0 means any free one."""

LoopbackAddress = Annotated[str, AfterValidator(loopback)]
"""host:port of this machine alone, such as 127.0.0.1:9464 or [::1]:9464."""

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def host_of(address: str) -> str:
    """The host of host:port, without the brackets of an IPv6 address."""
    return address.rpartition(":")[0].strip("[]")


def is_this_machine(host: str) -> bool:
    """Whether what is dialled is this machine itself, by its usual names: no proxy stands between."""
    return host in ("localhost", "::1") or host.startswith("127.")


def host_from_here(listen: str) -> str:
    """The host under which this machine reaches who listens there, also where that is every address."""
    host = host_of(listen)
    return _EVERYWHERE.get(host, host)


def address_from_here(listen: str, port: str) -> str:
    """host:port under which this machine reaches who listens there, with the port that it got."""
    host = host_from_here(listen)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
