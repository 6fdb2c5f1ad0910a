"""An address in the settings says where a party listens; from its own machine that is dialled by one rule."""

from __future__ import annotations

import pytest

from policies.addresses import address_from_here, host_from_here, host_of, is_this_machine


@pytest.mark.parametrize(
    ("listen", "host", "address"),
    [
        ("0.0.0.0:443", "127.0.0.1", "127.0.0.1:8443"),
        ("[::]:443", "::1", "[::1]:8443"),
        ("127.0.0.1:0", "127.0.0.1", "127.0.0.1:8443"),
        ("[2001:db8::7]:443", "2001:db8::7", "[2001:db8::7]:8443"),
        ("desk.example.org:443", "desk.example.org", "desk.example.org:8443"),
    ],
)
def test_who_listens_on_every_address_is_dialled_on_the_loopback(listen: str, host: str, address: str) -> None:
    assert host_from_here(listen) == host
    assert address_from_here(listen, "8443") == address


@pytest.mark.parametrize(
    ("address", "here"),
    [
        ("localhost:443", True),
        ("127.8.0.1:443", True),
        ("[::1]:443", True),
        ("0.0.0.0:443", False),
        ("desk.example.org:443", False),
        ("[2001:db8::7]:443", False),
    ],
)
def test_a_proxy_stands_between_us_and_other_machines_only(address: str, here: bool) -> None:
    assert is_this_machine(host_of(address)) is here
