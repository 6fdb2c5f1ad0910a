"""Every kept input, honest or once harmful, and a few changes of each: success or the own refusal, in time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fuzz.corpus import FOLDER, kept
from tests.fuzz.decoder import Decoder
from tests.fuzz.decoders import DECODERS
from tests.fuzz.files import tidy
from tests.fuzz.run import feed

_CHANGES, _FEWER = 60, 3
_SLOW = frozenset({"backup", "spss", "delivery", "bundle_judged", "planned", "yaml_calendar", "yaml_codebook"})
"""Decoders that take milliseconds or start a process."""


@pytest.fixture(autouse=True, scope="module")
def _tidied() -> Iterator[None]:
    yield
    tidy()


@pytest.mark.parametrize("decoder", DECODERS, ids=[one.name for one in DECODERS])
@pytest.mark.filterwarnings("ignore:Parsed a serial number")
def test_whatever_comes_in_is_taken_or_refused(decoder: Decoder) -> None:
    held = kept(decoder.name)
    tally = feed(decoder, held, len(held) + (_FEWER if decoder.name in _SLOW else _CHANGES), seed=8)
    assert held
    assert [(fault.what, fault.where, fault.data[:200]) for fault in tally.faults] == []


def test_something_honest_is_taken_by_every_decoder() -> None:
    """Else its inputs would all end at its first gate. Some take only what nobody has, such as a known passphrase."""
    closed = {"backup", "canonical_opening", "canonical_result", "node_reads_result"}
    for decoder in DECODERS:
        held = kept(decoder.name)
        taken = feed(decoder, held, len(held), seed=8).taken
        assert taken or decoder.name in closed, decoder.name


def test_every_file_of_the_corpus_belongs_to_a_decoder() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == {one.name for one in DECODERS}
