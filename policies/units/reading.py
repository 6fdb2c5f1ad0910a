"""What a price means, in terms of somebody who tries to find out whether one household is in the data.

That somebody is granted everything else: every other household, every public document, any amount of computing. The
statements follow from rho alone, so they hold for everything that was answered at that price together, in whatever
order it was asked.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, Context, Decimal, localcontext

from policies.units.money import NANO, NanoRho

_CONTEXT = Context(prec=45)
_SHOWN = Decimal("0.0001")
_MARGIN = Decimal("1e-20")
"""Above every rounding error of the 45-digit arithmetic below."""
_CERTAIN = Decimal(1)
_MOST_EPSILON = 60


def rightly_at_most(rho: NanoRho, falsely: Decimal) -> Decimal:
    """How often a rule can rightly say of a household that it took part, if it says so falsely with chance `falsely`.

    A chance, to four decimals; `falsely` lies strictly between 0 and 1, else ValueError.

    Privacy: for rho-zCDP under add/remove of one household, P(S|in) <= (e^(a rho) P(S|out))^((a-1)/a) for every a > 1
    (Renyi divergence: Mironov 2017, Prop. 10; Bun and Steinke 2016, Def. 1.1). The least over a is
    exp(-(sqrt(ln 1/falsely) - sqrt(rho))^2) while rho < ln 1/falsely, and no statement beyond. Rounded up.
    """
    if not 0 < falsely < 1:
        raise ValueError("a chance of being wrong lies strictly between 0 and 1")
    if rho.nano == 0:
        return falsely
    with localcontext(_CONTEXT):
        surprise, spent = -falsely.ln(), Decimal(rho.nano) / NANO
        if spent >= surprise:
            return _CERTAIN
        return _up((-((surprise.sqrt() - spent.sqrt()) ** 2)).exp())


def best_guess(rho: NanoRho) -> Decimal:
    """The most often that a guess `in or out` can be right, for a household that is in with chance one half.

    A chance from 0.5 to 1, to four decimals.

    Privacy: rho-zCDP under add/remove of one household bounds the Kullback-Leibler divergence by rho (the limit of its
    definition at a = 1). The total variation distance is then at most sqrt(rho/2) (Pinsker) and at most
    1 - e^(-rho)/2 (Bretagnolle and Huber 1979), and the best guess is right (1 + distance)/2 of the time. Rounded up.
    """
    if rho.nano == 0:
        return Decimal("0.5")
    with localcontext(_CONTEXT):
        spent = Decimal(rho.nano) / NANO
        distance = min((spent / 2).sqrt(), 1 - (-spent).exp() / 2)
        return _up((1 + distance) / 2)


def odds_factor(epsilon: Decimal) -> Decimal | None:
    """e^epsilon, to one decimal: what the chance of any conclusion is multiplied by at most. None beyond e^60.

    Privacy: the factor in the definition of (epsilon, delta)-DP, under add/remove of one household. Rounded up.
    """
    if not 0 <= epsilon <= _MOST_EPSILON:
        return None
    if epsilon == 0:
        return Decimal(1)
    with localcontext(_CONTEXT):
        return (epsilon.exp() + _MARGIN).quantize(Decimal("0.1"), ROUND_CEILING)


def _up(chance: Decimal) -> Decimal:
    return min(_CERTAIN, (chance + _MARGIN).quantize(_SHOWN, ROUND_CEILING))
