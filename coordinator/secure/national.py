"""The national sums of one run, from attempt to attempt. Pure: who is on the line and what time it is are arguments.

    waiting ──> keys ──> sharing ──> vectors ──> seen ──> shares ──> summed
       ^          │         └───────────┴──────────┴────────┘
       │          │ too few can take part           │ aborted
       │          v                                 v
       │        failed <── no attempts left, or ────┤
       │          │        the deadline passed      │ attempts left
       └──────────┴── asked again ──────────────────┘

An attempt begins once n - d of its regions are on the line; a short public while is given to the rest. Its first round
costs nobody anything and fixes nothing, so it takes the time it needs: who is away is invited when it comes, who says
"not yet" is invited again after a pause that grows. From the first list of participants on every round has a public
time, and the number of the attempt is used up.

Instants come in two clocks: `now` is in unix seconds, `ticks` in seconds of a clock that never goes back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from coordinator.gather import FIRST_PAUSE_S, LONGEST_PAUSE_S, TEMPORARY, Asked
from coordinator.secure.aggregation import Aborted, Aggregation, Finished, Stage
from coordinator.secure.asked import Asked as Attempt
from policies.rules.refusals import Reason, Refused
from policies.secure.messages import Reply
from policies.study.roster import Roster

WAIT_S = 3.0
"""So long the rest is given to come on the line; and so long an attempt after the first is announced beforehand."""
_REPEAT_S = 2.0
_UNCHARGED = frozenset({Reason.UNWITNESSED, Reason.BEHIND_WITNESSES})
"""Who found too few witnesses has sent nothing, and may be asked for its vector again in the same round."""
_LATE = Refused(Reason.LATE, "It did not reply in time. It is asked again by itself.")


class Where(StrEnum):
    WAITING = "waiting"
    KEYS = "keys"
    SHARING = "sharing"
    VECTORS = "vectors"
    SEEN = "seen"
    SHARES = "shares"
    SUMMED = "summed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Start:
    """Begin this attempt with these regions. `begun`: its number was given then, in an earlier life of the desk."""

    attempt: int
    regions: tuple[str, ...]
    begun: int | None = None


@dataclass(frozen=True, slots=True)
class Invite:
    """Ask these regions for their keys, too."""

    regions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """Say to these regions what was said in this round before."""

    regions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Close:
    """End the round."""


@dataclass(frozen=True, slots=True)
class Abandon:
    """Nothing can come of this attempt, and another may be made."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Fail:
    """No sum can come of this run any more, unless somebody asks again."""

    sentence: str


Step = Start | Invite | Repeat | Close | Abandon | Fail


@dataclass(frozen=True, slots=True)
class Pause:
    """How often in a row a region said "not yet"; and from when on (ticks) it is asked again."""

    times: int
    due: float


