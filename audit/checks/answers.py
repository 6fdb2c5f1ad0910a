"""Was there exactly one debit, known to enough witnesses, before every answer?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rondgang.merkle import Tree
from rondgang.notes import origin

from audit.evidence import Evidence
from audit.findings import Finding, error
from audit.heads import Head
from audit.model import LoggedEntry
from audit.people import live, nodes, witnesses
from audit.policy import Policy
from audit.state import Debit, State
from policies.study.roster import Roster

NO_DEBIT = error(
    "answer.no_debit",
    "Rows were read and an answer was made before anything was charged for it.",
    "Ask the region's steward how an answer could exist before its debit.",
)
OTHER_DEBIT = error(
    "answer.other_debit",
    "The answer names a debit that was for another question or for other data.",
    "Ask the region's steward which debit paid for this answer.",
)
TWICE_PAID = error(
    "answer.second_of_debit",
    "Two answers were made for one debit: the second one was not paid for.",
    "Ask the region's steward, and the coordinator for every answer that it holds of this region.",
)
TWICE_ASKED = error(
    "answer.second_of_programme",
    "The same question was answered twice from the same data, with new noise: together they tell more than one does.",
    "Ask the region's steward, and the coordinator for both answers.",
)
REPEATED = error(
    "debit.repeat",
    "A question was charged that had been answered from the same data already; it should have got the same answer.",
    "Ask the region's steward why it was charged again.",
)
UNWITNESSED = error(
    "witness.missing",
    "Rows were read before enough witnesses knew of the debit, so that it could still have been taken back unseen.",
    "Ask the region's steward why it did not wait, and the witnesses what they saw.",
)
UNSOUND = error(
    "witness.unsound",
    "The rule of that moment let two different histories both get enough witnesses; a node then spends nothing.",
    "Ask the region's steward to change `witnesses` in the policy, or the consortium for another witness.",
)
REVOKED = error(
    "debit.revoked",
    "Privacy was spent by a node that the consortium had revoked, or whose certificate was out of date.",
    "Ask the consortium since when and why, and whoever cosigned or took the answer why they did.",
)
NO_RESULT = error(
    "result.no_answer",
    "The region stored figures of a programme that it never answered.",
    "Ask the coordinator why it sent them, and the region's steward why they were taken.",
)


def debited(state: State, debit: Debit) -> Iterator[Finding]:
    """A debit for something that was not answered yet, by a live node, under a rule of witnesses that holds."""
    entry = debit.entry
    before = None if debit.attempt else state.answered.get((entry.text("programme"), entry.text("snapshot")))
    if before is not None:
        yield REPEATED.broken(state.at(entry), f"It was answered at {before.place}.")
    policy, roster = debit.policy, debit.roster
    if roster is not None and not any(live(member, entry.time) for member in nodes(roster, state.region)):
        yield REVOKED.broken(state.at(entry), f"By the roster in force {state.region} has no live certificate.")
    if policy is not None and roster is not None:
        m, rule = len(witnesses(roster, entry.time)), policy.witnesses
        if not rule.sound(m):
            what = (
                f"The rule is {rule.need} of {m} witnesses with {rule.faulty} that may lie: not 2 x need > m + faulty."
            )
            yield UNSOUND.broken(state.at(entry), what)


def answered(state: State, entry: LoggedEntry) -> Iterator[Finding]:
    """An answer and the debit that it names."""
    where, debit = state.at(entry), state.debits.get(entry.number("debit"))
    key = entry.text("programme"), entry.text("snapshot")
    if debit is None:
        yield NO_DEBIT.broken(where, f"It names entry {entry.number('debit')}, and no debit stands there above it.")
    elif (debit.entry.text("programme"), debit.entry.text("snapshot")) != key:
        yield OTHER_DEBIT.broken(where, f"It names {debit.entry.place}, which is for another programme or snapshot.")
    elif debit.attempt:
        yield OTHER_DEBIT.broken(where, f"It names {debit.entry.place}, which is for attempt {debit.attempt}.")
    elif debit.used:
        yield TWICE_PAID.broken(where, f"The debit at {debit.entry.place} was used before.")
    if (before := state.answered.get(key)) is not None:
        yield TWICE_ASKED.broken(where, f"The same programme was answered from the same snapshot at {before.place}.")
    if debit is not None and not (debit.used or witnessed(state, debit, entry)):
        what = f"Between {debit.entry.place} and this answer no checkpoint has the cosignatures that the policy asks."
        yield UNWITNESSED.broken(where, what)


def attempted(state: State, entry: LoggedEntry) -> Iterator[Finding]:
    """A masked vector that left uses up its debit, as an answer does."""
    debit, where = state.debits.get(entry.number("debit")), state.at(entry)
    if debit is None:
        yield NO_DEBIT.broken(where, f"It names entry {entry.number('debit')}, and no debit stands there above it.")
    elif _paid(debit) != (entry.text("programme"), entry.text("run"), entry.number("attempt")):
        yield OTHER_DEBIT.broken(
            where, f"It names {debit.entry.place}, which is for another programme, run or attempt."
        )
    elif debit.used:
        yield TWICE_PAID.broken(where, f"The debit at {debit.entry.place} was used before.")
    elif not witnessed(state, debit, entry):
        what = f"Between {debit.entry.place} and this attempt no checkpoint has the cosignatures that the policy asks."
        yield UNWITNESSED.broken(where, what)


def _paid(debit: Debit) -> tuple[str, str, int]:
    return debit.entry.text("programme"), debit.entry.text("run"), debit.attempt


def result(state: State, entry: LoggedEntry) -> Iterator[Finding]:
    """Figures that came back belong to something that was answered here."""
    told = {programme for programme, *_ in (*state.answered, *state.vectors)}
    if entry.text("programme") not in told:
        yield NO_RESULT.broken(state.at(entry), "No answer to this programme stands above it, and no attempt.")


def witnessed(state: State, debit: Debit, answer: LoggedEntry) -> bool:
    """Whether a checkpoint that has the debit and not the answer was cosigned as the rule of the moment wants.

    What was in force when the debit was written will do, and what was when the answer was.
    """
    heads = state.evidence.heads.between(origin(state.region, state.epoch), debit.entry.index, answer.index)
    rules = ((debit.policy, debit.roster), (state.policy, state.roster))
    return any(enough(state.evidence, head, *rule) for head in heads if fits(state.tree, head) for rule in rules)


def fits(tree: Tree, head: Head) -> bool:
    """Whether the checkpoint is one of this very log, and the region signed it."""
    return head.signed and head.size <= tree.size and tree.root(head.size) == head.root


def enough(
    evidence: Evidence, head: Head, policy: Policy | None, roster: Roster | None, until: int | None = None
) -> bool:
    """Whether as many live witnesses cosigned as the policy asks, one of them not the coordinator; by `until` if given.

    `until` is in unix seconds.
    """
    if policy is None or roster is None:
        return False
    times = {key: {one for one in when if until is None or one <= until} for key, when in head.times.items()}
    good = good_cosigners(times, roster)
    return len(good) >= policy.witnesses.need and any(not evidence.is_coordinator(key) for key in good)


def good_cosigners(times: Mapping[str, set[int]], roster: Roster) -> Sequence[str]:
    """The keys (hex) of those who were on the roster and live when they cosigned."""
    return [key for key, when in times.items() if any(key in witnesses(roster, moment) for moment in when)]
