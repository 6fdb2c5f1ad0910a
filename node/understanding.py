"""A question as it is explained to the steward: its blocks, and what it is expected to tell; outside the service."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from node.approving import NotFound
from node.home import Home
from node.operations import papers
from policies.documents import from_canonical
from policies.statistics.compile import BadStatistic, Compilation, compile_blocks
from policies.statistics.gains import Gain, expected_gains
from policies.statistics.programme import Programme
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook


@dataclass(frozen=True, slots=True)
class Understood:
    """A programme with the documents that say what it means, for this region."""

    region: str
    programme: Programme
    codebook: Codebook
    calendar: Calendar
    compilation: Compilation

    def gains(self) -> tuple[Gain, ...]:
        """What this region and the nation are expected to learn, one a statistic; nothing where it is not asked."""
        expected = self.calendar.cohorts.get(self.programme.programme.cohort)
        everyone = () if expected is None else self.calendar.ever_members(self.programme.programme.cohort)
        if self.region not in self.programme.regions or not set(self.programme.regions) <= set(everyone):
            return ()
        return expected_gains(self.programme, self.compilation, self.codebook, self.calendar, self.region)


def understand(home: Home, programme: str) -> Understood | None:
    """A programme that was asked here, by its whole hash; None where the documents here do not explain it.

    Raises NodeError, and NotReady where no calendar or policy is adopted.
    """
    found = papers(home, programme)
    if isinstance(found, NotFound) or not found.codebook:
        return None
    asked = from_canonical(Programme, found.programme.encode("utf-8"))
    codebook = _codebook(found.codebook)
    try:
        compilation = compile_blocks(asked.statistics, codebook)
    except BadStatistic:
        return None
    if {block.id for block in compilation.blocks} != {block.id for block in asked.blocks}:
        return None
    return Understood(found.region, asked, codebook, _calendar(found.calendar), compilation)


@lru_cache(maxsize=4)
def _codebook(text: str) -> Codebook:
    return from_canonical(Codebook, text.encode("utf-8"))


@lru_cache(maxsize=2)
def _calendar(text: str) -> Calendar:
    return from_canonical(Calendar, text.encode("utf-8"))
