"""Bundles: any bytes are records or refused, and none of a sealed bundle's bytes can be changed unseen."""

from hypothesis import given
from hypothesis import strategies as st
from rondgang.bundles import Record, frame, records, seal, seal_of
from rondgang.canonical import Json
from rondgang.errors import BadBundle, ContractError
from rondgang.keys import SigningKey

KEY, OTHER = SigningKey.generate(b"k" * 32), SigningKey.generate(b"o" * 32)
SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.text("aé\n")
VALUES: st.SearchStrategy[dict[str, Json]] = st.builds(
    lambda record, rest: {**rest, "record": record},
    st.sampled_from(["entry", "document", "signature"]),
    st.dictionaries(st.sampled_from(["key", "value", "digests", "of"]), SCALARS, max_size=3),
)
BUNDLES = st.lists(VALUES, max_size=5)
FRAMES = st.lists(
    VALUES.map(frame)
    | st.binary(max_size=12)
    | st.binary(max_size=12).map(lambda data: len(data).to_bytes(4, "big") + data)
    | st.just(b'\x00\x00\x00\x07{"a":1}'),
    max_size=5,
).map(b"".join)


def _read(data: bytes) -> list[Record] | BadBundle:
    try:
        return list(records(data))
    except BadBundle as broken:
        return broken


@given(BUNDLES)
def test_a_bundle_comes_back_as_it_went(values: list[dict[str, Json]]) -> None:
    data = b"".join(seal(map(frame, values), KEY))
    found = list(records(data))
    assert [record.value for record in found[:-1]] == values
    sealed = seal_of(found, data)
    assert sealed is not None
    assert (sealed.key, sealed.whole, sealed.changed) == (KEY.public.hex, True, None)
    assert b"".join(frame(record.value) for record in found) == data


@given(FRAMES)
def test_any_bytes_are_refused_or_read_to_their_end(data: bytes) -> None:
    outcome = _read(data)
    if isinstance(outcome, BadBundle):
        assert isinstance(outcome, ContractError)
        assert 0 <= outcome.offset <= len(data)
        # What came before the fault reads by itself.
        assert len(list(records(data[: outcome.offset]))) == outcome.record
    else:
        assert b"".join(frame(record.value) for record in outcome) == data
        sealed = seal_of(outcome, data)
        assert sealed is None or not sealed.whole


@given(BUNDLES, st.data())
def test_no_bit_of_a_bundle_can_be_changed(values: list[dict[str, Json]], data: st.DataObject) -> None:
    whole = b"".join(seal(map(frame, values), KEY))
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    changed = whole[: bit // 8] + bytes([whole[bit // 8] ^ (1 << bit % 8)]) + whole[bit // 8 + 1 :]
    outcome = _read(changed)
    if not isinstance(outcome, BadBundle):
        sealed = seal_of(outcome, changed)
        assert sealed is None or not sealed.whole or sealed.key != KEY.public.hex


@given(BUNDLES.filter(bool), st.data())
def test_records_that_are_dropped_doubled_or_moved_are_seen(values: list[dict[str, Json]], data: st.DataObject) -> None:
    framed = [frame(value) for value in values]
    *_, last = seal(framed, KEY)
    place = data.draw(st.integers(0, len(framed) - 1))
    to = data.draw(st.integers(0, len(framed) - 1))
    without = [*framed[:place], *framed[place + 1 :]]
    for other in (without, [*framed, framed[place]], [*without[:to], framed[place], *without[to:]]):
        changed = b"".join([*other, last])
        sealed = seal_of(list(records(changed)), changed)
        assert sealed is not None
        assert sealed.whole == (other == framed)
        assert (sealed.changed is None) == (other == framed)


@given(BUNDLES)
def test_who_seals_again_does_so_under_another_key(values: list[dict[str, Json]]) -> None:
    data = b"".join(seal(map(frame, values), OTHER))
    sealed = seal_of(list(records(data)), data)
    assert sealed is not None
    assert sealed.key != KEY.public.hex
