"""zCDP and the (epsilon, delta) people know, converted with outward rounding.

The conversion is the one of Canonne, Kamath and Steinke 2020 (Prop. 12 and its Corollary 13): rho-zCDP implies
(epsilon, delta)-DP for every a > 1 with

    epsilon = a*rho + ln(1 - 1/a) - ln(delta*a) / (a - 1).

Any a gives a true statement, so a coarse search can only make epsilon larger than it needs to be, never too small.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, localcontext
from functools import lru_cache

from policies.units.money import NANO, NanoRho

_CONTEXT = Context(prec=45)
_MOST = NanoRho(NANO * 10**12)
_SHOWN = Decimal("0.0001")
_MARGIN = Decimal("1e-20")
"""Above every rounding error of the 45-digit arithmetic below, for up to 10^12 rho."""
_GOLDEN = (_CONTEXT.sqrt(Decimal(5)) - 1) / 2


@lru_cache(maxsize=4096)
def epsilon_from_rho(rho: NanoRho, delta: Decimal) -> Decimal:
    """The epsilon that `rho` (at most 10^12) buys at `delta` (0 < delta < 1), to four decimals. Raises ValueError.

    Privacy: rho-zCDP under add/remove of one household implies (result, delta)-DP, Canonne et al. 2020, Prop. 12;
    rounded up.
    """
    if not 0 < delta < 1 or rho > _MOST:
        raise ValueError("delta lies strictly between 0 and 1, and rho is at most 10^12")
    if rho.nano == 0:
        return Decimal(0)
    return max(_epsilon(rho.nano, delta), Decimal(0)).quantize(_SHOWN, ROUND_CEILING, _CONTEXT)


@lru_cache(maxsize=256)
def rho_from_epsilon(epsilon: Decimal, delta: Decimal) -> NanoRho:
    """The largest whole nano-rho whose epsilon at `delta` does not exceed `epsilon` (> 0); at most 10^12 rho.

    Privacy: spending the result is (epsilon, delta)-DP under add/remove of one household; rounded down.
    """
    if not 0 < delta < 1 or epsilon <= 0:
        raise ValueError("epsilon is positive and delta lies strictly between 0 and 1")
    low, high = 0, max(1, _first_guess(epsilon, delta))
    while _epsilon(high, delta) <= epsilon:
        if high == _MOST.nano:
            return _MOST
        low, high = high, min(2 * high, _MOST.nano)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _epsilon(middle, delta) <= epsilon else (low, middle)
    return NanoRho(low)


def _first_guess(epsilon: Decimal, delta: Decimal) -> int:
    """Nano-rho near the answer: Bun and Steinke 2016, epsilon = rho + 2 sqrt(rho ln(1/delta)), solved for rho."""
    with localcontext(_CONTEXT):
        log = -delta.ln()
        rho = ((log + epsilon).sqrt() - log.sqrt()) ** 2
        return min(int((rho * NANO).to_integral_value(ROUND_FLOOR)), _MOST.nano)


def _epsilon(nano: int, delta: Decimal) -> Decimal:
    """The least epsilon found by golden section over ln(a - 1), where the expression is unimodal; never too small."""
    with localcontext(_CONTEXT):
        rho = Decimal(nano) / NANO
        low, high = Decimal(-6), Decimal(30)
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        at_left, at_right = _epsilon_at(rho, delta, left), _epsilon_at(rho, delta, right)
        for _ in range(55):
            if at_left < at_right:
                high, right, at_right = right, left, at_left
                left = high - _GOLDEN * (high - low)
                at_left = _epsilon_at(rho, delta, left)
            else:
                low, left, at_left = left, right, at_right
                right = low + _GOLDEN * (high - low)
                at_right = _epsilon_at(rho, delta, right)
        return min(at_left, at_right) + _MARGIN


def _epsilon_at(rho: Decimal, delta: Decimal, place: Decimal) -> Decimal:
    """The expression at a = 1 + e^place."""
    over = place.exp()
    a = 1 + over
    return a * rho + (over / a).ln() - (delta * a).ln() / over
