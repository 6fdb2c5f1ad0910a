"""zCDP and the (epsilon, delta) people know, converted with outward rounding.

The conversion is the one of Canonne, Kamath and Steinke 2020 (Prop. 12 and its Corollary 13): rho-zCDP implies
(epsilon, delta)-DP for every a > 1 with

    epsilon = a*rho + ln(1 - 1/a) - ln(delta*a) / (a - 1).

Any a gives a true statement, so a coarse search can only make epsilon larger than it needs to be, never too small.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, Context, Decimal
from functools import lru_cache

from policies.units.money import NANO, NanoRho

_CONTEXT = Context(prec=60)
_MOST = NANO * 10**30
_SHOWN = Decimal("0.0001")
_MARGIN = Decimal("1e-20")
"""Above every rounding error of the 60-digit arithmetic below."""


def _epsilon_at(rho: Decimal, delta: Decimal, over: Decimal) -> Decimal:
    """The expression at a = 1 + over."""
    context = _CONTEXT
    a = context.add(Decimal(1), over)
    first = context.multiply(a, rho)
    second = context.ln(context.divide(over, a))
    third = context.divide(context.ln(context.multiply(delta, a)), over)
    return context.subtract(context.add(first, second), third)


def _least_epsilon(rho: Decimal, delta: Decimal) -> Decimal:
    """Ternary search over ln(a - 1); the expression is unimodal there."""
    low, high = Decimal(-6), Decimal(30)
    for _ in range(70):
        third = _CONTEXT.divide(_CONTEXT.subtract(high, low), Decimal(3))
        left, right = _CONTEXT.add(low, third), _CONTEXT.subtract(high, third)
        at_left, at_right = (_epsilon_at(rho, delta, _CONTEXT.exp(place)) for place in (left, right))
        low, high = (low, right) if at_left < at_right else (left, high)
    return _epsilon_at(rho, delta, _CONTEXT.exp(low))


@lru_cache(maxsize=4096)
def epsilon_from_rho(rho: NanoRho, delta: Decimal) -> Decimal:
    """The epsilon that `rho` buys at `delta` (0 < delta < 1), to four decimals.

    Privacy: rho-zCDP under add/remove of one household implies (result, delta)-DP, Canonne et al. 2020, Prop. 12;
    rounded up. Raises ValueError above 1e30 rho.
    """
    if not 0 < delta < 1 or rho.nano > _MOST:
        raise ValueError("delta lies strictly between 0 and 1, and rho is at most 1e30")
    if rho.nano == 0:
        return Decimal(0)
    return max(_epsilon(rho.nano, delta), Decimal(0)).quantize(_SHOWN, ROUND_CEILING, _CONTEXT)


def _epsilon(nano: int, delta: Decimal) -> Decimal:
    """The least epsilon found, raised above its rounding errors."""
    return _CONTEXT.add(_least_epsilon(_CONTEXT.divide(Decimal(nano), Decimal(NANO)), delta), _MARGIN)


@lru_cache(maxsize=256)
def rho_from_epsilon(epsilon: Decimal, delta: Decimal) -> NanoRho:
    """The largest whole nano-rho whose epsilon at `delta` does not exceed `epsilon` (> 0).

    Privacy: spending the result is (epsilon, delta)-DP under add/remove of one household; rounded down.
    """
    if not 0 < delta < 1 or epsilon <= 0:
        raise ValueError("epsilon is positive and delta lies strictly between 0 and 1")
    low, high = 0, 1
    while high < 10**15 and _epsilon(high, delta) <= epsilon:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        fits = _epsilon(middle, delta) <= epsilon
        low, high = (middle, high) if fits else (low, middle)
    return NanoRho(low)
