"""Bundles of evidence: one changed byte is seen, and the record it is in is named."""

import pytest
from rondgang.bundles import BadBundle, Record, Seal, frame, records, seal, seal_of
from rondgang.canonical import Json, NotCanonical
from rondgang.keys import SigningKey

KEY = SigningKey.generate(b"k" * 32)
VALUES: list[dict[str, Json]] = [{"record": "header", "of": "region"}, {"record": "entry", "n": 1}, {"record": "entry"}]


def _sealed() -> bytes:
    return b"".join(seal(map(frame, VALUES), KEY))


def _read(data: bytes) -> tuple[list[Record], Seal | None]:
    found = list(records(data))
    return found, seal_of(found, data)


def test_a_bundle_reads_as_it_was_written() -> None:
    data = _sealed()
    found, sealed = _read(data)
    assert [record.value for record in found[:-1]] == VALUES
    assert [record.number for record in found] == [0, 1, 2, 3]
    assert [data[record.offset : record.offset + 4] for record in found] == [
        len(record.data).to_bytes(4, "big") for record in found
    ]
    assert sealed == Seal(KEY.public.hex, whole=True, changed=None)


def test_an_empty_bundle_is_a_seal_over_nothing() -> None:
    found, sealed = _read(b"".join(seal([], KEY)))
    assert len(found) == 1
    assert sealed == Seal(KEY.public.hex, whole=True, changed=None)


def test_records_are_read_once_and_passed_on_as_they_come() -> None:
    taken: list[int] = []

    def source() -> list[bytes]:
        taken.append(1)
        return [frame(value) for value in VALUES]

    assert len(list(seal(iter(source()), KEY))) == 4
    assert taken == [1]


def test_what_has_no_canonical_form_is_not_framed() -> None:
    with pytest.raises(NotCanonical):
        frame({"record": "entry", "value": 2**60})


def test_any_changed_byte_is_seen_and_where_it_is_said() -> None:
    data = _sealed()
    ends = [*(record.offset for record in list(records(data))[1:]), len(data)]
    for place in range(len(data)):
        record = next(number for number, end in enumerate(ends) if place < end)
        for bit in (0x01, 0x20, 0x80):
            changed = data[:place] + bytes([data[place] ^ bit]) + data[place + 1 :]
            try:
                _, sealed = _read(changed)
            except BadBundle as broken:
                assert broken.record == record, (place, bit)
            else:
                assert sealed is None or not sealed.whole, (place, bit)
                assert record == 3 or (sealed is not None and sealed.changed == record), (place, bit)


def test_a_signature_has_one_spelling() -> None:
    """Letters in capitals are the same number: without a rule, thirty bytes of every bundle could change unseen."""
    *before, last = records(_sealed())
    body = b"".join(frame(record.value) for record in before)
    value = str(last.value["value"])
    for other in (value.upper(), value[:2].upper() + value[2:], f" {value[:-1]}", value + "\n"):
        respelt = body + frame({**last.value, "value": other})
        if respelt != _sealed():
            assert _read(respelt)[1] == Seal(KEY.public.hex, whole=False, changed=None)


def test_a_bundle_that_lost_its_end_has_no_seal() -> None:
    data = _sealed()
    found = list(records(data))
    assert _read(data[: found[-1].offset])[1] is None
    assert _read(b"") == ([], None)
    assert _read(data + frame(VALUES[2]))[1] is None


def test_a_faulty_bundle_names_record_and_byte() -> None:
    data = _sealed()
    second = list(records(data))[1].offset
    with pytest.raises(BadBundle, match=rf"record 1 \(at byte {second}\): its length") as broken:
        list(records(data[: second + 9]))
    assert (broken.value.record, broken.value.offset) == (1, second)
    with pytest.raises(BadBundle, match="not canonical"):
        list(records(frame(VALUES[0]) + b"\x00\x00\x00\x03{ }"))
    with pytest.raises(BadBundle, match="what record"):
        list(records(b"\x00\x00\x00\x02{}"))
