"""What the desk tells a researcher, as values: the service makes them, the client reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from coordinator.gather import Asked, State
from coordinator.secure.national import Where
from policies.rules.refusals import Refused
from policies.units.money import NanoRho

Decision = Literal["granted", "pending", "refused", "away"]


@dataclass(frozen=True, slots=True)
class RegionView:
    """One region of the roster: on the line or not, when last seen (unix seconds, None for never), with what."""

    region: str
    attending: bool
    last_seen: int | None
    software: str
    roster_current: bool
    calendar_current: bool


@dataclass(frozen=True, slots=True)
class RegionPrice:
    """What one region would say. An `away` region has said nothing: its amounts are None.

    `pending`: not yet, for a reason that may pass by itself; `refused` then says which.
    """

    region: str
    decision: Decision
    refused: Refused | None = None
    charge: NanoRho | None = None
    left_cohort: NanoRho | None = None
    left_lifetime: NanoRho | None = None
    test_only: bool = False


@dataclass(frozen=True, slots=True)
class Prices:
    """What every region of a programme would say, and the run the programme has already."""

    regions: tuple[RegionPrice, ...]
    run: str | None = None

    def said(self, decision: Decision) -> dict[str, Refused]:
        """The regions that refuse, or say "not yet", each with why."""
        return {one.region: one.refused for one in self.regions if one.decision == decision and one.refused is not None}

    @property
    def hopeless(self) -> bool:
        """Whether regions attend and every one of them refuses."""
        decisions = {one.decision for one in self.regions} - {"away"}
        return decisions == {"refused"}


@dataclass(frozen=True, slots=True)
class Submitted:
    """The run of a programme. `existed` when the programme had it already."""

    run: str
    existed: bool


@dataclass(frozen=True, slots=True)
class RegionProgress:
    """Where one region stands in a run; `same` and `other` count answers that came again.

    `answered` is the unix second in which its own answer came in, 0 where it has none.
    """

    region: str
    state: Asked
    refused: Refused | None = None
    same: int = 0
    other: int = 0
    answered: int = 0


@dataclass(frozen=True, slots=True)
class NationalProgress:
    """Where the national sums of a run stand: the attempt that goes on or comes next, or the last; of so many.

    `replied` of the `need` regions have done this round's part; once summed, so many are in it. `sentence` says why the
    attempt before came to nothing, or why there is no sum. `alone`: nothing is asked regionally, and the states of the
    regions are those of their part in the attempt.
    """

    where: Where
    attempt: int
    attempts: int
    replied: int
    need: int
    sentence: str = ""
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands. `deadline` is in unix seconds. `national` only where national sums are asked for."""

    run: str
    state: State
    regions: tuple[RegionProgress, ...]
    deadline: int
    national: NationalProgress | None = None

    def count(self, state: Asked) -> int:
        return sum(one.state is state for one in self.regions)


@dataclass(frozen=True, slots=True)
class Results:
    """The estimates of a run so far: `rows_json` is a JSON array of objects with the contract's columns.

    They rest on the signed answers, and on the signed national sums where there are any.
    """

    run: str
    state: State
    signed_programme: bytes
    rows_json: bytes
    signed_answers: tuple[bytes, ...]
    signed_sum: bytes | None = None

    @property
    def revision(self) -> int:
        """How much came in: it grows with each answer, and with the sums."""
        return len(self.signed_answers) + (self.signed_sum is not None)


@dataclass(frozen=True, slots=True)
class StudyDocuments:
    """The documents the desk works by, as signed canonical bytes: not verified yet."""

    signed_roster: bytes
    signed_calendar: bytes
    signed_codebooks: tuple[bytes, ...]
