"""How gRPC is set up on both sides: sizes, keep-alives, certificates, proxies, and how much one peer may take.

TLS is 1.3 only: see `rondgang.handshake`.
"""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress

import grpc
from rondgang.handshake import went_along

from policies.addresses import host_from_here, host_of, is_this_machine

MAX_REQUEST_BYTES = 16 * 2**20
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
    # Nobody of ours compresses. A message of 16 MB that unfolds to 16 GB must not be unfolded.
    ("grpc.per_message_decompression", 0),
    # Nodes behind firewalls ping to keep their line open, every ten seconds at most; who pings far more is sent away.
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    ("grpc.http2.max_ping_strikes", 10),
    # Whoever dials has this long to shake hands, and to say the first words of HTTP/2.
    ("grpc.server_handshake_timeout_ms", 10_000),
    ("grpc.max_allowed_incoming_connections", 512),
    ("grpc.max_concurrent_streams", 160),
    ("grpc.max_metadata_size", 8_192),
    ("grpc.absolute_max_metadata_size", 16_384),
    ("grpc.max_connection_idle_ms", 900_000),
    # Ends what a peer keeps open and never reads, and has certificates looked at anew. Nodes come back within a second.
    ("grpc.max_connection_age_ms", 43_200_000),
    ("grpc.max_connection_age_grace_ms", 300_000),
    # Two desks on one port would each see half of the nodes.
    ("grpc.so_reuseport", 0),
)
MOST_CALLS = 4_096
"""Calls of all callers together that are open at once."""

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
        ("grpc.enable_http_proxy", int(not is_this_machine(host_of(address)))),
    )
    return grpc.secure_channel(address, grpc.ssl_channel_credentials(root, key, own), options)


def speaks_older_tls(listen: str, port: int) -> bool:
    """Whether our own port goes along with an offer of TLS 1.2. A desk that does must not serve.

    Raises OSError where the port cannot be reached from here.
    """
    offer = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    offer.check_hostname, offer.verify_mode = False, ssl.CERT_NONE
    offer.maximum_version = ssl.TLSVersion.TLSv1_2
    hello = ssl.MemoryBIO()
    shaking = offer.wrap_bio(ssl.MemoryBIO(), hello)
    # Our half is in `hello` then; the other is the port's to say.
    with suppress(ssl.SSLWantReadError):
        shaking.do_handshake()
    with socket.create_connection((host_from_here(listen), port), timeout=10) as line:
        line.sendall(hello.read())
        return went_along(line.recv(1))
