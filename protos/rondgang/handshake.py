"""TLS 1.3 and nothing older: how gRPC is told, and how a server proves it of itself.

gRPC's Python interface names no TLS version (grpc/grpc issue 37305). Its core reads the suites of TLS 1.2 from the
environment, once, as it is loaded; those of TLS 1.3 are fixed and always on. So the suites of TLS 1.2 are replaced by
one that nobody here can use: it takes a key agreed on beforehand (RFC 7905, 2), and no party has any. A handshake
of TLS 1.2 then finds no suite in common, whatever the certificate, and so does a client of ours at a server with 1.2.
"""

from __future__ import annotations

from collections.abc import MutableMapping

SUITES = "GRPC_SSL_CIPHER_SUITES"
"""The variable that gRPC's core reads as it is loaded."""
NONE_OF_TLS12 = "ECDHE-PSK-CHACHA20-POLY1305"
"""A suite of TLS 1.2 that takes a pre-shared key."""

HANDSHAKE = 22
"""The type of a TLS record with a handshake message (RFC 8446, 5.1): a server that goes along answers with it."""


def tls13_only(environ: MutableMapping[str, str]) -> None:
    """Tells gRPC, through `environ` of this process, to speak TLS 1.3 only. To be called before grpc is imported.

    Overrides what stood there: no setting may weaken it.
    """
    environ[SUITES] = NONE_OF_TLS12


def went_along(answer: bytes) -> bool:
    """Whether the first bytes of a server's answer to an offer of TLS 1.2 accept it: a handshake, and no alert."""
    return answer[:1] == bytes([HANDSHAKE])
