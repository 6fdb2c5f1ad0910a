"""Who must cosign before anything is answered, and who has. Pure: roster, rule and time are arguments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rondgang.keys import PublicKey
from rondgang.notes import Note, cosigned_at
from rondgang.roles import Role

from policies.rules.region_policy import WitnessRule
from policies.study.roster import Member, Roster, witnesses

SKEW_S = 300
"""How far a witness's clock may be from the node's, in seconds. Public: an auditor holds entries against it."""


@dataclass(frozen=True, slots=True)
class Count:
    """Who of the live witnesses, `of` in number, has cosigned a note, and how many of them must."""

    need: int
    of: int
    by: tuple[Member, ...]

    @property
    def enough(self) -> bool:
        """Whether `need` have cosigned, one of them not the coordinator, which gains by extra answers."""
        return len(self.by) >= self.need and any(member.role is Role.WITNESS for member in self.by)


def count(note: Note, roster: Roster, rule: WitnessRule, now: int) -> Count:
    """Checks every cosignature under a note against roster and clock at `now` (unix seconds); others do not count."""
    live = witnesses(roster, now)
    by = [member for member, time in _cosigned(note, roster, now) if timely(time, now)]
    return Count(rule.need, len(live), tuple(by))


def cosigner(note: Note, roster: Roster, now: int) -> tuple[Member, int] | None:
    """The first live witness whose valid cosignature a note bears, and its time (unix seconds), whatever that is."""
    return next(_cosigned(note, roster, now), None)


def timely(time: int, now: int) -> bool:
    """Whether a cosignature's time fits the node's clock: kept with another, it would speak against every entry."""
    return abs(time - now) <= SKEW_S


def _cosigned(note: Note, roster: Roster, now: int) -> Iterator[tuple[Member, int]]:
    for key, member in witnesses(roster, now).items():
        if (time := cosigned_at(note, PublicKey.from_hex(key))) is not None:
            yield member, time


@dataclass(frozen=True, slots=True)
class Unsound:
    """A rule by which two histories could both be cosigned: `of` live witnesses, `independent` of the coordinator."""

    of: int
    independent: int
    need: int
    faulty: int

    @property
    def least(self) -> int:
        """The least `need` that would do; it may be more than there are witnesses."""
        return least_sound(self.of, self.faulty)

    @property
    def sentence(self) -> str:
        """What is wrong, and what to change."""
        if self.independent == 0:
            return "The roster names no independent witness. Have the consortium enrol one, and adopt the new roster."
        told = f"Of {self.of} witnesses {self.need} must cosign while {self.faulty} may lie: that protects nothing."
        if self.least > self.of:
            return f"{told} Have the consortium enrol more witnesses, or adopt a policy that allows for fewer liars."
        return f"{told} Adopt a policy with `witnesses: {{need: {self.least}}}`."


def unsound(roster: Roster, rule: WitnessRule, now: int) -> Unsound | None:
    """How a rule fails with the witnesses of this roster at `now` (unix seconds); None for a sound one.

    See `WitnessRule.sound`.
    """
    live = witnesses(roster, now).values()
    independent = sum(member.role is Role.WITNESS for member in live)
    if independent and rule.sound(len(live)):
        return None
    return Unsound(len(live), independent, rule.need, rule.faulty)


def least_sound(witnesses: int, faulty: int) -> int:
    """The smallest `need` for which 2 * need > witnesses + faulty; it may be more than there are."""
    return max(2, (witnesses + faulty) // 2 + 1)
