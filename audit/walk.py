"""Walks through one region's log from its first entry, keeps what is in force, and checks each entry against it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from rondgang.leaves import leaf_hash
from rondgang.merkle import Tree

from audit.checks import answers, approvals, attempts, content, documents, epochs, inheritance, money, prices, study
from audit.checks.entries import readable
from audit.evidence import Evidence
from audit.findings import Finding
from audit.lifetime import TakenOver, amounts
from audit.model import Bundle, LoggedEntry
from audit.state import Closed, Debit, Decision, InForce, State

Step = Callable[[State, LoggedEntry], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class Walked:
    """The log as it ended, its trees by epoch, and what was found on the way."""

    state: State
    trees: Mapping[int, Tree]
    findings: tuple[Finding, ...]


def walk(evidence: Evidence, bundle: Bundle) -> Walked:
    """Goes through every epoch of a region's bundle in order."""
    state = State(evidence, bundle)
    found: list[Finding] = []
    trees = {}
    for epoch, entries in bundle.entries.items():
        _turn_over(state, epoch)
        for entry in entries:
            if readable(entry):
                found.extend(_step(state, entry))
            state.tree.append(bytes.fromhex(leaf_hash(entry.data)))
        trees[epoch] = state.tree
    return Walked(state, trees, tuple(found))


def _turn_over(state: State, epoch: int) -> None:
    """Closes the epoch that was open. Documents and snapshots are logged again in the next; its reset has totals."""
    if state.epoch:
        state.closed[state.epoch] = Closed(state.tree, dict(state.cohorts), state.lifetime, state.policy_hash)
        state.codebooks, state.snapshots, state.debits, state.calendar = {}, {}, {}, None
        state.attempts, state.imported, state.calendar_hash, state.taken = {}, set(), "", TakenOver()
    state.epoch, state.tree = epoch, Tree()


def _step(state: State, entry: LoggedEntry) -> Iterator[Finding]:
    """Checks the entry against all before it, and then counts it in."""
    yield from _CHECKS.get(entry.event, _nothing)(state, entry)
    if (apply := _APPLY.get(entry.event)) is not None:
        apply(state, entry)


def _nothing(_state: State, _entry: LoggedEntry) -> Iterable[Finding]:
    """Entries that promise nothing: a beginning, an import, a refusal."""
    return ()


def _debited(state: State, entry: LoggedEntry) -> Iterator[Finding]:
    asked = state.evidence.library.programme(entry.text("programme"))
    debit = Debit(entry, state.policy, state.people, None if isinstance(asked, str) else asked)
    debit.decision = state.decisions.get(entry.text("programme"))
    yield from documents.programme(state, entry)
    yield from approvals.check(state, debit)
    yield from answers.debited(state, debit)
    yield from study.check(state, debit)
    yield from content.check(state, debit)
    yield from prices.derive(state, debit)
    yield from attempts.check(state, debit)
    yield from inheritance.debited(state, debit)
    yield from money.check(state, debit)
    state.debits[entry.seq] = debit
    state.spends.append(debit)


_CHECKS: Mapping[str, Step] = {
    "reset": epochs.check,
    "adopted": documents.adopted,
    "inherited": inheritance.check,
    "asked": documents.asked,
    "approved": documents.decided,
    "declined": documents.decided,
    "debited": _debited,
    "answered": answers.answered,
    "attempted": answers.attempted,
    "summed": attempts.summed,
    "result": answers.result,
}


def _take_reset(state: State, entry: LoggedEntry) -> None:
    # What the reset says is counted, so that a debit after it is judged by it; too little is a finding of its own.
    state.cohorts, state.lifetime = epochs.totals_of(entry), entry.money("lifetime_total")
    state.said = {**state.cohorts, "": state.lifetime}
    state.taken = TakenOver.began(state.cohorts, state.lifetime)


