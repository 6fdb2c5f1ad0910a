"""Writes the golden vectors of the contract's first version: `python tests/vectors/make_vectors.py`.

Plain files say what bytes a value has, and `bad_*` files which bytes are refused. They are committed: a difference
after running this script is a change of the contract, and needs a new version beside the old one, never an edit of old
files. The `published_*` files beside them are other people's vectors, and nothing here writes them.
"""

import json
from pathlib import Path

from rondgang import canonical
from rondgang.canonical import Json
from rondgang.leaves import GENESIS, leaf_hash
from rondgang.signed import KINDS, sign

from tests.vectors import bundles, entries, notes, programme, trees, witnessing
from tests.vectors.keys import key

FOLDER = Path(__file__).parent / "v1"


def vectors() -> dict[str, Json]:
    """File name -> content."""
    return {
        "canonical.json": [_canonical(name, value) for name, value in _values().items()],
        "bad_canonical.json": [{"name": name, "hex": data.hex()} for name, data in _bad_bytes().items()],
        "signed.json": [_signed(kind) for kind in sorted(KINDS)],
        "bad_signed.json": [{"name": name, "envelope": text} for name, text in _bad_envelopes().items()],
        "unverified.json": [{"name": name, "envelope": text} for name, text in _unverified().items()],
        "chain.json": _chain(),
        "programme.json": programme.vectors(),
        "merkle.json": trees.vectors(),
        "entries.json": entries.vectors(),
        "notes.json": notes.vectors(),
        "bad_notes.json": notes.bad_vectors(),
        "witnessing.json": witnessing.vectors(),
        "bundle.json": bundles.vector(),
        "bad_bundles.json": bundles.bad_vectors(),
    }


def text_of(content: Json) -> str:
    return json.dumps(content, indent=1, ensure_ascii=True) + "\n"


def _values() -> dict[str, Json]:
    return {
        "null": None,
        "booleans": [True, False],
        "integers": [0, -1, canonical.MAX_INTEGER, -canonical.MAX_INTEGER],
        "large integer as text": "9007199254740992",
        "empty": [{}, [], ""],
        "sorted keys": {"b": 1, "a": 2, "B": 3, "_": 4, "a0": 5, "": 6},
        "escapes": '"\\/\b\f\n\r\t\x00\x1f\x7f',
        "text beyond ASCII": "Fryslân, é and e\u0301, \u2028, \U0001f6b2",
        "nested": {"a": [{"b": [{"c": None}]}]},
        "deepest": _nested(canonical.MAX_DEPTH),
    }


def _nested(depth: int) -> Json:
    value: Json = 1
    for _ in range(depth):
        value = [value]
    return value


def _canonical(name: str, value: Json) -> Json:
    data = canonical.encode(value)
    return {"name": name, "value": value, "hex": data.hex(), "sha256": canonical.digest(data)}


def _bad_bytes() -> dict[str, bytes]:
    return {
        "nothing": b"",
        "byte order mark": b"\xef\xbb\xbf1",
        "UTF-16": "{}".encode("utf-16"),
        "broken UTF-8": b'"\xc3"',
        "overlong UTF-8": b'"\xc0\xaf"',
        "surrogate in UTF-8": b'"\xed\xa0\x80"',
        "lone surrogate escaped": b'"\\ud800"',
        "leading space": b" 1",
        "trailing line feed": b"1\n",
        "trailing value": b"{}{}",
        "space after colon": b'{"a": 1}',
        "keys out of order": b'{"b":1,"a":2}',
        "key twice": b'{"a":1,"a":1}',
        "key twice, once escaped": b'{"a":1,"\\u0061":1}',
        "key beyond ASCII": '{"\u00e9":1}'.encode(),
        "needless escape": b'"\\u0041"',
        "escaped slash": b'"\\/"',
        "escape in capitals": b'"\\u001F"',
        "raw control character": b'"\x01"',
        "float": b"1.0",
        "exponent": b"1e3",
        "minus zero": b"-0",
        "leading zero": b"01",
        "NaN": b"NaN",
        "infinity": b"-Infinity",
        "integer too large": b"9007199254740992",
        "integer of 5000 digits": b"1" * 5000,
        "too deep": b"[" * 65 + b"]" * 65,
        "comma at the end": b"[1,]",
        "single quotes": b"{'a':1}",
    }


def _signed(kind: str) -> Json:
    document = canonical.encode({"note": "Fryslân", "of": kind, "serial": 1})
    signed = sign(kind, document, key(1), key(2))
    return {
        "kind": kind,
        "document_hex": document.hex(),
        "digest": signed.digest,
        "signers": list(signed.signers),
        "envelope": signed.to_bytes().decode(),
    }


def _bad_envelopes() -> dict[str, str]:
    good = sign("roster", b'{"serial":1}', key(1), key(2)).to_bytes().decode()
    value = json.loads(good)
    one, two = value["signatures"]
    changed: dict[str, Json] = {
        "unknown kind": {**value, "kind": "letter"},
        "no kind": {name: part for name, part in value.items() if name != "kind"},
        "extra key": {**value, "note": ""},
        "signatures out of order": {**value, "signatures": [two, one]},
        "one signature twice": {**value, "signatures": [one, one]},
        "key in capitals": {**value, "signatures": [{**one, "key": one["key"].upper()}]},
        "short signature": {**value, "signatures": [{**one, "value": one["value"][:-2]}]},
        "extra key in a signature": {**value, "signatures": [{**one, "at": 1}]},
        "signatures as an object": {**value, "signatures": {}},
        "only the document": {"serial": 1},
    }
    texts = {name: canonical.encode(part).decode() for name, part in changed.items()}
    return texts | {"spaces": json.dumps(value, sort_keys=True), "trailing line feed": good + "\n"}


def _unverified() -> dict[str, str]:
    """Well-formed envelopes in which key 1 did not sign this document as this kind."""
    signed = sign("roster", b'{"serial":1}', key(1))
    value = json.loads(signed.to_bytes())
    own, other = value["signatures"][0], json.loads(sign("roster", b'{"serial":1}', key(2)).to_bytes())["signatures"][0]
    # 2**252 + ... is the order of the group: adding it to the second half keeps the equation, and RFC 8032 refuses it.
    order = 2**252 + 27742317777372353535851937790883648493
    half = int.from_bytes(bytes.fromhex(own["value"])[32:], "little") + order
    changed: dict[str, Json] = {
        "no signature": {**value, "signatures": []},
        "another document": {**value, "document": {"serial": 2}},
        "another kind": {**value, "kind": "order"},
        "another signer": {**value, "signatures": [other]},
        "another's signature": {**value, "signatures": [{**own, "value": other["value"]}]},
        "zeros": {**value, "signatures": [{**own, "value": "0" * 128}]},
        "signature plus the order": {
            **value,
            "signatures": [{**own, "value": own["value"][:64] + half.to_bytes(32, "little").hex()}],
        },
    }
    return {name: canonical.encode(part).decode() for name, part in changed.items()}


def _chain() -> Json:
    entries: list[Json] = []
    previous = GENESIS
    for number in range(3):
        entry = canonical.encode({"number": number, "previous": previous})
        previous = leaf_hash(entry)
        entries.append({"entry": entry.decode(), "leaf_hash": previous})
    return entries


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, content in vectors().items():
        (FOLDER / name).write_text(text_of(content), encoding="ascii", newline="\n")


if __name__ == "__main__":
    main()
