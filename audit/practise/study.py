"""The made-up study as all parties know it: the signed documents, each made once and found again by name."""

from __future__ import annotations

from dataclasses import dataclass, field

from rondgang.canonical import Json
from rondgang.keys import SigningKey
from rondgang.signed import Signed

from audit.practise import papers
from audit.practise.papers import Values, paper
from audit.practise.people import DAY_S, START, Entropy, People
from audit.practise.rounds import Rounds, attempt


@dataclass(slots=True)
class Study:
    """Documents that are signed as they should be, and the entropy for whatever is drawn."""

    people: People
    entropy: Entropy
    rosters: list[Signed] = field(init=False)
    calendar: Signed = field(init=False)
    codebook: Signed = field(init=False)
    _runs: dict[str, str] = field(default_factory=dict)
    _rounds: dict[tuple[str, int], Rounds] = field(default_factory=dict)

    def __post_init__(self) -> None:
        consortium = self.people.consortium
        issued = (START - 3600, START + 5 * DAY_S)
        self.rosters = [
            paper("roster", papers.roster(self.people, serial, when), consortium)
            for serial, when in enumerate(issued, start=1)
        ]
        self.calendar = paper("calendar", papers.calendar(), consortium)
        self.codebook = paper("codebook", papers.codebook(), consortium)

    def draw(self, digits: int) -> str:
        """Fresh hexadecimal digits, at most 64."""
        return self.entropy().hex()[:digits]

    def run(self, name: str) -> str:
        """The run in which a programme is asked of everybody."""
        return self._runs.setdefault(name, f"run-{self.draw(16)}")

    def programme_body(self, name: str) -> Values:
        return papers.programme(name, self.codebook.digest, self.calendar.digest)

    def programme(self, name: str, *keys: SigningKey, **changes: Json) -> Signed:
        """The programme of this name with other fields, signed by the researcher unless other keys are given."""
        body = self.programme_body(name) | changes
        return paper("programme", body, *(keys or (self.people.researcher.signing,)))

    def national(self, name: str) -> Signed:
        """A programme with a question whose answer is a national sum."""
        return self.programme(name, **papers.nationally(self.programme_body(name)))

    def rounds(self, asked: Signed, number: int = 1) -> Rounds:
        """An attempt at a programme's national sums, in which all regions took part."""
        run = self.run(asked.digest)
        if (run, number) not in self._rounds:
            self._rounds[run, number] = attempt(self.people, self.entropy, run, asked, number)
        return self._rounds[run, number]

    def policy(self, region: str, version: int, cohort: str, lifetime: str, **more: Json) -> Signed:
        """A policy, signed by the region's own steward."""
        steward = self.people.regions[region].keys["steward"]
        return paper("policy", papers.policy(region, version, cohort, lifetime, **more), steward)

    def order(self, run: str, asked: Signed, issued: int, number: int = 0) -> Signed:
        return paper("order", papers.order(run, asked.digest, issued, number), self.people.desk.signing)

    def approval(self, region: str, asked: Signed, decided: int, reason: str | None = None) -> Signed:
        steward = self.people.regions[region].keys["steward"]
        return paper("approval", papers.approval(region, asked.digest, decided, reason), steward)
