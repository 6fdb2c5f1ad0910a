"""Exact numbers: which way each rounding goes, and that no spelling changes an amount."""

from decimal import Decimal, getcontext, localcontext
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opendp.combinators import make_zCDP_to_approxDP
from opendp.domains import atom_domain
from opendp.measurements import make_gaussian
from opendp.metrics import absolute_distance
from opendp.mod import enable_features

from policies.units.exact import decimal_text, parse_decimal, parse_digits
from policies.units.money import NANO, NanoRho, allowance
from policies.units.noise import Sigma, round_up
from policies.units.privacy import _epsilon, epsilon_from_rho, rho_from_epsilon

DELTA = Decimal("1e-6")
RHOS = st.fractions(min_value=0, max_value=10**12)


@pytest.fixture
def opendp() -> None:
    """OpenDP's contributed parts. They stay on: a node's mechanism in the same process needs them too."""
    enable_features("contrib")


@given(RHOS)
@settings(deadline=None)
def test_charges_round_up_and_caps_round_down_by_less_than_one_nano(rho: Fraction) -> None:
    up, down = NanoRho.ceil(rho), NanoRho.floor(rho)
    assert down.rho <= rho <= up.rho
    assert up.nano - down.nano == (0 if (rho * NANO).denominator == 1 else 1)


@pytest.mark.parametrize(
    ("rho", "up", "down"),
    [(Fraction(1, 3), 333333334, 333333333), (Fraction(1, 10**12), 1, 0), (Fraction(1, 10**9), 1, 1), (0, 0, 0)],
)
def test_nano_rho_at_the_edges(rho: Fraction, up: int, down: int) -> None:
    assert (NanoRho.ceil(Fraction(rho)).nano, NanoRho.floor(Fraction(rho)).nano) == (up, down)


def test_a_written_cap_is_never_exceeded_by_rounding() -> None:
    assert allowance(Decimal("0.1850000009")).nano == 185_000_000
    assert allowance(Decimal("0.1")).nano * 3 == allowance(Decimal("0.3")).nano


@given(st.integers(0, 10**60), st.integers(0, 10**60))
@settings(deadline=None)
def test_amounts_of_any_size_add_and_remain_exactly(cap: int, spent: int) -> None:
    assert (NanoRho(cap) + NanoRho(spent)).nano == cap + spent
    assert NanoRho(cap).left_after(NanoRho(spent)).nano == max(cap - spent, 0)
    assert Fraction(NanoRho(cap).text()) * NANO == cap


def test_an_amount_is_never_negative() -> None:
    with pytest.raises(ValueError, match="zero or more"):
        NanoRho(-1)
    with pytest.raises(ValueError, match="zero or more"):
        NanoRho.floor(Fraction(-1, 10**12))


@pytest.mark.parametrize(
    ("rho", "epsilon"),
    [("0.01", ".622"), ("0.05", "1.472"), ("0.10", "2.142"), ("0.20", "3.131"), ("0.50", "5.222"), ("1.0", "7.766")],
)
def test_epsilon_agrees_with_the_published_table(rho: str, epsilon: str) -> None:
    """Canonne, Kamath and Steinke 2020 at delta 1e-6, to the table's three digits."""
    found = epsilon_from_rho(allowance(Decimal(rho)), DELTA)
    assert abs(found - Decimal(epsilon)) <= Decimal("0.0006")


@pytest.mark.parametrize(("epsilon", "rho"), [("1", ".0244"), ("2", ".0882"), ("3", ".1851"), ("4", ".3111")])
def test_rho_agrees_with_the_published_table(epsilon: str, rho: str) -> None:
    found = rho_from_epsilon(Decimal(epsilon), DELTA)
    assert abs(found.rho - Fraction(rho)) < Fraction("0.00006")


@pytest.mark.parametrize("delta", ["1e-6", "1e-10", "0.01"])
@pytest.mark.parametrize("rho", ["0.000001", "0.0123", "0.185069840", "2.5", "40", "900"])
def test_epsilon_is_never_below_that_of_opendp(rho: str, delta: str, opendp: None) -> None:
    scale = float((Fraction(1, 2) / Fraction(rho)) ** Fraction(1, 2))
    noise = make_gaussian(atom_domain(T="i64"), absolute_distance(T="i64"), scale=scale)
    converted: Any = make_zCDP_to_approxDP(noise)  # OpenDP ships no types
    theirs: float = converted.map(1).epsilon(float(delta))
    ours = float(epsilon_from_rho(allowance(Decimal(rho)), Decimal(delta)))
    # Ours is a multiple of 0.0001, rounded up; theirs carries float rounding of its own.
    assert theirs * (1 - 1e-9) - 1e-12 <= ours <= theirs * (1 + 1e-9) + 1.01e-4


@pytest.mark.parametrize(("epsilon", "delta"), [("3", "1e-6"), ("0.01", "1e-9")])
def test_rho_from_epsilon_is_the_largest_that_fits(epsilon: str, delta: str) -> None:
    found = rho_from_epsilon(Decimal(epsilon), Decimal(delta))
    assert _epsilon(found.nano, Decimal(delta)) <= Decimal(epsilon) < _epsilon(found.nano + 1, Decimal(delta))


