"""A golden bundle of evidence, and bundles that are damaged, unsealed or sealed by somebody else."""

from rondgang.bundles import frame, records, seal
from rondgang.canonical import Json
from rondgang.notes import Note
from rondgang.signed import sign

from policies.documents import to_canonical
from policies.rules import evidence
from policies.rules.evidence import Values
from tests.vectors import entries
from tests.vectors.keys import key
from tests.vectors.notes import REGION, STRANGER, TIME, checkpoint, cosigned

CONSORTIUM, STEWARD = key(1), key(2)


def values() -> list[Values]:
    """One record of each type."""
    approval = sign("approval", to_canonical(entries.approvals()["a yes"]), STEWARD)
    other = Note(checkpoint(6, "BB/1").text, cosigned(6).signatures)
    return [
        evidence.header("region", "AA", TIME, CONSORTIUM.public.hex),
        evidence.certificate("own", b"not DER: this floor does not read it"),
        evidence.certificate("root", b"nor this"),
        evidence.document(approval),
        *(evidence.entry(1, data) for data in entries.log()),
        *(evidence.entry(2, data) for data in entries.reset()),
        evidence.checkpoint(cosigned(6).to_text()),
        evidence.checkpoint(cosigned(8).to_text()),
        evidence.seen(other.to_text()),
        evidence.answer("AA", entries.RUN, TIME, sign("answer", b'{"cells":[]}', REGION).to_bytes()),
        evidence.fork("AA", "forked", TIME, cosigned(6).to_text(), cosigned(8).to_text()),
    ]


def bundle() -> bytes:
    return b"".join(seal([frame(value) for value in values()], REGION))


def vector() -> Json:
    whole = bundle()
    return {"key": REGION.public.hex, "hex": whole.hex(), "types": [record.type for record in records(whole)]}


def bad_vectors() -> Json:
    """`broken` makes no sense from a record on, `unsealed` is not what the key sealed, `endless` has no seal."""
    return {
        "broken": [{"name": name, "hex": data.hex(), "record": record} for name, (data, record) in _broken().items()],
        "unsealed": [
            {"name": name, "hex": data.hex(), "changed": changed} for name, (data, changed) in _unsealed().items()
        ],
        "endless": [{"name": name, "hex": data.hex()} for name, data in _endless().items()],
    }


def _small() -> list[bytes]:
    return [frame(value) for value in (values()[0], *values()[4:7])]


def _broken() -> dict[str, tuple[bytes, int]]:
    framed = _small()
    whole = b"".join(seal(framed, REGION))
    begin = len(framed[0])
    return {
        "cut in a record": (whole[:-1], 4),
        "cut in a length": (whole[: begin + 2], 1),
        "a byte after the end": (whole + b"\n", 5),
        "a length of zero": (framed[0] + bytes(4), 1),
        "a length beyond the end": (framed[0] + b"\x00\x00\xff\xff{}", 1),
        "a length of 64 MiB and one": (framed[0] + (2**26 + 1).to_bytes(4, "big") + b"{}", 1),
        "not canonical": (framed[0] + b"\x00\x00\x00\x03{ }", 1),
        "no object": (framed[0] + b"\x00\x00\x00\x02[]", 1),
        "no type": (framed[0] + b"\x00\x00\x00\x02{}", 1),
        "a type that is no text": (framed[0] + frame({"record": 1}), 1),
    }


def _unsealed() -> dict[str, tuple[bytes, int | None]]:
    framed = _small()
    whole = b"".join(seal(framed, REGION))
    last = list(records(whole))[-1]
    body, value = whole[: last.offset], last.value
    text, digests = str(value["value"]), str(value["digests"])
    strange = list(records(b"".join(seal(framed, STRANGER))))[-1].value
    edited = framed[1].replace(b'"epoch":1', b'"epoch":2')
    changed: dict[str, tuple[bytes, int | None]] = {
        "an edited record": (framed[0] + edited + framed[2] + framed[3] + frame(value), 1),
        "a dropped record": (framed[0] + framed[2] + framed[3] + frame(value), 1),
        "the last record dropped": (b"".join(framed[:3]) + frame(value), 3),
        "two records swapped": (framed[0] + framed[2] + framed[1] + framed[3] + frame(value), 1),
        "an added record": (body + framed[3] + frame(value), 4),
        "the signature in capitals": (body + frame({**value, "value": text.upper()}), None),
        "the signature cut short": (body + frame({**value, "value": text[:-2]}), None),
        "another's signature": (body + frame({**value, "value": strange["value"]}), None),
        "another's key": (body + frame({**value, "key": strange["key"]}), None),
        "a digest changed": (body + frame({**value, "digests": _flipped(digests)}), 0),
        "a digest more": (body + frame({**value, "digests": digests + "0" * 16}), 4),
    }
    return changed


def _flipped(digests: str) -> str:
    return ("1" if digests[0] == "0" else "0") + digests[1:]


def _endless() -> dict[str, bytes]:
    framed = _small()
    last = list(records(b"".join(seal(framed, REGION))))[-1].value
    body = b"".join(framed)
    missing = {name: part for name, part in last.items() if name != "digests"}
    return {
        "no records": b"",
        "no signature": body,
        "a signature with more in it": body + frame({**last, "note": ""}),
        "a signature without digests": body + frame(missing),
    }
