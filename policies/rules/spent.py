"""What a region has spent, and how much of that one household may have paid over its lifetime.

A cohort's total is what every household in it paid. Over a lifetime a household pays for the cohorts that it is in: all
of them, or at most `m` where the region's policy promises so and import sees to it (node/importing/households.py).
People who move between regions, or who live in two households, are outside this bound: each region counts for itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from policies.units.money import NanoRho

NONE = NanoRho(0)


@dataclass(frozen=True, slots=True)
class Stated:
    """Totals that a ledger took over from elsewhere: of each cohort, and over the lifetime."""

    cohorts: Mapping[str, NanoRho] = field(default_factory=dict)
    lifetime: NanoRho = NONE

    def cohort(self, name: str) -> NanoRho:
        return self.cohorts.get(name, NONE)

    def raised_to(self, other: Stated) -> Stated:
        """The larger of both, cohort by cohort and over the lifetime."""
        names = {*self.cohorts, *other.cohorts}
        larger = {name: max(self.cohort(name), other.cohort(name)) for name in sorted(names)}
        return Stated(larger, max(self.lifetime, other.lifetime))

    def covers(self, other: Stated) -> bool:
        """Whether nothing of the other is larger."""
        return self.lifetime >= other.lifetime and all(self.cohort(name) >= rho for name, rho in other.cohorts.items())


NOTHING = Stated()


@dataclass(frozen=True, slots=True)
class Spent:
    """What the ledger says was charged so far: per cohort, and over the region's lifetime, the plain sum.

    Both hold what was taken over. `base` are the totals up to a moment from which on alone it is known who is in which
    cohort: what the log began with after an earlier one was lost, or all that was spent when more of predecessors came
    to light than was known at import. `inherited` is what predecessors of a merged region had spent, the largest that
    a calendar in force ever stated.
    """

    cohorts: Mapping[str, NanoRho]
    lifetime: NanoRho
    base: Stated = NOTHING
    inherited: Stated = NOTHING

    def cohort(self, name: str) -> NanoRho:
        return self.cohorts.get(name, NONE)

    def counted(self, most: int | None) -> NanoRho:
        """What counts against the lifetime cap where a household is in at most `most` cohorts; None: in any number.

        Privacy: with `most`, the sum of the `most` largest amounts that were charged since `base`, on top of its
        lifetime: nobody knows who paid that. Never less than the lifetime that a merger stated, and never more
        than the plain sum, which bounds every household by itself. Adjacency: one household with all its persons,
        waves and cohorts. Exact, in nano-rho; nothing is rounded. Source: sequential composition over the cohorts a
        household is in, the largest over all patterns of at most `most` of them.
        """
        if most is None:
            return self.lifetime
        return max(self.inherited.lifetime, min(self.lifetime, self._above_base(sum(self._largest(most)))))

    def room(self, cohort: str, cap: NanoRho, most: int | None) -> NanoRho:
        """The most that may still be charged to this cohort without `counted` exceeding the cap.

        Privacy: exactly the largest charge x with counted(after x) <= cap; zero where it is exceeded already. In whole
        nano-rho, so nothing is rounded. Adjacency as for `counted`.
        """
        plain = cap.left_after(self.lifetime)
        if most is None or self.inherited.lifetime > cap:
            return plain
        others = self._largest(most, cohort)
        if self._above_base(sum(others)) > cap:
            return plain
        beside = self._above_base(sum(others[: most - 1]) + self._charged(cohort))
        return max(plain, cap.left_after(beside))

    def _charged(self, cohort: str) -> int:
        """What was charged to a cohort since `base`, in nano-rho; with what was inherited since."""
        return self.cohort(cohort).nano - self.base.cohort(cohort).nano

    def _largest(self, most: int, without: str = "") -> list[int]:
        charged = (self._charged(name) for name in self.cohorts if name != without)
        return sorted(charged, reverse=True)[:most]

    def _above_base(self, nano: int) -> NanoRho:
        return NanoRho(self.base.lifetime.nano + nano)