def test_conversions_are_monotone() -> None:
    shown = [epsilon_from_rho(NanoRho(nano), DELTA) for nano in (0, 1, 10**3, 10**6, 10**8, 10**9, 10**12)]
    assert all(below <= above for below, above in pairwise(shown))
    assert shown[0] == 0
    assert epsilon_from_rho(NanoRho(10**8), Decimal("1e-9")) > epsilon_from_rho(NanoRho(10**8), Decimal("1e-3"))


@pytest.mark.parametrize(("epsilon", "delta"), [("0", "1e-6"), ("-1", "1e-6"), ("1", "0"), ("1", "1"), ("1", "-1")])
def test_conversions_refuse_what_has_no_meaning(epsilon: str, delta: str) -> None:
    with pytest.raises(ValueError, match="strictly between"):
        rho_from_epsilon(Decimal(epsilon), Decimal(delta))
    if not 0 < Decimal(delta) < 1:
        with pytest.raises(ValueError, match="strictly between"):
            epsilon_from_rho(NanoRho(1), Decimal(delta))


def test_regression_an_absurd_amount_has_an_epsilon_and_an_impossible_one_a_plain_refusal() -> None:
    """Beyond 28 digits the decimal module's own context used to break the conversion."""
    assert epsilon_from_rho(NanoRho(10**21), DELTA) >= 10**12
    with pytest.raises(ValueError, match="at most 10"):
        epsilon_from_rho(NanoRho(10**40), DELTA)


def test_regression_the_conversion_does_not_depend_on_the_decimal_context_in_force() -> None:
    wanted = epsilon_from_rho.__wrapped__(NanoRho(185_069_840), DELTA)
    with localcontext() as context:
        context.prec = 5
        assert getcontext().prec == 5
        assert epsilon_from_rho.__wrapped__(NanoRho(185_069_840), DELTA) == wanted


@given(st.integers(1, 2**53 - 1), st.integers(0, 60))
@settings(deadline=None)
def test_sigma_is_a_float_without_rounding(numerator: int, shift: int) -> None:
    sigma = Sigma(numerator, shift)
    assert Fraction(sigma.value) == sigma.fraction == Fraction(numerator, 2**shift)
    assert sigma.large_enough == (numerator >= 8 * 2**shift)


@pytest.mark.parametrize(("numerator", "shift"), [(0, 0), (-1, 0), (2**53, 0), (1, -1), (1, 61)])
def test_sigma_refuses_what_a_float_cannot_hold(numerator: int, shift: int) -> None:
    with pytest.raises(ValueError, match=r"numerator / 2\*\*shift"):
        Sigma(numerator, shift)


@given(st.floats(1e-12, 2.0**52))
@settings(deadline=None)
def test_sigma_rounds_up_by_less_than_its_grid(sigma: float) -> None:
    rounded = round_up(sigma)
    assert Fraction(sigma) <= rounded.fraction < Fraction(sigma) + Fraction(1, 2**rounded.shift)


@pytest.mark.parametrize(
    ("spellings", "canonical"),
    [
        (("0.1", "0.10", "1e-1", "1E-1", "00.1"), "0.1"),
        (("0", "-0", "0.000", "0e5", 0), "0"),
        (("100", "1e2", "1E+2", "100.0", 100), "100"),
        (("-2.50", "-25e-1"), "-2.5"),
        (("1e-30",), "0." + "0" * 29 + "1"),
    ],
)
def test_two_spellings_of_one_decimal_have_one_text(spellings: tuple[object, ...], canonical: str) -> None:
    assert {decimal_text(parse_decimal(spelled)) for spelled in spellings} == {canonical}


@pytest.mark.parametrize(
    "value",
    [
        *(0.1, True, None, [], "", "NaN", "inf", "-Infinity", "1,5", "1_8", " 1", "1.", ".5", "+1", "٣", "0x10", "1\n"),
        *("1e30", "1e-31", "1" * 31, "0." + "1" * 31, "1e999999999999", 10**40),
    ],
)
def test_what_is_not_an_exact_decimal_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="expected a"):
        parse_decimal(value)


@given(st.decimals(allow_nan=False, allow_infinity=False))
@settings(deadline=None)
def test_regression_the_text_of_a_decimal_can_be_read_again(number: Decimal) -> None:
    """Thirty zeros behind a one used to be written with a digit too many to be read back."""
    for candidate in (str(number), "1e30", "1e29"):
        try:
            parsed = parse_decimal(candidate)
        except ValueError:
            continue
        assert parse_decimal(decimal_text(parsed)) == parsed
        assert decimal_text(parse_decimal(decimal_text(parsed))) == decimal_text(parsed)


@given(st.integers())
@settings(deadline=None)
def test_big_integers_travel_as_digits(number: int) -> None:
    assert parse_digits(str(number)) == parse_digits(number) == number


@pytest.mark.parametrize("value", ["-0", "01", "1.0", "+1", " 1", "1_0", "", "٣", True, 1.0, None])
def test_digits_have_one_spelling(value: object) -> None:
    with pytest.raises(ValueError, match="decimal digits"):
        parse_digits(value)
