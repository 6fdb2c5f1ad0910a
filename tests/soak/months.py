"""Two years and a bit in a minute: `python -m tests.soak.months [--folder DIR]`.

From November 2026 to January 2029 by an injected clock. Every month something is asked, and every month something
happens to somebody; at the end every party hands over its evidence, and the auditor finds nothing wrong. Ends with 0
when all of that holds, and prints a line a month.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from rondgang.signed import Signed

from audit.cli.given import read_files
from audit.findings import Severity
from audit.verify import verify
from coordinator.backup import back_up, restore
from coordinator.errors import DeskRefused
from coordinator.gather import Asked, State
from node.home import Home
from policies.documents import from_canonical, parse_yaml
from policies.rules.refusals import Reason
from policies.statistics.answer import Answer
from policies.study.calendar import DAY_S, Calendar, instant
from policies.wire.refusals import reason_from_wire
from tests import rotating_study
from tests.rotating_study import MERGED, TODAY
from tests.soak.months_world import Months
from tests.travel_world import RHO, Outcome, Station

CYCLE = ("CC", "DD")
"""Who is asked in the first two years."""


class Wrong(Exception):
    """Something that must hold does not."""


def must(holds: bool, what: str) -> None:
    if not holds:
        raise Wrong(what)


@dataclass
class Story:
    """What was asked and answered so far: by run, the bytes of every answer."""

    months: Months
    answers: dict[str, dict[str, bytes]] = field(default_factory=dict)
    asked: int = 0

    def ask(self, cohort: str = "c3", missing: tuple[str, ...] = ()) -> Outcome:
        """One programme; every region on the line answers, and those named do not."""
        self.asked += 1
        planned = self.months.planned(f"month_{self.asked}", cohort)
        outcome = self.months.asked(planned)
        answered = {one.region for one in outcome.progress.regions if one.state is Asked.ANSWERED}
        must(answered == set(planned.programme.regions) - set(missing), f"answered: {sorted(answered)}")
        self.keep(outcome.progress.run)
        return outcome

    def keep(self, run: str) -> None:
        """Notes the answers of a run; a region that answered before must have sent the same bytes."""
        found = {answer_region(data): data for data in self.months.desk.fetch(run).signed_answers}
        for region, data in self.answers.get(run, {}).items():
            must(found.get(region) == data, f"{region} answered {run} twice differently")
        self.answers[run] = {**self.answers.get(run, {}), **found}

    def until(self, month: str) -> None:
        self.months.clock.now = instant(f"{month}-15")


def answer_region(data: bytes) -> str:
    return str(from_canonical(Answer, Signed.from_bytes(data).document).region)


def homes(first: int, last: int) -> list[str]:
    return [f"h{number}" for number in range(first, last)]


def first_month(story: Story) -> None:
    """Data of cohort 3 at CC and DD. AA goes on where the release before left it: what it spent counts."""
    months = story.months
    months.stations["CC"].deliver("c3", ("T0", "T1"), homes(0, 50))
    months.stations["DD"].deliver("c3", ("T0", "T1"), homes(0, 45))
    must(months.stations["AA"].spent("c1") != "0", "what the old home had spent is gone")
    story.ask()


def a_node_away(story: Story) -> None:
    """DD is off the line for the whole month; the next month it answers what it missed, and nobody is charged twice."""
    story.months.leave("DD")
    story.ask(missing=("DD",))


def it_comes_back(story: Story) -> None:
    run = next(reversed(story.answers))
    # Within the deadline of last month's question.
    story.months.clock.now += 20 * DAY_S
    story.months.come("DD")
    *_, progress = story.months.desk.watch(run, 20)
    must(progress.state is State.COMPLETE and progress.count(Asked.ANSWERED) == 2, "DD did not catch up")
    story.keep(run)
    story.months.clock.now += 15 * DAY_S
    story.ask()


def a_witness_away(story: Story) -> None:
    """The independent witness is away: what was charged is answered once it is back, and charged no second time."""
    months = story.months
    before = {code: Decimal(months.stations[code].spent()) for code in CYCLE}
    months.witnesses[1].fault = "lost_request"
    planned = months.planned("unwitnessed", "c3")
    run = months.desk.submit(planned).run
    for progress in months.desk.watch(run, 20):
        if progress.count(Asked.PENDING) == 2:
            break
    must(progress.count(Asked.ANSWERED) == 0, "answered without a witness")
    months.witnesses[1].fault = "none"
    months.clock.now += 600
    *_, progress = months.desk.watch(run, 20)
    must(progress.count(Asked.ANSWERED) == 2, "the witness is back and nobody answered")
    after = {code: Decimal(months.stations[code].spent()) for code in CYCLE}
    must(after == {code: spent + Decimal(RHO) for code, spent in before.items()}, "charged twice")
    story.keep(run)


def the_desk_restarts(story: Story) -> None:
    """The desk is stopped and started: its runs are there, and a programme that is asked again is the same run."""
    months = story.months
    months.stop_desk()
    months.start_desk()
    for run in story.answers:
        story.keep(run)
    story.ask()


def witnesses_restart(story: Story) -> None:
    story.months.reopen_witnesses()
    story.ask()


def an_old_disk(story: Story) -> None:
    """Somebody puts a copy of last month's disk in CC's place: it repeats what it answered, and spends nothing."""
    months = story.months
    copy = months.copy_of("CC", f"copy-{story.asked}-of-CC")
    story.ask()
    old = Station.on(Home(copy), months, "CC")
    right, months.stations["CC"] = months.stations["CC"], old
    new = months.planned(f"after_the_copy_{story.asked}", "c3")
    must(months.says("CC", new) is Reason.BEHIND_WITNESSES, "an old disk spends")
    old.close()
    months.stations["CC"] = right
    story.ask()


def renewals(story: Story) -> None:
    """A year is over. Everybody's certificate is renewed but DD's, which is turned away until it has a new one."""
    months = story.months
    for member in months.country.consortium.members:
        if member.region != "DD":
            months.until[member.tls] = months.clock() + 3 * 365 * DAY_S
    months.renew("CC", 3 * 365)
    months.issue_roster()
    months.leave("CC")
    months.come("CC")
    months.clock.now = TODAY + 366 * DAY_S
    months.nodes.pop("DD").__exit__(None, None, None)
    must(reason_from_wire(months.turned_away("DD")) is Reason.EXPIRED, "an expired node was let in")
    story.ask(missing=("DD",))
    months.renew("DD", 3 * 365)
    months.issue_roster()
    months.come("DD")
    story.ask()


def a_revocation(story: Story) -> None:
    """CC's old key is revoked: who still holds it is nobody; CC with its new one is not touched."""
    months = story.months
    old = next(one for one in months.country.consortium.members if one.region == "CC")
    months.revoked.add(old.tls)
    months.issue_roster()
    story.ask()


