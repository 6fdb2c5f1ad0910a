"""A draft may say how its price is divided over its blocks; nodes and auditors read the noise as ever."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from rondgang import canonical

from audit.reprice.asked import read_asked
from audit.reprice.price import Repriced, reprice
from policies.documents import BadDocument, from_canonical, parse_yaml, to_canonical
from policies.statistics.compile import Compilation, compile_blocks
from policies.statistics.plan import BadPlan, plan
from policies.statistics.programme import Draft, DraftPrice, Programme
from policies.statistics.verify import verify_plan
from tests import national_study, small_study

STUDY = (small_study.codebook(), small_study.calendar(), small_study.hashes())
BLOCKS = [block.id for block in compile_blocks(small_study.draft().statistics, small_study.codebook()).blocks]
PARTS = {block: str(1 + place) for place, block in enumerate(BLOCKS)}


def split_draft(parts: dict[str, str], rho: str = "0.2") -> Draft:
    return Draft.model_validate({**small_study.draft().model_dump(), "price": {"rho": rho}, "split": parts})


def rho_by_block(programme: Programme) -> dict[str, Fraction]:
    return {block.id: block.rho for block in programme.blocks}


def repriced(programme: Programme) -> Repriced:
    """The price as the auditor works it out from the signed bytes."""
    body = canonical.decode(to_canonical(programme))
    assert isinstance(body, dict)
    return reprice(read_asked(body), small_study.codebook())


@pytest.mark.parametrize("rho", ["0.2", "0.000123", "700"])
def test_every_block_costs_its_part_and_never_more(rho: str) -> None:
    programme = plan(split_draft(PARTS, rho), *STUDY)
    whole, spent = sum(map(int, PARTS.values())), rho_by_block(programme)
    for block, part in PARTS.items():
        wanted = Fraction(rho) * int(part) / whole
        assert wanted * (1 - Fraction(1, 10**5)) <= spent[block] <= wanted * (1 + Fraction(1, 10**12))
    assert programme.charge.amount.rho <= Fraction(rho)


def test_parts_are_relative() -> None:
    tenfold = {block: str(Decimal(part) / 10) for block, part in PARTS.items()}
    assert plan(split_draft(PARTS), *STUDY) == plan(split_draft(tenfold), *STUDY)


def test_the_signed_programme_looks_as_ever_and_rules_and_auditor_agree_on_its_price() -> None:
    programme = plan(split_draft(PARTS), *STUDY)
    assert isinstance(verify_plan(programme, small_study.codebook(), small_study.calendar()), Compilation)
    signed = to_canonical(programme)
    assert from_canonical(Programme, signed) == programme
    assert b"split" not in signed
    priced = repriced(programme)
    assert priced.missing == priced.unknown == ()
    assert {one.signed.id: one.rho for one in priced.blocks} == rho_by_block(programme)
    assert priced.nano == programme.charge.amount.nano
    assert not any(one.understated or one.too_sharp for one in priced.blocks)


def test_both_modes_together_keep_to_the_price() -> None:
    statistics = [
        {"id": "a", "kind": "proportion", "of": "help == yes", "unit": "household", "wave": "T1", "mode": "national"},
        {"id": "b", "kind": "proportion", "of": "help == yes", "unit": "household", "wave": "T1"},
    ]
    book, calendar = small_study.codebook(), national_study.calendar(9)
    shown = {**small_study.draft().model_dump(), "statistics": statistics}
    for rho in ("0.05", "0.000000007"):
        draft = Draft.model_validate(
            {**shown, "price": {"rho": rho}, "split": {"a": "3", "n1": "1", "b": "2", "n2": "0.5"}}
        )
        programme = plan(draft, book, calendar, small_study.hashes())
        assert programme.charge.amount.rho <= Fraction(rho)
        priced = repriced(programme)
        assert (priced.nano, priced.national.nano) == (programme.charge.amount.nano, programme.charge.national)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"n9": "1"}, r"split.n9: the programme has no such block; it has stopped, n1 \(units of stopped\), helped"),
        ({"grade": None}, r"split: block grade has no part; it has .* `price` lists them"),
    ],
)
def test_ids_that_do_not_fit_are_named_with_those_that_there_are(change: dict[str, Any], said: str) -> None:
    parts = {block: part for block, part in (PARTS | change).items() if part is not None}
    with pytest.raises(BadPlan, match=said):
        plan(split_draft(parts), *STUDY)


@pytest.mark.parametrize("part", ['"0"', '"-0.1"', "NaN", '"much"'])
def test_a_part_that_is_no_part_is_named_with_its_line(part: str) -> None:
    text = small_study.DRAFT.replace("statistics:", f"split:\n  stopped: {part}\nstatistics:")
    line = text[: text.index("  stopped:")].count("\n") + 1
    with pytest.raises(BadDocument, match=rf"programme.yaml:{line}: split.stopped"):
        parse_yaml(Draft, text, "programme.yaml")


def test_a_part_so_small_that_its_noise_leaves_64_bits_is_refused_by_name() -> None:
    with pytest.raises(BadPlan, match=r"split\.grade.*64 bits"):
        plan(split_draft(PARTS | {"grade": "0." + "0" * 28 + "1", "stopped": "1e20"}), *STUDY)


def test_without_a_split_nothing_changes() -> None:
    draft = small_study.draft()
    assert draft.split is None
    assert plan(draft.model_copy(update={"price": DraftPrice(rho=Decimal("0.2"))}), *STUDY) == small_study.planned()
