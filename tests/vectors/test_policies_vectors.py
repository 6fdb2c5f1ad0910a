"""Programmes that were signed once stay readable, keep their hash, and are planned to the same bytes today."""

import json
from typing import Any

import pytest
from rondgang.canonical import digest

from policies.documents import Document, from_canonical, to_canonical
from policies.rules.region_policy import RegionPolicy
from policies.statistics.compile import Compilation
from policies.statistics.programme import Draft, Programme
from policies.statistics.verify import verify_plan
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook
from tests import small_study
from tests.vectors.make_vectors import FOLDER
from tests.vectors.programme import PRICES, vectors

GOLDEN: list[dict[str, Any]] = json.loads((FOLDER / "programme.json").read_text(encoding="ascii"))
BYTES = {case["name"]: str(case["bytes"]).encode("utf-8") for case in GOLDEN}
MODELS: dict[str, type[Document]] = {
    "codebook": Codebook,
    "calendar": Calendar,
    "draft": Draft,
    "policy": RegionPolicy,
    **{f"programme at {rho} rho": Programme for rho in PRICES},
}


def test_making_the_documents_again_changes_nothing() -> None:
    """If this fails on purpose, say in the changelog that bytes change: programmes signed before will not be read."""
    assert vectors() == GOLDEN


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: str(case["name"]))
def test_a_golden_document_reads_and_hashes_as_it_did(case: dict[str, Any]) -> None:
    data = BYTES[case["name"]]
    assert digest(data) == case["sha256"]
    assert to_canonical(from_canonical(MODELS[case["name"]], data)) == data


@pytest.mark.parametrize("rho", PRICES)
def test_a_golden_programme_is_still_right(rho: str) -> None:
    signed = from_canonical(Programme, BYTES[f"programme at {rho} rho"])
    assert (signed.codebook_hash, signed.calendar_hash) == (digest(BYTES["codebook"]), digest(BYTES["calendar"]))
    codebook, calendar = from_canonical(Codebook, BYTES["codebook"]), from_canonical(Calendar, BYTES["calendar"])
    assert isinstance(verify_plan(signed, codebook, calendar), Compilation)
    assert signed == small_study.planned(rho=rho)
