"""What counts against the lifetime cap: what the household that paid most may have paid, over all patterns of cohorts.

Each question is answered twice: by the rule of the product, and by trying every set of cohorts or every charge.
"""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from policies.rules.spent import Spent, Stated
from policies.units.money import NanoRho

NAMES = ("c1", "c2", "c3", "c4", "c5")
AMOUNTS = st.dictionaries(st.sampled_from(NAMES), st.integers(0, 9))
MOST = st.integers(1, 6)


def _nano(amounts: dict[str, int]) -> dict[str, NanoRho]:
    return {name: NanoRho(nano) for name, nano in amounts.items()}


def _stated(amounts: dict[str, int], lifetime: int) -> Stated:
    """The lifetime of what is stated is that of all its cohorts at most, and of the largest at least."""
    return Stated(_nano(amounts), NanoRho(min(max([lifetime, *amounts.values()]), sum(amounts.values()))))


def _ledger(reset: dict[str, int], unknown: int, charged: dict[str, int]) -> Spent:
    """A log that began with a reset (of which `unknown` nobody knows the cohort), and charged since."""
    began = Stated(_nano(reset), NanoRho(sum(reset.values()) + unknown))
    totals = {name: reset.get(name, 0) + charged.get(name, 0) for name in {*reset, *charged}}
    return Spent(_nano(totals), NanoRho(began.lifetime.nano + sum(charged.values())), began)


@given(AMOUNTS, MOST)
def test_without_a_reset_it_is_the_dearest_set_of_so_many_cohorts(charged: dict[str, int], most: int) -> None:
    sets = combinations(charged.values(), min(most, len(charged)))
    assert _ledger({}, 0, charged).counted(most) == NanoRho(max(map(sum, sets)))


@given(AMOUNTS, st.integers(0, 9), AMOUNTS, st.integers(1, 5))
def test_nobody_paid_more_whatever_was_lost(
    reset: dict[str, int], unknown: int, charged: dict[str, int], most: int
) -> None:
    """A household paid at most what the reset stated, and after it for `most` cohorts at most."""
    spent = _ledger(reset, unknown, charged)
    worst = spent.base.lifetime.nano + max(map(sum, combinations(charged.values(), min(most, len(charged)))))
    assert worst <= spent.counted(most).nano <= spent.lifetime.nano
    assert spent.counted(most) <= spent.counted(most + 1) <= spent.counted(None) == spent.lifetime
    assert spent.counted(max(1, len(charged))) == spent.lifetime


@given(AMOUNTS, AMOUNTS, AMOUNTS, MOST)
def test_a_merger_bounds_the_households_of_each_predecessor(
    one: dict[str, int], other: dict[str, int], charged: dict[str, int], most: int
) -> None:
    """Each household was with one of the two; before and after together it is in `most` cohorts."""
    taken = Stated(_nano(one), NanoRho(sum(one.values()))).raised_to(Stated(_nano(other), NanoRho(sum(other.values()))))
    totals = {name: taken.cohort(name).nano + charged.get(name, 0) for name in NAMES}
    plain = NanoRho(taken.lifetime.nano + sum(charged.values()))
    spent = Spent(_nano(totals), plain, inherited=taken)
    worst = max(
        sum(before.get(name, 0) + charged.get(name, 0) for name in chosen)
        for before in (one, other)
        for chosen in combinations(NAMES, min(most, len(NAMES)))
    )
    assert worst <= spent.counted(most).nano <= plain.nano
    assert spent.counted(most) >= taken.lifetime


@given(AMOUNTS, st.integers(0, 5), AMOUNTS, AMOUNTS, st.sampled_from(NAMES), st.integers(0, 40), st.none() | MOST)
def test_there_is_room_for_exactly_the_charges_that_stay_below_the_cap(
    reset: dict[str, int],
    unknown: int,
    taken: dict[str, int],
    charged: dict[str, int],
    cohort: str,
    cap: int,
    most: int | None,
) -> None:
    began, after = _ledger(reset, unknown, charged), _stated(taken, 5)
    totals = {name: began.cohort(name) + after.cohort(name) for name in {*began.cohorts, *after.cohorts}}
    spent = Spent(totals, began.lifetime + after.lifetime, began.base, after)

    def fits(charge: int) -> bool:
        total = {**spent.cohorts, cohort: spent.cohort(cohort) + NanoRho(charge)}
        whole = spent.lifetime + NanoRho(charge)
        return Spent(total, whole, spent.base, spent.inherited).counted(most).nano <= cap

    room = spent.room(cohort, NanoRho(cap), most).nano
    assert room == max((charge for charge in range(cap + 2) if fits(charge)), default=0)
    assert all(fits(charge) for charge in range(1, room + 1))


@given(AMOUNTS, AMOUNTS)
def test_the_larger_of_two_statements_covers_both(one: dict[str, int], other: dict[str, int]) -> None:
    first, second = _stated(one, 4), _stated(other, 6)
    both = first.raised_to(second)
    assert both.covers(first)
    assert both.covers(second)
    assert first.covers(second) == (
        first.raised_to(second) == first.raised_to(Stated(dict.fromkeys(both.cohorts, NanoRho(0))))
    )
