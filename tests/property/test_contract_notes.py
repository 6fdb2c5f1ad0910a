"""Notes: any text is a note or refused, there is one spelling of each, and no bit of one can be changed."""

from hypothesis import given
from hypothesis import strategies as st
from rondgang.errors import ContractError
from rondgang.keys import SigningKey
from rondgang.notes import Checkpoint, Note, NoteSignature, cosign, cosigned_at, sign_checkpoint, signed_by

KEY, WITNESS = SigningKey.generate(b"k" * 32), SigningKey.generate(b"w" * 32)
ORIGINS = st.from_regex(r"[A-Z]{2,4}/[1-9][0-9]{0,8}", fullmatch=True)
CHECKPOINTS = st.builds(Checkpoint, ORIGINS, st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32))
NAMES = st.from_regex(r"[a-z0-9./é-]{1,30}", fullmatch=True)
LINES = st.builds(NoteSignature, NAMES, st.binary(min_size=4, max_size=4), st.binary(min_size=1, max_size=90))
TEXTS = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]) | st.just("\n"), max_size=80)
NOTES = st.builds(Note, TEXTS.map(lambda text: text + "\n"), st.lists(LINES, min_size=1, max_size=5).map(tuple))
GARBAGE = st.text(max_size=60) | st.builds(
    "\n".join, st.lists(st.sampled_from(["", "FR/1", "5", "\u2014 a AAAAAAA=", "\u2014 FR/1 ", "\u2014", "AAAA"]))
)


def _parsed(text: str) -> Note | ContractError:
    try:
        return Note.parse(text)
    except ContractError as refused:
        return refused


def _checkpoint(text: str) -> Checkpoint | ContractError:
    try:
        return Checkpoint.from_text(text)
    except ContractError as refused:
        return refused


@given(NOTES)
def test_a_note_comes_back_as_it_went(note: Note) -> None:
    assert Note.parse(note.to_text()) == note


@given(CHECKPOINTS)
def test_a_checkpoint_comes_back_as_it_went(checkpoint: Checkpoint) -> None:
    assert Checkpoint.from_text(checkpoint.text) == checkpoint
    assert Note.parse(sign_checkpoint(checkpoint, KEY).to_text()).checkpoint == checkpoint


@given(GARBAGE | st.text(st.characters(categories=["Cs", "Cc", "Zs", "L"]), max_size=20))
def test_any_text_is_refused_or_goes_out_again_unchanged(text: str) -> None:
    note, checkpoint = _parsed(text), _checkpoint(text)
    assert isinstance(note, ContractError) or note.to_text() == text
    assert isinstance(checkpoint, ContractError) or checkpoint.text == text


@given(NOTES, st.data())
def test_a_note_with_a_piece_put_in_or_cut_out_is_refused_or_goes_out_as_it_came(
    note: Note, data: st.DataObject
) -> None:
    text = note.to_text()
    begin = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(begin, min(len(text), begin + 5)))
    other = text[:begin] + data.draw(st.text(max_size=3)) + text[end:]
    outcome = _parsed(other)
    assert isinstance(outcome, ContractError) or outcome.to_text() == other


@given(CHECKPOINTS, st.integers(0, 2**63 - 1), st.data())
def test_no_bit_of_a_cosigned_checkpoint_can_be_changed(checkpoint: Checkpoint, time: int, data: st.DataObject) -> None:
    signed = sign_checkpoint(checkpoint, KEY)
    whole = signed.with_signature(cosign(signed, WITNESS, time)).to_text().encode("utf-8")
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    changed = whole[: bit // 8] + bytes([whole[bit // 8] ^ (1 << bit % 8)]) + whole[bit // 8 + 1 :]
    outcome = _parsed(changed.decode("utf-8", "surrogateescape"))
    if isinstance(outcome, ContractError):
        return
    signs, cosigns = signed_by(outcome, checkpoint.origin, KEY.public), cosigned_at(outcome, WITNESS.public)
    # A change within one signature line leaves the other's signature as good as it was, over the same text.
    assert not (signs and cosigns is not None)
    assert cosigns in (None, time)
    assert outcome.text == signed.text or not (signs or cosigns is not None)
