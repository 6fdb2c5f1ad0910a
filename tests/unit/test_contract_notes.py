"""Checkpoints and cosignatures: what they read as, whose they are, and what is not taken for one."""

import pytest
from rondgang.keys import SigningKey
from rondgang.merkle import EMPTY_ROOT
from rondgang.notes import (
    BadNote,
    Checkpoint,
    Note,
    NoteSignature,
    cosign,
    cosigned_at,
    key_id,
    origin,
    sign_checkpoint,
    signed_by,
    witness_name,
)

REGION, WITNESS, OTHER = (SigningKey.generate(bytes([number]) * 32) for number in range(3))
CHECKPOINT = Checkpoint("FR/1", 12, b"r" * 32)
NOTE = sign_checkpoint(CHECKPOINT, REGION)
NOON = 1_790_000_000


def test_a_checkpoint_is_three_lines() -> None:
    assert CHECKPOINT.text == "FR/1\n12\ncnJycnJycnJycnJycnJycnJycnJycnJycnJycnJycnI=\n"
    assert Checkpoint.from_text(CHECKPOINT.text) == CHECKPOINT
    assert (CHECKPOINT.region, CHECKPOINT.epoch) == ("FR", 1)
    assert origin("FR", 12) == "FR/12"


@pytest.mark.parametrize("wrong", ["FR", "FR/0", "FR/01", "fr/1", "F/1", "FRIES/1", "FR/1\n", " FR/1", "FR/1234567890"])
def test_an_origin_is_a_region_and_an_epoch(wrong: str) -> None:
    with pytest.raises(BadNote, match="origin"):
        Checkpoint(wrong, 0, EMPTY_ROOT)


def test_a_checkpoint_has_a_size_and_a_root() -> None:
    for size, root in ((-1, EMPTY_ROOT), (2**63, EMPTY_ROOT), (0, b""), (0, b"1" * 31), (0, b"1" * 33)):
        with pytest.raises(BadNote, match="size"):
            Checkpoint("FR/1", size, root)


def test_a_note_comes_back_as_it_went() -> None:
    note = NOTE.with_signature(cosign(NOTE, WITNESS, NOON))
    assert Note.parse(note.to_text()) == note
    assert note.to_text().startswith(CHECKPOINT.text + "\n\u2014 FR/1 ")
    assert note.checkpoint == CHECKPOINT


def test_the_text_of_a_note_may_hold_empty_lines() -> None:
    note = Note("one\n\ntwo\n", NOTE.signatures)
    assert Note.parse(note.to_text()) == note


def test_a_lone_surrogate_or_a_root_beyond_ascii_is_no_note_and_no_other_error() -> None:
    with pytest.raises(BadNote, match="surrogate"):
        Note.parse("\ud800\n\n" + NOTE.signatures[0].line)
    with pytest.raises(BadNote, match="base64"):
        Checkpoint.from_text("FR/1\n12\n\u00e9\n")
    with pytest.raises(BadNote):
        Note.parse(NOTE.text + "\n\u2014 FR/1 \u00e9\n")


def test_a_region_signs_under_its_origin_and_nobody_else_does() -> None:
    assert signed_by(NOTE, "FR/1", REGION.public)
    assert not signed_by(NOTE, "FR/2", REGION.public)
    assert not signed_by(NOTE, "FR/1", OTHER.public)
    moved = Note(Checkpoint("FR/1", 13, b"r" * 32).text, NOTE.signatures)
    assert not signed_by(moved, "FR/1", REGION.public)


def test_signatures_of_unknown_keys_are_ignored() -> None:
    strange = NoteSignature("somebody.example", b"1234", b"\x00")
    note = Note(NOTE.text, (strange, *NOTE.signatures, strange))
    assert signed_by(Note.parse(note.to_text()), "FR/1", REGION.public)
    assert cosigned_at(note, WITNESS.public) is None


def test_a_cosignature_tells_its_time_and_binds_text_and_key() -> None:
    note = NOTE.with_signature(cosign(NOTE, WITNESS, NOON))
    assert cosigned_at(note, WITNESS.public) == NOON
    assert cosigned_at(note, OTHER.public) is None
    assert cosigned_at(Note(Checkpoint("FR/2", 12, b"r" * 32).text, note.signatures), WITNESS.public) is None
    assert not signed_by(note, witness_name(WITNESS.public), WITNESS.public), "a cosignature is no plain signature"


def test_of_several_cosignatures_the_latest_counts_and_an_invalid_one_does_not() -> None:
    note = NOTE
    for time in (NOON + 5, NOON, NOON + 60):
        note = note.with_signature(cosign(NOTE, WITNESS, time))
    later = cosign(NOTE, WITNESS, NOON + 90)
    forged = NoteSignature(later.name, later.key_id, (NOON + 600).to_bytes(8, "big") + later.value[8:])
    assert cosigned_at(note.with_signature(forged), WITNESS.public) == NOON + 60


def test_a_signature_that_is_there_is_not_added_again() -> None:
    once = NOTE.with_signature(cosign(NOTE, WITNESS, NOON))
    assert once.with_signature(cosign(NOTE, WITNESS, NOON)) is once


def test_a_key_has_another_id_for_another_name_or_kind_of_signature() -> None:
    name = witness_name(WITNESS.public)
    ids = {key_id(name, 1, WITNESS.public), key_id(name, 4, WITNESS.public), key_id("FR/1", 4, WITNESS.public)}
    assert len(ids) == 3
    assert name == f"witness-{WITNESS.public.fingerprint[:16]}"


def test_a_checkpoint_signature_is_no_cosignature_of_the_same_key() -> None:
    """A witness whose key were also a region's would not be tricked into cosigning by signing."""
    own = sign_checkpoint(CHECKPOINT, WITNESS)
    name = witness_name(WITNESS.public)
    value = NOON.to_bytes(8, "big") + own.signatures[0].value
    line = NoteSignature(name, key_id(name, 4, WITNESS.public), value)
    assert cosigned_at(own.with_signature(line), WITNESS.public) is None