def waves(story: Story) -> None:
    """The first wave of cohort 4 is measured in its own regions, which are asked nothing yet."""
    for region, count in (("AA", 60), ("BB", 40), ("FF", 31)):
        story.months.stations[region].deliver("c4", ("T0",), homes(0, count))
    must(story.months.says("AA", story.months.planned("early", "c4")) is Reason.OUTSIDE_WINDOW, "c4 is asked early")
    story.ask()


def the_store_is_put_back(story: Story) -> None:
    """The desk's disk is lost, and a copy of a month ago put back: what is missing is asked again, for nothing."""
    months = story.months
    copy = months.folder / "desk.copy"
    back_up(months.country.desk, copy)
    story.until("2028-02")
    run = story.ask().progress.run
    spent = {code: months.stations[code].spent() for code in CYCLE}
    planned = months.planned(f"month_{story.asked}", "c3")
    lost = story.answers.pop(run)
    months.stop_desk()
    months.close_witnesses()
    restore(months.country.desk, copy, replace=True)
    months.open_witnesses()
    months.start_desk()
    again = months.asked(planned).progress.run
    story.keep(again)
    must(story.answers[again] == lost, "what was answered before the disk was lost is not what came again")
    must({code: months.stations[code].spent() for code in CYCLE} == spent, "charged again")