def _take_adopted(state: State, entry: LoggedEntry) -> None:
    """A document comes into force if it was validly signed; a policy that was not changes nothing that may be spent."""
    kind, hashed = entry.text("kind"), entry.text("hash")
    library = state.evidence.library
    if kind == "policy":
        state.policy_hash = hashed
    if documents.unsigned(state, kind, hashed, entry.time):
        return
    paper, policy = library.paper(kind, hashed), library.policy(hashed)
    if kind == "policy" and paper is not None and policy is not None:
        state.in_force = InForce(entry, paper, policy)
        state.policies.append(state.in_force)
    elif kind == "roster":
        state.roster = library.roster(hashed) or state.roster
    elif kind == "calendar":
        calendar = library.calendar(hashed)
        if calendar is not None:
            state.calendar, state.calendar_hash = calendar, hashed
    elif kind == "codebook" and (codebook := library.codebook(hashed)) is not None:
        state.codebooks[hashed] = codebook


def _take_inherited(state: State, entry: LoggedEntry) -> None:
    """Counts what was not counted before; whether it is what the calendar says is a finding of its own."""
    stated, lifetime = amounts(entry), entry.money("lifetime")
    added, more = state.taken.more(stated, lifetime)
    for name, nano in added.items():
        state.cohorts[name] = state.cohorts.get(name, 0) + nano
        state.said[name] = state.said.get(name, 0) + nano
    state.lifetime += more
    state.said[""] = state.said.get("", 0) + more
    state.taken.take(entry, stated, lifetime)
    if state.imported and (more or any(added.values())):
        state.taken.base, state.taken.base_lifetime = dict(state.cohorts), state.lifetime


def _take_imported(state: State, entry: LoggedEntry) -> None:
    state.imported.add(entry.text("cohort"))
    state.snapshots[entry.text("cohort")] = entry.text("snapshot"), entry.text("codebook")


def _take_asked(state: State, entry: LoggedEntry) -> None:
    state.asked.setdefault((entry.text("programme"), entry.text("run")), entry)
    state.runs.setdefault(entry.text("run"), entry)


def _take_decision(state: State, entry: LoggedEntry) -> None:
    valid = documents.decision_fault(state, entry) is None
    state.decisions[entry.text("programme")] = Decision(entry.event == "approved", entry, valid)


def _take_debited(state: State, entry: LoggedEntry) -> None:
    cohort, charge = entry.text("cohort"), entry.money("charge")
    state.cohorts[cohort] = state.cohorts.get(cohort, 0) + charge
    state.lifetime += charge
    state.said |= {cohort: entry.money("cohort_total"), "": entry.money("lifetime_total")}
    if (attempt := entry.number("attempt")) > 0:
        run = entry.text("programme"), entry.text("run")
        state.attempts[run] = max(attempt, state.attempts.get(run, 0))


def _take_answered(state: State, entry: LoggedEntry) -> None:
    state.answered.setdefault((entry.text("programme"), entry.text("snapshot")), entry)
    debit = state.debits.get(entry.number("debit"))
    if debit is not None and not debit.used:
        debit.answered = entry


def _take_attempted(state: State, entry: LoggedEntry) -> None:
    state.vectors.setdefault((entry.text("programme"), entry.text("run"), entry.number("attempt")), entry)
    debit = state.debits.get(entry.number("debit"))
    if debit is not None and not debit.used:
        debit.attempted = entry


def _take_summed(state: State, entry: LoggedEntry) -> None:
    state.sums.setdefault((entry.text("programme"), entry.text("run")), entry)


_APPLY: Mapping[str, Callable[[State, LoggedEntry], None]] = {
    "reset": _take_reset,
    "adopted": _take_adopted,
    "inherited": _take_inherited,
    "imported": _take_imported,
    "asked": _take_asked,
    "approved": _take_decision,
    "declined": _take_decision,
    "debited": _take_debited,
    "answered": _take_answered,
    "attempted": _take_attempted,
    "summed": _take_summed,
}
