"""Golden checkpoints: as a region signs them and witnesses cosign them; and notes that are none, or convince nobody."""

import base64

from rondgang.canonical import Json
from rondgang.notes import Checkpoint, Note, NoteSignature, cosign, key_id, sign_checkpoint

from tests.vectors import entries
from tests.vectors.keys import key

REGION, FIRST_WITNESS, SECOND_WITNESS, STRANGER = key(3), key(4), key(5), key(6)
TIME = entries.START + 3600


def checkpoint(size: int, origin: str = "AA/1") -> Checkpoint:
    """The golden log at one size."""
    return Checkpoint(origin, size, entries.tree(entries.log()).root(size))


def signed(size: int) -> Note:
    return sign_checkpoint(checkpoint(size), REGION)


def cosigned(size: int) -> Note:
    note = signed(size)
    for place, witness in enumerate((FIRST_WITNESS, SECOND_WITNESS)):
        note = note.with_signature(cosign(note, witness, TIME + place))
    return note


def vectors() -> Json:
    largest = Checkpoint("ZZZZ/999999999", 2**63 - 1, b"\xff" * 32)
    notes = {
        "an empty log": signed(0),
        "signed by the region": signed(5),
        "cosigned by two witnesses": cosigned(6),
        "with a signature of a kind that nobody here knows": signed(6).with_signature(
            NoteSignature("elsewhere.example/log", b"\x00\x01\x02\x03", b"\xff" * 9)
        ),
        "the largest": sign_checkpoint(largest, REGION),
    }
    return {
        "region": REGION.public.hex,
        "witnesses": [FIRST_WITNESS.public.hex, SECOND_WITNESS.public.hex],
        "time": TIME,
        "notes": {name: note.to_text() for name, note in notes.items()},
    }


def bad_vectors() -> Json:
    """`malformed` is no note, `no checkpoint` another note, `unverified` a checkpoint that none of the keys signed."""
    return {"malformed": dict(_malformed()), "no checkpoint": dict(_others()), "unverified": dict(_unverified())}


def _malformed() -> dict[str, str]:
    text, line = signed(5).text, signed(5).signatures[0].line
    name, data = line.split(" ")[1:]
    return {
        "nothing": "",
        "no signature": text,
        "no empty line": text + line,
        "an empty line only": text + "\n",
        "no line feed at the end": f"{text}\n{line[:-1]}",
        "a carriage return": f"{text}\n{line[:-1]}\r\n",
        "a tab": f"{text}\t\n{line}",
        "a hyphen for the dash": f"{text}\n{line.replace(chr(0x2014), '-')}",
        "two spaces": f"{text}\n{line.replace(' ', '  ', 1)}",
        "no name": f"{text}\n\u2014  {data}",
        "a space in the name": f"{text}\n\u2014 a\u00a0b {data}",
        "a plus in the name": f"{text}\n\u2014 a+b {data}",
        "a key id alone": f"{text}\n\u2014 {name} AAAAAA==\n",
        "base64 without its end": f"{text}\n\u2014 {name} {data.rstrip('=' + chr(10))}\n",
        "base64 of another spelling": f"{text}\n\u2014 {name} AAAAAAB=\n",
        "base64 beyond ASCII": f"{text}\n\u2014 {name} \u00e9\u00e9\u00e9\u00e9\n",
        "a line that is no signature": f"{text}\n{line}and more\n",
        "101 signatures": f"{text}\n{line * 101}",
        "too long": f"{'a' * 20_000}\n\n{line}",
    }


def _others() -> dict[str, str]:
    text = signed(5).text
    origin, size, root, _ = text.split("\n")
    changed = {
        "an extension line": f"{text}more\n",
        "two lines": f"{origin}\n{size}\n",
        "a leading zero": f"{origin}\n0{size}\n{root}\n",
        "a sign": f"{origin}\n+{size}\n{root}\n",
        "a size of 64 bits": f"{origin}\n9223372036854775808\n{root}\n",
        "digits of another script": f"{origin}\n\u0665\n{root}\n",
        "a root of 31 bytes": f"{origin}\n{size}\n{base64.b64encode(b'1' * 31).decode('ascii')}\n",
        "a root of another spelling": f"{origin}\n{size}\n{root[:-2]}{chr(ord(root[-2]) + 1)}=\n",
        "a root without its end": f"{origin}\n{size}\n{root.rstrip('=')}\n",
        "a root beyond ASCII": f"{origin}\n{size}\n\u00e9{root[1:]}\n",
        "no epoch": f"AA\n{size}\n{root}\n",
        "epoch 0": f"AA/0\n{size}\n{root}\n",
        "a region in small letters": f"aa/1\n{size}\n{root}\n",
        "a region of five letters": f"AAAAA/1\n{size}\n{root}\n",
    }
    line = signed(5).signatures[0].line
    return {name: f"{other}\n{line}" for name, other in changed.items()}


def _unverified() -> dict[str, str]:
    note = cosigned(5)
    region, first, _second = note.signatures
    early = first.value[:7] + bytes([first.value[7] ^ 1]) + first.value[8:]
    name = region.name
    plain = NoteSignature(first.name, key_id(first.name, 0x01, FIRST_WITNESS.public), FIRST_WITNESS.sign(b"anything"))
    changed = {
        "another size": Note(checkpoint(6).text, note.signatures),
        "the next epoch": Note(checkpoint(5, "AA/2").text, note.signatures),
        "another region": Note(checkpoint(5, "BB/1").text, note.signatures),
        "another signer": Note(
            note.text, (NoteSignature(name, key_id(name, 0x01, STRANGER.public), STRANGER.sign(note.text.encode())),)
        ),
        "another's signature under the region's name and key id": Note(
            note.text, (NoteSignature(name, region.key_id, STRANGER.sign(note.text.encode())),)
        ),
        "the region's signature under another name": Note(
            note.text, (NoteSignature("BB/1", key_id("BB/1", 0x01, STRANGER.public), region.value),)
        ),
        "a cosignature moved in time": Note(note.text, (NoteSignature(first.name, first.key_id, early),)),
        "a cosignature under another witness's name": Note(
            note.text, (NoteSignature(_second.name, _second.key_id, first.value),)
        ),
        "a signature where a cosignature belongs": Note(note.text, (plain,)),
    }
    return {name: other.to_text() for name, other in changed.items()}