def second_wave(story: Story) -> None:
    for region, count in (("AA", 60), ("BB", 40)):
        story.months.stations[region].deliver("c4", ("T1",), homes(0, count), "add")
    story.ask()


def merger(story: Story) -> None:
    """2029: BB and DD are MM, which spends nothing before the calendar says what they had spent. Cohort 4 is asked."""
    months = story.months
    months.clock.now = MERGED + 10 * DAY_S
    months.stations["MM"].deliver("c4", ("T0", "T1"), homes(0, 40))
    refused = months.asked(months.planned("before_it_is_known", "c4"))
    must(refused.refused == {"MM": Reason.OVER_LIFETIME_CAP}, "MM spent before anybody knew what was left")
    story.keep(refused.progress.run)
    told = []
    for region in ("BB", "DD"):
        station = months.stations[region]
        cohorts = ", ".join(f'{cohort}: "{station.spent(cohort)}"' for cohort in ("c3", "c4"))
        told.append(f'{region}: {{cohorts: {{{cohorts}}}, lifetime: "{station.spent()}"}}')
    text = rotating_study.text(2).replace(rotating_study.SPENT, f"spent: {{{', '.join(told)}}}")
    months.adopt_calendar(parse_yaml(Calendar, text, "rotation.yaml"))
    months.witness_adopts_calendar()
    try:
        months.desk.submit(months.planned("too_late", "c3"))
    except DeskRefused as error:
        must(error.refused.reason is Reason.OUTSIDE_WINDOW, "cohort 3 is asked after its window")
    else:
        raise Wrong("cohort 3 is asked after its window")
    story.ask("c4")


def ordinary(story: Story) -> None:
    story.ask()


STORY: tuple[tuple[str, Callable[[Story], None]], ...] = (
    ("2026-12", first_month),
    ("2027-01", a_node_away),
    ("2027-02", it_comes_back),
    ("2027-03", a_witness_away),
    ("2027-04", the_desk_restarts),
    ("2027-05", witnesses_restart),
    ("2027-06", an_old_disk),
    ("2027-07", ordinary),
    ("2027-08", the_desk_restarts),
    ("2027-09", ordinary),
    ("2027-10", witnesses_restart),
    ("2027-11", renewals),
    ("2027-12", waves),
    ("2028-01", the_store_is_put_back),
    ("2028-03", a_revocation),
    ("2028-04", ordinary),
    ("2028-05", the_desk_restarts),
    ("2028-06", ordinary),
    ("2028-07", witnesses_restart),
    ("2028-08", ordinary),
    ("2028-09", an_old_disk),
    ("2028-10", ordinary),
    ("2028-11", ordinary),
    ("2028-12", second_wave),
    ("2029-01", merger),
)


EXPECTED = frozenset({"witness.forgot", "calendar.rewritten"})
"""What is remarked upon: AA had another calendar and other witnesses before all this, and the desk's store was put back
from a copy."""


def audited(months: Months, folder: Path) -> str:
    """The auditor's sentence about everybody, AA with what it did before its upgrade among them."""
    found = verify(read_files(months.export(folder)), months.country.consortium.public)
    must(found.sound, found.sentence)
    warnings = {one.code for one in found.findings if one.severity is Severity.WARNING}
    must(warnings == EXPECTED, f"warnings: {sorted(warnings)}")
    return found.sentence


def live(folder: Path, tell: Callable[[str], None]) -> None:
    """The whole story, and the audit at its end. Raises Wrong for whatever does not hold."""
    with Months.lived(folder, TODAY) as months:
        story = Story(months)
        for month, chapter in STORY:
            begun = time.monotonic()
            if month != "2027-02":
                story.until(month)
            chapter(story)
            tell(f"{month}  {chapter.__name__:24}  {story.asked:3} asked  {time.monotonic() - begun:5.1f} s")
        for run in story.answers:
            story.keep(run)
        tell(audited(months, folder / "evidence"))


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="where to leave everything; a temporary one when left out")
    given = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as temporary:
        try:
            live(given.folder or Path(temporary), lambda line: print(line, flush=True))
        except Wrong as error:
            print(f"WRONG: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
