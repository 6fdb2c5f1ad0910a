"""What an entry that is not a debit says, in sentences for a person who has never seen a ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from audit.checks.epochs import totals_of
from audit.evidence import Evidence
from audit.exact import nano_down, rho_text
from audit.lifetime import amounts
from audit.model import LoggedEntry
from audit.policy import Sums
from audit.reprice.asked import Asked
from audit.state import State


def told(evidence: Evidence, state: State, entry: LoggedEntry) -> tuple[str, ...]:
    """The entry in sentences."""
    return tuple(_TOLD.get(entry.event, _unknown)(evidence, state, entry))


def _unknown(_evidence: Evidence, _state: State, _entry: LoggedEntry) -> Iterator[str]:
    yield "This is not an entry that a node writes; the findings say so."


def _opened(_evidence: Evidence, _state: State, entry: LoggedEntry) -> Iterator[str]:
    yield f"The ledger of region {entry.text('region')} begins here. Nothing was spent before."


def _reset(_evidence: Evidence, _state: State, entry: LoggedEntry) -> Iterator[str]:
    yield f"The region began epoch {entry.number('epoch')}: it closed the log before it, and charged all its budget."
    yield f"It commits to {entry.number('old_size')} entries of the old log, root {entry.text('old_root')[:16]}."
    for cohort, total in sorted(totals_of(entry).items()):
        yield f"  cohort {cohort} counts as {rho_text(total)} rho spent"
    yield f"  the lifetime counts as {rho_text(entry.money('lifetime_total'))} rho spent"


def _adopted(evidence: Evidence, _state: State, entry: LoggedEntry) -> Iterator[str]:
    kind, hashed = entry.text("kind"), entry.text("hash")
    yield f"From here on this {kind} was in force: {entry.text('name')[:80]}, hash {hashed}."
    signers = evidence.library.signers(kind, hashed)
    yield f"Signed by {', '.join(sorted(_name(evidence, key) for key in signers)) or 'nobody'}."
    policy = evidence.library.policy(hashed) if kind == "policy" else None
    if policy is not None:
        for cohort, cap in sorted(policy.cohorts.items()):
            yield f"  cap of cohort {cohort}: {rho_text(nano_down(cap))} rho"
        yield f"  cap of the lifetime: {rho_text(nano_down(policy.lifetime))} rho"
        yield f"  cohorts that a household may be in: {policy.most_cohorts or 'all'}"
        yield f"  cap of a programme: {rho_text(nano_down(policy.programme))} rho"
        yield f"  the steward approves each programme: {'yes' if policy.steward_approves else 'no'}"
        yield f"  witnesses that must cosign: {policy.witnesses.need}, of whom {policy.witnesses.faulty} may lie"
        yield _sums(policy.sums)


def _sums(rule: Sums | None) -> str:
    if rule is None:
        return "  national sums: not allowed"
    alone = rho_text(nano_down(rule.own_noise))
    return (
        f"  national sums: at most {alone} rho with its own noise alone, {rule.attempts} attempts, and "
        f"{rule.colluders} assumed to collude"
    )


def _name(evidence: Evidence, key: str) -> str:
    """What people call the holder of a key (hex)."""
    if key == evidence.consortium:
        return "the consortium"
    members = (member for roster in evidence.rosters for member in roster.members)
    return next((member.name for member in members if key in member.keys.values()), f"the unknown key {key[:16]}")


def _inherited(_evidence: Evidence, _state: State, entry: LoggedEntry) -> Iterator[str]:
    yield "The region was formed of others; what those had spent counts here from now on, where it is more than before."
    yield f"It goes by calendar {entry.text('calendar')[:16]}."
    for cohort, total in sorted(amounts(entry).items()):
        yield f"  cohort {cohort}: the most that one of them had spent is {rho_text(total)} rho"
    yield f"  over the lifetime: the most that one of them had spent is {rho_text(entry.money('lifetime'))} rho"


def _imported(_evidence: Evidence, _state: State, entry: LoggedEntry) -> Iterator[str]:
    yield f"A snapshot of cohort {entry.text('cohort')} came into force: {entry.text('snapshot')} (a random number)."
    yield f"Its data follow codebook {entry.text('codebook')[:16]}. How many households it holds is written nowhere."


def _asked(evidence: Evidence, _state: State, entry: LoggedEntry) -> Iterator[str]:
    yield f"Programme {entry.text('programme')} was asked in {entry.text('run')}."
    yield f"It came with the coordinator's order {entry.text('order')[:16]}."
    yield f"Signed by {_name(evidence, entry.text('researcher'))}."
    yield from _purpose(evidence, entry)


def _purpose(evidence: Evidence, entry: LoggedEntry) -> Iterator[str]:
    asked = evidence.library.programme(entry.text("programme"))
    if isinstance(asked, Asked):
        yield f"  {asked.id}: {asked.title['en']}; asked by {asked.requester}, for: {asked.purpose}"


def _refused(evidence: Evidence, _state: State, entry: LoggedEntry) -> Iterator[str]:
    programme, run, reason = (entry.text(name)[:40] for name in ("programme", "run", "reason"))
    yield f"Programme {programme} was refused in {run}: {reason}."
    yield "A refusal reads no data and charges nothing."
    yield from _purpose(evidence, entry)


def _decided(evidence: Evidence, _state: State, entry: LoggedEntry) -> Iterator[str]:
    said = "agreed to" if entry.event == "approved" else f"declined ({entry.text('reason')})"
    yield f"The steward {said} programme {entry.text('programme')}."
    yield f"The signed document is {entry.text('approval')}."
    yield from _purpose(evidence, entry)


def _answered(evidence: Evidence, state: State, entry: LoggedEntry) -> Iterator[str]:
    yield f"The answer to programme {entry.text('programme')} was stored."
    yield f"Its bytes have the hash {entry.text('answer')}."
    debit = next((one for one in state.spends if one.answered is entry), None)
    where = debit.entry.place if debit is not None else f"entry {entry.number('debit')}, which is no debit of it"
    yield f"It was paid for by {where}."
    held = [
        f"{bundle.file}, {answer.place}"
        for bundle in evidence.of("coordinator")
        for answer in bundle.answers
        if answer.hash == entry.text("answer") and answer.region == state.region
    ]
    yield f"The coordinator has this answer: {'; '.join(held[:3]) or 'not in the files given'}."


def _attempted(_evidence: Evidence, _state: State, entry: LoggedEntry) -> Iterator[str]:
    yield f"A masked vector left for the debit at entry {entry.number('debit')}, attempt {entry.number('attempt')}."
    yield f"It was masked for the regions of list {entry.text('participants')}."
    yield f"What it was made of is committed to by {entry.text('commitment')}; the region keeps the opening."
    yield "It used that debit up: another attempt needs another debit."


def _summed(evidence: Evidence, state: State, entry: LoggedEntry) -> Iterator[str]:
    yield f"The national sums of {entry.text('run')}, of attempt {entry.number('attempt')}, were stored."
    yield f"The signed document has the hash {entry.text('hash')}."
    found = evidence.library.national_sum(entry.text("hash"))
    if found is None:
        yield "It is not in the files given."
    else:
        yield f"It is of {', '.join(found.regions)[:200]}."
    mine = state.vectors.get((entry.text("programme"), entry.text("run"), entry.number("attempt")))
    where = f"left at {mine.place}" if mine is not None else "is not in it: it did not take part in this attempt"
    yield f"The region's own part {where}. Storing sums costs nothing."


def _result(_evidence: Evidence, _state: State, entry: LoggedEntry) -> Iterator[str]:
    yield f"The figures of {entry.text('run')[:40]} came back from the coordinator and were stored."
    yield f"Their hash is {entry.text('hash')}."
    yield "Figures are made of answers that have left already; storing them costs nothing."


_TOLD: Mapping[str, Callable[[Evidence, State, LoggedEntry], Iterator[str]]] = {
    "opened": _opened,
    "reset": _reset,
    "adopted": _adopted,
    "inherited": _inherited,
    "imported": _imported,
    "asked": _asked,
    "refused": _refused,
    "approved": _decided,
    "declined": _decided,
    "answered": _answered,
    "attempted": _attempted,
    "summed": _summed,
    "result": _result,
}
