"""How the witness's port is set up: sizes, keep-alives, and how much one peer may take. TLS is 1.3 only.

See `rondgang.handshake` for how gRPC is told; `speaks_older_tls` proves it of the open port.
"""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress

from rondgang.handshake import went_along

from policies.addresses import host_from_here

SERVER_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_receive_message_length", 4 * 2**20),
    # Nobody of ours compresses. A message of 4 MB that unfolds to 4 GB must not be unfolded.
    ("grpc.per_message_decompression", 0),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # Nodes behind firewalls ping to keep their line open, every ten seconds at most; who pings far more is sent away.
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    ("grpc.http2.max_ping_strikes", 10),
    # Whoever dials has this long to shake hands, and to say the first words of HTTP/2.
    ("grpc.server_handshake_timeout_ms", 10_000),
    ("grpc.max_allowed_incoming_connections", 256),
    ("grpc.max_concurrent_streams", 64),
    ("grpc.max_metadata_size", 8_192),
    ("grpc.absolute_max_metadata_size", 16_384),
    ("grpc.max_connection_idle_ms", 900_000),
    # Ends what a peer keeps open and never reads, and has certificates looked at anew.
    ("grpc.max_connection_age_ms", 43_200_000),
    ("grpc.max_connection_age_grace_ms", 60_000),
    # Two witnesses on one port would each see half of the checkpoints.
    ("grpc.so_reuseport", 0),
)
MOST_CALLS = 1_024
"""Calls of all callers together that are open at once."""


def speaks_older_tls(listen: str, port: int) -> bool:
    """Whether our own port goes along with an offer of TLS 1.2. A witness that does must not serve.

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
