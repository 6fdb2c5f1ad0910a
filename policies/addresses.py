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
