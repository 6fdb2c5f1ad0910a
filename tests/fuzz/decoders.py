"""All decoders of foreign bytes."""

from __future__ import annotations

from tests.fuzz import contract, documents, files, messages
from tests.fuzz.decoder import Decoder

DECODERS: tuple[Decoder, ...] = (
    *contract.DECODERS,
    *messages.DECODERS,
    *documents.DECODERS,
    *files.DECODERS,
)
