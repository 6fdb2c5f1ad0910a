"""Answers and ledger entries keep every integer, and refuse what does not fit."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.documents import BadDocument, from_canonical, to_canonical
from policies.rules.entries import Answered, Debited, Entry, Opened
from policies.rules.order import Order
from policies.statistics.answer import Answer, BlockValues, block_values
from tests import small_study

SIGNED = small_study.planned()
ZEROS = "0" * 64


def answer(**changes: object) -> Answer:
    blocks = tuple(block_values(block.id, [7 - i for i in range(block.cells)]) for block in SIGNED.blocks)
    plain = Answer(region="AA", programme=ZEROS, cohort="c1", snapshot="ab" * 16, blocks=blocks)
    return plain.model_copy(update=changes)


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=20))
@settings(deadline=None)
def test_noisy_integers_come_back_as_they_went(numbers: list[int]) -> None:
    assert block_values("a", numbers).numbers() == tuple(numbers)


@pytest.mark.parametrize("values", ["AAAA", "AAAAAAAAAAA", "AAAAAAAA AAA=", "é", "AAAAAAAAAAA=" * 2, "AAAAAAAAAAB="])
def test_values_that_are_not_whole_integers_are_refused(values: str) -> None:
    with pytest.raises(ValueError):
        BlockValues(id="a", values=values).numbers()


def test_an_answer_fits_its_programme_and_no_other() -> None:
    assert answer().fits(SIGNED)
    assert from_canonical(Answer, to_canonical(answer())) == answer()
    blocks = answer().blocks
    for other in (blocks[:-1], blocks[::-1], (*blocks, blocks[0]), (block_values(blocks[0].id, []), *blocks[1:])):
        assert not answer(blocks=other).fits(SIGNED)
    assert not answer(blocks=(BlockValues(id=blocks[0].id, values="?"), *blocks[1:])).fits(SIGNED)


@pytest.mark.parametrize(
    "body",
    [
        Opened(event="opened", region="AA"),
        Debited(event="debited", programme=ZEROS, run="run-1", researcher="r", snapshot="ab" * 16, cohort="c1",
                charge=10**30, cohort_total=10**30, lifetime_total=10**31),
        Answered(event="answered", programme=ZEROS, snapshot="ab" * 16, debit=3, answer=ZEROS),
    ],
    ids=lambda body: str(body.event),
)  # fmt: skip
def test_an_entry_names_its_event_and_keeps_every_digit(body: Opened | Debited | Answered) -> None:
    entry = Entry(seq=0, time=1, previous=ZEROS, body=body)
    data = to_canonical(entry)
    assert f'"event":"{body.event}"'.encode() in data
    assert from_canonical(Entry, data) == entry


@pytest.mark.parametrize("run", ["run-", "run-0123456789ABCDEF", "run-0123456789abcdef0", "0123456789abcdef", ""])
def test_a_run_has_one_form(run: str) -> None:
    with pytest.raises(BadDocument):
        from_canonical(Order, f'{{"deadline":2,"issued":1,"programme":"{ZEROS}","run":"{run}"}}'.encode())
