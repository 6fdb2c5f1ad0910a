"""Old bytes stay readable, and stay refused: the committed vectors against today's code."""

import json
from pathlib import Path
from typing import Any

import pytest
from rondgang import canonical
from rondgang.errors import BadSigned, NotCanonical
from rondgang.keys import PublicKey
from rondgang.leaves import GENESIS, first_break, leaf_hash
from rondgang.signed import KINDS, Signed, verify

from tests.vectors.keys import key
from tests.vectors.make_vectors import FOLDER, text_of, vectors


def _cases(name: str) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads((FOLDER / name).read_text(encoding="ascii"))
    return cases


def test_the_script_writes_what_is_committed() -> None:
    ours = {path.name for path in FOLDER.iterdir() if not path.name.startswith("published_")}
    assert ours == set(vectors())
    for name, content in vectors().items():
        assert (FOLDER / name).read_text(encoding="ascii") == text_of(content), f"{name} differs: run make_vectors.py"


@pytest.mark.parametrize("case", _cases("canonical.json"), ids=lambda case: case["name"])
def test_good_canonical_bytes(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["hex"])
    assert canonical.decode(data) == case["value"]
    assert canonical.encode(case["value"]) == data
    assert canonical.digest(data) == case["sha256"]


@pytest.mark.parametrize("case", _cases("bad_canonical.json"), ids=lambda case: case["name"])
def test_bad_canonical_bytes(case: dict[str, Any]) -> None:
    with pytest.raises(NotCanonical):
        canonical.decode(bytes.fromhex(case["hex"]))


@pytest.mark.parametrize("case", _cases("signed.json"), ids=lambda case: case["kind"])
def test_good_signed_documents(case: dict[str, Any]) -> None:
    signed = Signed.from_bytes(case["envelope"].encode())
    assert signed.kind == case["kind"]
    assert signed.document == bytes.fromhex(case["document_hex"])
    assert signed.digest == case["digest"]
    assert list(signed.signers) == case["signers"]
    assert all(verify(signed, PublicKey.from_hex(signer)) for signer in signed.signers)
    assert signed.to_bytes() == case["envelope"].encode()


def test_every_kind_of_document_has_a_vector() -> None:
    assert {case["kind"] for case in _cases("signed.json")} == KINDS


@pytest.mark.parametrize("case", _cases("bad_signed.json"), ids=lambda case: case["name"])
def test_bad_signed_documents(case: dict[str, Any]) -> None:
    with pytest.raises((BadSigned, NotCanonical)):
        Signed.from_bytes(case["envelope"].encode())


@pytest.mark.parametrize("case", _cases("unverified.json"), ids=lambda case: case["name"])
def test_envelopes_that_convince_nobody(case: dict[str, Any]) -> None:
    assert not verify(Signed.from_bytes(case["envelope"].encode()), key(1).public)


def test_the_chain() -> None:
    cases = _cases("chain.json")
    assert [leaf_hash(case["entry"].encode()) for case in cases] == [case["leaf_hash"] for case in cases]
    assert json.loads(cases[0]["entry"])["previous"] == GENESIS
    assert first_break(case["entry"].encode() for case in cases) is None


def test_vectors_hold_no_file_that_nothing_reads() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    assert [path.name for path in FOLDER.iterdir() if f'"{path.name}"' not in source] == []