@dataclass(frozen=True, slots=True)
class National:
    """Where the national sums of a run stand. `first` is what its first attempt asks; `deadline` in unix seconds.

    `used` counts the attempts that are over. `begun`: the next one has its number since then. `refused`: who said no
    for good. `sentence`: why the last attempt came to nothing, or why there is no sum.
    """

    first: Attempt
    deadline: int
    timeout_s: float
    used: int = 0
    begun: int | None = None
    going: Aggregation | None = None
    since: float | None = None
    invited: Mapping[str, float] = field(default_factory=dict)
    pauses: Mapping[str, Pause] = field(default_factory=dict)
    refused: Mapping[str, Refused] = field(default_factory=dict)
    survivors: tuple[str, ...] = ()
    over: bool = False
    sentence: str = ""

    @property
    def attempts(self) -> int:
        """How many attempts the programme allows."""
        secure = self.first.programme.secure
        return 0 if secure is None else secure.attempts

    @property
    def attempt(self) -> int:
        """The attempt that goes on or comes next; the last one where none comes."""
        return self.used if self.over and self.begun is None else self.used + 1

    @property
    def where(self) -> Where:
        if self.over:
            return Where.SUMMED if self.survivors else Where.FAILED
        if self.going is None:
            return Where.WAITING
        idle = self.going.stage is Stage.KEYS and not self.going.enough and not self.going.awaited
        return Where.WAITING if idle else Where(self.going.stage.value)

    @property
    def under_way(self) -> bool:
        """Whether nodes are asked something now, or a round is to be ended."""
        return self.going is not None and self.where is not Where.WAITING

    @property
    def able(self) -> frozenset[str]:
        """The regions of the programme that did not refuse for good."""
        return frozenset(self.first.programme.weights) - frozenset(self.refused)

    def asked(self, region: str) -> tuple[Asked, Refused | None]:
        """Where one region stands, in the words of a run; with why, where it said no."""
        if region in self.survivors:
            return Asked.ANSWERED, None
        if region in self.refused:
            return Asked.REFUSED, self.refused[region]
        if self.going is None or self.over:
            return Asked.WAITING, None
        if region in self.going.declined:
            return Asked.PENDING, self.going.declined[region]
        there = region in self.going.awaited | self.going.replied
        return (Asked.SENT if there else Asked.WAITING), None

    def step(self, here: frozenset[str], now: int, ticks: float) -> tuple[National, Step | None]:
        """What is due next, with these regions on the line; None where only time or a reply brings more."""
        if self.over:
            return self, None
        if self.going is not None and self.going.stage is not Stage.KEYS:
            return self._in_round(self.going, here, ticks)
        if now > self.deadline:
            return self, Fail(f"{self.sentence} The deadline passed before the national sums were there.".lstrip())
        if len(self.able) < self.first.group.fewest:
            another = self.going is not None and self._spent_elsewhere and self.used + 1 < self.attempts
            return self, Abandon(self._too_few()) if another else Fail(self._too_few())
        return self._waiting(here, ticks) if self.going is None else self._gathering(self.going, here, ticks)

    def started(self, going: Aggregation, begun: int, ticks: float) -> National:
        """The attempt has its number, and its first round goes on."""
        return replace(self, going=going, begun=begun, since=ticks, invited=dict.fromkeys(going.awaited, ticks))

    def invites(self, regions: tuple[str, ...], ticks: float) -> National:
        """These are asked for their keys."""
        if self.going is None:
            return self
        return replace(
            self, going=self.going.invite(regions), invited={**self.invited, **dict.fromkeys(regions, ticks)}
        )

    def moved(self, going: Aggregation, ticks: float) -> National:
        """The next round goes on."""
        return replace(self, going=going, since=ticks, pauses={})

    def finished(self, found: Finished) -> National:
        return replace(self._ended(), survivors=found.sum.regions, over=True, sentence="")

    def aborted(self, found: Aborted) -> National:
        """The attempt is over; the next one is announced, if there may be one."""
        refused = {region: why for region, why in self.refused.items() if region not in self._spent_elsewhere}
        after = replace(self._ended(), sentence=found.sentence, refused=refused)
        return replace(after, over=after.used >= after.attempts)

    def failed(self, sentence: str) -> National:
        """The attempt, if one gathers keys, is left; it keeps its number."""
        return replace(self, going=None, since=None, pauses={}, over=True, sentence=sentence)

    def ask_again(self) -> National:
        """Takes up what failed: everybody may be invited again. Nothing happens where no attempt is left."""
        if self.survivors or self.used >= self.attempts:
            return self
        return replace(self, refused={}, pauses={}, over=False, sentence="" if self.over else self.sentence)

    def take(self, region: str, reply: Reply, roster: Roster, now: int, ticks: float) -> National:
        """Takes in what a region says in the attempt that goes on."""
        if self.going is None:
            return self
        if self.going.stage is Stage.VECTORS and isinstance(reply, Refused) and reply.reason in _UNCHARGED:
            return replace(self, pauses={**self.pauses, region: Pause(1, ticks + _REPEAT_S)})
        before, after = self.going, self.going.take(region, reply, roster, now)
        taken = replace(self, going=after)
        dropped = region in before.awaited and region not in after.awaited | after.replied
        if after.stage is not Stage.KEYS or not dropped:
            return taken
        why = after.declined.get(region)
        if why is not None and why.reason not in TEMPORARY:
            return replace(taken, refused={**self.refused, region: why})
        times = self.pauses[region].times + 1 if region in self.pauses else 1
        pause = min(FIRST_PAUSE_S * 2 ** min(times - 1, 20), LONGEST_PAUSE_S)
        return replace(taken, pauses={**self.pauses, region: Pause(times, ticks + pause)})

    def lost(self, region: str) -> National:
        """A region's line broke, or was replaced: what was said over it may never have come."""
        going = None if self.going is None else self.going.lost(region)
        return replace(self, going=going, pauses={code: one for code, one in self.pauses.items() if code != region})

    def late(self, roster: Roster, now: int, ticks: float) -> National:
        """In the first round everybody has the public time from when it was invited."""
        after = self
        if self.going is not None and self.going.stage is Stage.KEYS:
            for region in self.going.awaited:
                if ticks - self.invited.get(region, ticks) >= self.timeout_s:
                    after = after.take(region, _LATE, roster, now, ticks)
        return after

    def _in_round(self, going: Aggregation, here: frozenset[str], ticks: float) -> tuple[National, Step | None]:
        if not going.awaited or (self.since is not None and ticks - self.since >= self.timeout_s):
            return self, Close()
        due = {region for region, pause in self.pauses.items() if ticks >= pause.due} & going.awaited & here
        if not due:
            return self, None
        pauses = {region: pause for region, pause in self.pauses.items() if region not in due}
        return replace(self, pauses=pauses), Repeat(tuple(sorted(due)))

    @property
    def _spent_elsewhere(self) -> frozenset[str]:
        """The regions that will not begin this attempt because it was begun there before."""
        return frozenset(region for region, why in self.refused.items() if why.reason is Reason.MALFORMED)

    def _waiting(self, here: frozenset[str], ticks: float) -> tuple[National, Step | None]:
        """Between attempts: the next one starts when all who can are there, or enough of them for a while."""
        ready = here & self.able
        if len(ready) < self.first.group.fewest:
            return replace(self, since=None), None
        since = ticks if self.since is None else self.since
        if ticks - since < WAIT_S and (ready != self.able or self.used):
            return replace(self, since=since), None
        return replace(self, since=since), Start(self.used + 1, tuple(sorted(ready)), self.begun)

    def _gathering(self, going: Aggregation, here: frozenset[str], ticks: float) -> tuple[National, Step | None]:
        paused = {region for region, pause in self.pauses.items() if ticks < pause.due}
        due = (here & self.able) - going.replied - going.awaited - paused
        if due:
            return self, Invite(tuple(sorted(due)))
        everybody = len(going.replied) == len(going.asked.programme.weights)
        waited = self.since is not None and ticks - self.since >= WAIT_S
        ripe = everybody or (going.enough and not going.awaited and waited)
        return self, Close() if ripe else None

    def _too_few(self) -> str:
        why = ", ".join(f"{region} ({self.refused[region].reason.value})" for region in sorted(self.refused))
        return f"Too many regions refuse: {len(self.able)} are left, it takes {self.first.group.fewest}. {why}."

    def _ended(self) -> National:
        return replace(self, used=self.used + 1, begun=None, going=None, since=None, pauses={}, invited={})
