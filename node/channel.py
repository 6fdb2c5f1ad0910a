"""How a node dials: the same certificates, proxy rule and keep-alives towards the desk and every witness."""

from __future__ import annotations

import grpc

from node.home import Home, PeerAddress, Reconnect
from policies.rules.result import MOST_BYTES


def channel_options(address: PeerAddress, settings: Reconnect) -> list[tuple[str, str | int]]:
    """How a channel behaves. A proxy from the environment is used, but never for this machine itself."""
    options: list[tuple[str, str | int]] = [
        ("grpc.keepalive_time_ms", settings.keepalive_ms),
        ("grpc.keepalive_timeout_ms", settings.welcome_within_ms),
        ("grpc.http2.max_pings_without_data", 0),
        # A little more than the longest result: an envelope around it.
        ("grpc.max_receive_message_length", MOST_BYTES + 2**16),
        # Each dialling is our own decision: no waiting time left over from the channel before.
        ("grpc.use_local_subchannel_pool", 1),
    ]
    if address.loopback:
        options.append(("grpc.enable_http_proxy", 0))
    if address.name is not None:
        options.append(("grpc.ssl_target_name_override", address.name))
    return options


def credentials(home: Home) -> grpc.ChannelCredentials:
    """Mutual TLS with the home's own certificate, as it is on disk now. Raises BadHome."""
    root, key, own = home.tls()
    return grpc.ssl_channel_credentials(root, key, own)
