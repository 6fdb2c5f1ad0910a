"""A signed programme is believed in nothing: each signed figure that is off is refused, with its reason."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from rondgang import canonical

from policies.documents import BadDocument, from_canonical, to_canonical
from policies.rules.refusals import Reason, Refused
from policies.statistics.compile import Compilation
from policies.statistics.programme import PlannedBlock, Programme
from policies.statistics.statistic import Statistic
from policies.statistics.verify import verify_plan
from policies.units.money import NanoRho
from tests import small_study

SIGNED = small_study.planned()


def verdict(programme: Programme) -> Compilation | Refused:
    return verify_plan(programme, small_study.codebook(), small_study.calendar())


def with_block(place: int, programme: Programme = SIGNED, **changes: object) -> Programme:
    blocks = list(programme.blocks)
    blocks[place] = blocks[place].model_copy(update=changes)
    return programme.model_copy(update={"blocks": tuple(blocks)})


def with_statistic(place: int, **changes: object) -> Programme:
    statistics = list(SIGNED.statistics)
    statistics[place] = statistics[place].model_copy(update=changes)
    return SIGNED.model_copy(update={"statistics": tuple(statistics)})


def with_blocks(*blocks: PlannedBlock) -> Programme:
    return SIGNED.model_copy(update={"blocks": blocks})


def with_heading(**changes: object) -> Programme:
    return SIGNED.model_copy(update={"programme": SIGNED.programme.model_copy(update=changes)})


def charged(programme: Programme, more: int = 0) -> Programme:
    """The programme with the charge that its own blocks come to, plus `more` nano-rho."""
    exact = NanoRho.ceil(sum((block.rho for block in programme.blocks), Fraction(0)))
    return programme.model_copy(update={"charge": programme.charge.model_copy(update={"rho": exact.nano + more})})


def halved(block: PlannedBlock) -> tuple[int, int]:
    return block.sigma[0] // 2, block.sigma[1]


def test_the_programme_itself_is_right() -> None:
    assert isinstance(verdict(SIGNED), Compilation)
    assert charged(SIGNED) == SIGNED


TAMPERED: dict[str, tuple[Callable[[], Programme], Reason]] = {
    "less noise at the same price": (lambda: with_block(0, sigma=halved(SIGNED.blocks[0])), Reason.WRONG_PRICE),
    "more noise at the same price": (lambda: with_block(0, sigma=(SIGNED.blocks[0].sigma[0], 19)), Reason.WRONG_PRICE),
    "noise below 8 at its true price": (lambda: charged(with_block(0, sigma=(8 * 2**20 - 1, 20))), Reason.WRONG_PRICE),
    "no noise": (lambda: with_block(0, sigma=(0, 0)), Reason.WRONG_PRICE),
    "negative noise": (lambda: with_block(0, sigma=(-1, 0)), Reason.WRONG_PRICE),
    "noise no float holds": (lambda: with_block(0, sigma=(2**53, 0)), Reason.WRONG_PRICE),
    "noise on no grid": (lambda: with_block(0, sigma=(SIGNED.blocks[0].sigma[0], -1)), Reason.WRONG_PRICE),
    "a smaller bound at its own price": (lambda: charged(with_block(7, bound_squared=1)), Reason.WRONG_PRICE),
    "a larger bound at its own price": (lambda: charged(with_block(0, bound_squared=400)), Reason.WRONG_PRICE),
    "no bound at all": (lambda: charged(with_block(0, bound_squared=0)), Reason.WRONG_PRICE),
    "another multiplier": (lambda: charged(with_block(0, multiplier=99)), Reason.WRONG_PRICE),
    "more cells": (lambda: with_block(0, cells=2), Reason.WRONG_PRICE),
    "a nano-rho too little": (lambda: charged(SIGNED, -1), Reason.WRONG_PRICE),
    "a nano-rho too much": (lambda: charged(SIGNED, 1), Reason.WRONG_PRICE),
    "another spelling of the condition": (lambda: with_statistic(0, of="state == none"), Reason.MALFORMED),
    "another spelling of the filter": (lambda: with_statistic(1, where="incidents@T0 > 0"), Reason.MALFORMED),
    "another spelling of the key": (lambda: with_statistic(2, by=(" profile",)), Reason.MALFORMED),
    "an unreadable condition": (lambda: with_statistic(0, of="state =="), Reason.MALFORMED),
    "a variable that is not there": (lambda: with_statistic(0, of="status in {none}"), Reason.UNKNOWN_VARIABLE),
    "a key that is not there": (lambda: with_statistic(2, by=("prof",)), Reason.UNKNOWN_VARIABLE),
    "a category that is not there": (lambda: with_statistic(0, of="state@T1 in {nothing}"), Reason.UNKNOWN_VARIABLE),
    "a wave that is not there": (lambda: with_statistic(0, wave="T5"), Reason.MALFORMED),
    "a transition at one wave": (lambda: with_statistic(2, of="state@T0"), Reason.MALFORMED),
    "another unit, with another cap": (
        lambda: with_statistic(0, unit="adult", of="safe@T1 in {yes}"), Reason.WRONG_PRICE),
    "the same id twice": (lambda: with_statistic(0, id="helped"), Reason.MALFORMED),
    "a renamed block": (lambda: with_block(0, id="stepped"), Reason.MALFORMED),
    "a block too many": (lambda: charged(with_blocks(*SIGNED.blocks, SIGNED.blocks[0])), Reason.MALFORMED),
    "a block too few": (lambda: charged(with_blocks(*SIGNED.blocks[:-1])), Reason.MALFORMED),
    "blocks in another order": (lambda: with_blocks(*reversed(SIGNED.blocks)), Reason.MALFORMED),
    "statistics in another order": (
        lambda: SIGNED.model_copy(update={"statistics": SIGNED.statistics[::-1]}), Reason.MALFORMED),
    "another codebook's name": (lambda: with_heading(codebook="small@2"), Reason.CODEBOOK_MISMATCH),
    "a cohort that is not there": (lambda: with_heading(cohort="c9"), Reason.WRONG_COHORT),
    "a region of another group": (
        lambda: SIGNED.model_copy(update={"weights": {**SIGNED.weights, "DD": 1}}), Reason.OFF_ROTATION),
    "sums that could leave 64 bits": (
        lambda: charged(with_block(
            0, multiplier=2**45, bound_squared=2**90, sigma=(2**52, 0))), Reason.TOO_LARGE),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(TAMPERED))
def test_a_programme_that_was_tampered_with_is_refused(name: str) -> None:
    tamper, reason = TAMPERED[name]
    tampered = tamper()
    assert tampered != SIGNED
    found = verdict(tampered)
    assert isinstance(found, Refused)
    assert found.reason is reason
    assert found.sentence.endswith(".")


def test_the_overflow_rule_refuses_exactly_at_its_limit() -> None:
    """100,000 households x bound x multiplier + 2^40 sigma against 2^63 over two regions."""
    count = Statistic.model_validate({"id": "all", "kind": "count", "unit": "household", "wave": "T1"})
    signed = small_study.planned([count]).model_copy(update={"weights": {"AA": 1000, "BB": 1000}})
    at_limit = {"multiplier": 2**40, "bound_squared": 2**80}
    whole = 2**22 - 100_000
    refused = verdict(charged(with_block(0, signed, **at_limit, sigma=(whole, 0))))
    assert isinstance(refused, Refused)
    assert refused.reason is Reason.TOO_LARGE
    assert isinstance(verdict(charged(with_block(0, signed, **at_limit, sigma=(whole * 2**20 - 1, 20)))), Compilation)


def test_a_third_region_narrows_the_range_of_each() -> None:
    count = Statistic.model_validate({"id": "all", "kind": "count", "unit": "household", "wave": "T1"})
    signed = small_study.planned([count])
    fits_two = {"multiplier": 2**40, "bound_squared": 2**80, "sigma": (2**22 - 100_001, 0)}
    refused = verdict(charged(with_block(0, signed, **fits_two)))
    assert isinstance(refused, Refused)
    assert refused.reason is Reason.TOO_LARGE


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("weights", "AA"), 0),
        (("weights", "AA"), -1000),
        (("weights", "AA"), 10**6 + 1),
        (("weights",), {}),
        (("blocks",), []),
        (("statistics",), []),
        (("blocks", 0, "cells"), 0),
        (("blocks", 0, "multiplier"), 0),
        (("blocks", 0, "sigma"), [1]),
        (("blocks", 0, "sigma"), ["8", 0]),
        (("blocks", 0, "extra"), 1),
        (("charge", "rho"), 200000000),
        (("charge", "rho"), "0"),
        # Regression: a negative charge used to make `decide` raise.
        (("charge", "rho"), "-200000000"),
        (("charge", "rho"), "0200000000"),
        (("charge", "delta"), "0"),
        (("charge", "delta"), "0.5"),
        (("codebook_hash",), "A" * 64),
        (("codebook_hash",), "a" * 63),
        (("secure",), {}),
        (("statistics", 0, "mode"), "central"),
        (("statistics", 0, "mode"), "regional"),
        (("statistics", 0, "weight"), "1"),
        (("programme", "id"), "a\n"),
    ],
)
def test_bytes_that_are_no_programme_are_refused(path: tuple[Any, ...], value: canonical.Json) -> None:
    document: Any = canonical.decode(to_canonical(SIGNED))
    part = document
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    with pytest.raises(BadDocument):
        from_canonical(Programme, canonical.encode(document))
