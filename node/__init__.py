"""One region: it keeps household microdata at home and answers only with private aggregates."""

import os

from rondgang.handshake import tls13_only

# Here, because it must come before any import of grpc: gRPC reads it once, as it is loaded.
tls13_only(os.environ)
