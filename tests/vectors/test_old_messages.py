"""What earlier releases said is read today with the meaning it had: parties are upgraded one by one."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from google.protobuf.unknown_fields import UnknownFieldSet
from rondgang.canonical import digest
from rondgang.signed import KINDS, Signed, verify

from policies.documents import from_canonical, to_canonical
from tests.vectors.keys import key
from tests.vectors.old_messages import DOCUMENTS, FOLDER, READERS, messages, plain

RELEASES = sorted(path.name for path in FOLDER.iterdir())
FILES = [(release, path.name) for release in RELEASES for path in sorted((FOLDER / release).glob("*.json"))]
MESSAGES = [(release, name) for release, name in FILES if not name.startswith("signed_")]
SIGNED = [(release, name) for release, name in FILES if name.startswith("signed_")]


@cache
def content(release: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / release / name).read_text(encoding="ascii"))
    return found


def holds(was: Any, now: Any) -> bool:
    """Whether everything that was said is still said; a later version may say more."""
    if isinstance(was, dict):
        return isinstance(now, dict) and all(name in now and holds(value, now[name]) for name, value in was.items())
    if isinstance(was, list):
        return isinstance(now, list) and len(was) == len(now) and all(map(holds, was, now))
    return bool(was == now)


def test_the_newest_record_has_every_message_and_every_kind_of_document() -> None:
    """Where this fails: a message was added. Record the coming release with tests/vectors/old_messages.py."""
    names = {path.stem for path in (FOLDER / RELEASES[-1]).glob("*.json")}
    assert names == set(messages()) | {f"signed_{kind}" for kind in KINDS}
    assert set(DOCUMENTS) == KINDS


@pytest.mark.parametrize(("release", "name"), MESSAGES, ids=[f"{release}-{name}" for release, name in MESSAGES])
def test_a_message_of_an_earlier_release_reads_as_it_did(release: str, name: str) -> None:
    found = content(release, name)
    kind = messages()[found["message"]]
    for case in found["cases"]:
        message = kind.FromString(bytes.fromhex(case["hex"]))
        assert len(UnknownFieldSet(message)) == 0, case["name"]
        assert MessageToDict(message, preserving_proto_field_name=True) == case["fields"]
        if "read" in case:
            assert holds(case["read"], plain(READERS[found["message"]](message))), case["name"]


@pytest.mark.parametrize(("release", "name"), SIGNED, ids=[f"{release}-{name}" for release, name in SIGNED])
def test_a_signed_document_of_an_earlier_release_keeps_its_hash_its_names_and_its_meaning(
    release: str, name: str
) -> None:
    found = content(release, name)
    for case in found["cases"]:
        signed = Signed.from_bytes(case["envelope"].encode("utf-8"))
        assert (signed.kind, signed.digest, digest(signed.document)) == (found["kind"], case["sha256"], case["sha256"])
        assert all(verify(signed, key(number).public) for number in (1, 2))
        document = from_canonical(DOCUMENTS[signed.kind], signed.document)
        # No field that was added since has got into the bytes, so the hash stays.
        assert to_canonical(document) == signed.document
        assert document.model_dump(mode="json", exclude_defaults=True, by_alias=True) == case["says"]


def test_every_message_that_is_not_empty_is_recorded_with_something_in_it() -> None:
    """A record that is empty would never fail."""
    bare = {name for release, name in MESSAGES if len(content(release, name)["cases"]) < 2}
    assert bare <= {name for name, kind in messages().items() if not kind.DESCRIPTOR.fields}
