"""How gRPC is set up on both sides: sizes, keep-alives, certificates, proxies."""

from __future__ import annotations

import grpc

MAX_REQUEST_BYTES = 32 * 2**20
"""What the desk takes in at once. A programme of 100,000 cells makes an answer of about 1 MB."""
_UNLIMITED = -1
"""A result grows with cells and regions alike, and comes from the desk that the researcher trusts to make it."""

_SHARED: tuple[tuple[str, int], ...] = (
    ("grpc.max_send_message_length", _UNLIMITED),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
)
SERVER_OPTIONS: tuple[tuple[str, int], ...] = (
    *_SHARED,
    ("grpc.max_receive_message_length", MAX_REQUEST_BYTES),
    # Nodes behind firewalls ping to keep their line open; the default would count that as an attack.
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    ("grpc.http2.max_ping_strikes", 0),
    # Two desks on one port would each see half of the nodes.
    ("grpc.so_reuseport", 0),
)

Tls = tuple[bytes, bytes, bytes]
"""Private key, own certificate and the root, as PEM."""


def server_credentials(tls: Tls) -> grpc.ServerCredentials:
    """Mutual TLS: a caller without a certificate under the root gets no further than the handshake."""
    key, own, root = tls
    return grpc.ssl_server_credentials([(key, own)], root_certificates=root, require_client_auth=True)


def channel(address: str, tls: Tls) -> grpc.Channel:
    """A channel to the desk. A proxy of the environment is used, except towards this machine itself."""
    key, own, root = tls
    options = (
        *_SHARED,
        ("grpc.max_receive_message_length", _UNLIMITED),
        ("grpc.enable_http_proxy", int(not is_loopback(address))),
    )
    return grpc.secure_channel(address, grpc.ssl_channel_credentials(root, key, own), options)


def is_loopback(address: str) -> bool:
    host = address.rpartition(":")[0].strip("[]")
    return host in ("localhost", "::1") or host.startswith("127.")
