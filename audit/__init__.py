"""The auditor: an independent witness, and checks of the evidence that trust neither node nor coordinator."""

import os

from rondgang.handshake import tls13_only

# Here, because it must come before any import of grpc: gRPC reads it once, as it is loaded.
tls13_only(os.environ)
