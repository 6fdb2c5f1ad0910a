"""Tests, a folder for each kind."""

import os

from rondgang.handshake import tls13_only

# As the rooms do it, and before any test imports grpc by itself.
tls13_only(os.environ)
