"""Was it this region's turn, in the window, before the deadline, of the data and codebook that the question names?"""

from __future__ import annotations

from collections.abc import Iterator

from audit.findings import Finding, Where, error
from audit.people import SKEW_S
from audit.reprice.asked import Asked
from audit.state import Debit, State
from audit.turn import asked_in, exists
from policies.study.calendar import Calendar

NO_CALENDAR = error(
    "calendar.none",
    "Privacy was spent while no calendar of the consortium was in force, so nobody said whose turn it was.",
    "Ask the region's steward by which calendar this was answered.",
)
COHORT = error(
    "calendar.cohort",
    "What was charged is another cohort than the programme asks about, or one that the calendar does not know.",
    "Ask the region's steward which households this was about.",
)
ROTATION = error(
    "calendar.rotation",
    "The region was not asked in this round: its households were to be left in peace.",
    "Ask the coordinator why the region was ordered to answer, and the region's steward why it did.",
)
NO_REGION = error(
    "calendar.region",
    "Privacy was spent by a region that had ended, or did not exist yet: its households were another region's.",
    "Ask the region's steward why its node answered, and the region that came of it what it was told was spent.",
)
WINDOW = error(
    "calendar.window",
    "It was answered outside the dates in which this cohort may be asked.",
    "Ask the region's steward why, and whether the clock of the node was right.",
)
DEADLINE = error(
    "calendar.deadline",
    "It was answered after the last date that the question itself, or the coordinator's order, allows.",
    "Ask the region's steward why, and whether the clock of the node was right.",
)
SNAPSHOT = error(
    "snapshot.other",
    "It was charged for data that were not in force at that moment.",
    "Ask the region's steward which data were read.",
)
CODEBOOK = error(
    "codebook.other",
    "The data follow another codebook than the question, so bounds and caps of the price do not hold for them.",
    "Ask the region's steward which codebook the data were imported with.",
)
TEST_ONLY = error(
    "test_only.mixed",
    "A question for tests alone was answered by a region that is not: such a question may protect nobody.",
    "Ask the region's steward why it was answered.",
)


def check(state: State, debit: Debit) -> Iterator[Finding]:
    """One debit against calendar, snapshot and codebook in force."""
    yield from _snapshot(state, debit)
    asked, where = debit.asked, state.at(debit.entry)
    if asked is None:
        return
    cohort = debit.entry.text("cohort")
    if asked.cohort != cohort:
        yield COHORT.broken(where, f"The debit is for cohort {cohort}, the programme asks about {asked.cohort[:21]}.")
    yield from _turn(state, where, asked, debit.entry.time)
    yield from _deadlines(state, debit, asked)
    if asked.test_only and debit.policy is not None and not debit.policy.test_only:
        yield TEST_ONLY.broken(where, "The programme is marked `test_only`, the region's policy is not.")


def _turn(state: State, where: Where, asked: Asked, now: int) -> Iterator[Finding]:
    calendar = state.calendar
    if calendar is None:
        yield NO_CALENDAR.broken(where, "No validly signed calendar was adopted before this debit.")
        return
    if state.region not in asked.weights:
        yield ROTATION.broken(where, f"The programme does not name region {state.region}.")
    cohort = calendar.cohorts.get(asked.cohort)
    if cohort is None:
        yield COHORT.broken(where, f"The calendar in force has no cohort {asked.cohort[:21]}.")
        return
    yield from _region(calendar, asked.cohort, state.region, where, now)
    first, last = cohort.windows["release"]
    if not first - SKEW_S <= now <= last + SKEW_S:
        yield WINDOW.broken(where, f"Cohort {asked.cohort} may be asked from {first} to {last}; this was at {now}.")


def _region(calendar: Calendar, cohort: str, region: str, where: Where, now: int) -> Iterator[Finding]:
    """Was it asked in this cohort, and did it exist? Clocks may differ by a little on its first and last day."""
    if region not in calendar.regions:
        yield ROTATION.broken(where, f"The calendar in force has no region {region}.")
        return
    if not asked_in(calendar, cohort, region):
        group = calendar.cohorts[cohort].group
        what = f"Cohort {cohort} asks the regions of group {group}; {region} is not one of them."
        yield ROTATION.broken(where, what)
    if not any(exists(calendar, region, now + skew) for skew in (-SKEW_S, 0, SKEW_S)):
        since, until = calendar.regions[region].since, calendar.regions[region].until
        what = f"Region {region} exists from {since or 'ever'} to {until or 'ever'}; this was at {now}."
        yield NO_REGION.broken(where, what)


def _deadlines(state: State, debit: Debit, asked: Asked) -> Iterator[Finding]:
    where, now = state.at(debit.entry), debit.entry.time
    if now > asked.deadline + SKEW_S:
        yield DEADLINE.broken(where, f"The programme's deadline was {asked.deadline}; this was at {now}.")
    came = state.asked.get((debit.entry.text("programme"), debit.entry.text("run")))
    order = None if came is None else state.evidence.library.order(came.text("order"))
    if order is not None and now > order.deadline + SKEW_S:
        yield DEADLINE.broken(where, f"The deadline of the order was {order.deadline}; this was at {now}.")


def _snapshot(state: State, debit: Debit) -> Iterator[Finding]:
    cohort, where = debit.entry.text("cohort"), state.at(debit.entry)
    held = state.snapshots.get(cohort)
    if held is None or held[0] != debit.entry.text("snapshot"):
        told = "none was" if held is None else f"{held[0][:8]} was"
        what = f"It was charged for snapshot {debit.entry.text('snapshot')[:8]} of {cohort}; {told} in force."
        yield SNAPSHOT.broken(where, what)
        return
    if held[1] not in state.codebooks:
        yield CODEBOOK.broken(where, f"The codebook {held[1][:16]} of the snapshot was not in force.")
    if debit.asked is not None and held[1] != debit.asked.codebook_hash:
        what = f"The snapshot follows codebook {held[1][:16]}, the programme {debit.asked.codebook_hash[:16]}."
        yield CODEBOOK.broken(where, what)
