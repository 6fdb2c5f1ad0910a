"""Does what the coordinator holds agree with what the regions logged: every answer, every order, every run?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from rondgang.notes import origin

from audit.checks.answers import enough, fits
from audit.checks.documents import TWO_PROGRAMMES
from audit.checks.heads import STALE
from audit.evidence import Evidence
from audit.findings import Finding, Where, error, note, warning
from audit.library import valid_signers
from audit.model import Bundle, GivenAnswer, LoggedEntry
from audit.people import SKEW_S, nodes, unfit
from audit.reprice.asked import Asked
from audit.state import Debit
from audit.walk import Walked

UNSIGNED = error(
    "given.unsigned",
    "The coordinator holds an answer that the region did not sign.",
    "Ask the coordinator where this answer came from.",
)
OTHER = error(
    "given.other",
    "An answer is not what it is kept as: it is of another region, programme or snapshot, or holds other numbers.",
    "Ask the region's steward and the coordinator how this answer was made.",
)
UNLOGGED = error(
    "given.unlogged",
    "An answer left the region that its log does not know: privacy was spent that nobody wrote down.",
    "Ask the region's steward for the ledger of that day, and the witnesses what they saw.",
)
LOST = note(
    "given.lost",
    "The coordinator holds an answer from a part of the log that the region lost; all was charged when it began anew.",
    "Ask the region's steward whether the old ledger file can still be found.",
)
TOO_EARLY = error(
    "given.unwitnessed",
    "An answer left the region before enough witnesses knew of it: another answer could have been made in its place.",
    "Ask the region's steward why it was sent, and the coordinator when it came.",
)
BEFORE = error(
    "given.before",
    "The coordinator had an answer before the region made it, by the times that both give.",
    "Ask the region's steward and the coordinator about their clocks.",
)
NO_ORDER = warning(
    "given.no_order",
    "The coordinator shows an answer in a run for which it shows no order.",
    "Ask the coordinator for the order of this run.",
)
NOT_THERE = note(
    "given.missing",
    "The region has answers in its log that the coordinator does not show; they were late, or were never sent.",
    "Ask the coordinator whether it has them.",
)
NOT_COMPARED = note(
    "given.not_compared",
    "Without the region's own evidence nobody can say whether these answers were charged.",
    "Ask the region's steward for its evidence.",
)
OFF_ROTATION = error(
    "given.rotation",
    "A region answered that the programme does not ask: its households were to be left in peace.",
    "Ask the coordinator why it was ordered, and the region's steward why it was answered.",
)


def check(evidence: Evidence, walked: Mapping[str, Walked]) -> Iterator[Finding]:
    """Every coordinator's file against every region's log."""
    yield from _runs(evidence, walked)
    logs = {region: _Log.of(one) for region, one in walked.items()}
    for bundle in evidence.of("coordinator"):
        seen: set[tuple[str, str]] = set()
        for answer in bundle.answers:
            yield from _answer(evidence, bundle, answer, logs.get(answer.region))
            if answer.region in logs and (answer.region, answer.hash) not in seen:
                yield from _logged(evidence, bundle, answer, logs[answer.region])
            seen.add((answer.region, answer.hash))
        yield from _missing(bundle, logs, seen)
        for region in sorted({answer.region for answer in bundle.answers} - set(logs)):
            count = sum(answer.region == region for answer in bundle.answers)
            yield NOT_COMPARED.broken(Where(bundle.file, region), f"It holds {count} answers of region {region}.")


@dataclass(frozen=True, slots=True)
class _Log:
    """What one region's log says of answers. `lost`: a part of it is not in the evidence, charged by a reset."""

    walked: Walked
    by_hash: Mapping[str, LoggedEntry]
    by_answer: Mapping[str, Debit]
    by_programme: Mapping[str, Sequence[Debit]]
    lost: bool

    @classmethod
    def of(cls, walked: Walked) -> _Log:
        bundle = walked.state.bundle
        entries = [one for epoch in bundle.entries.values() for one in epoch if one.event == "answered"]
        debits = {debit.answered.place: debit for debit in walked.state.spends if debit.answered is not None}
        asked: dict[str, list[Debit]] = {}
        for debit in walked.state.spends:
            asked.setdefault(debit.entry.text("programme"), []).append(debit)
        resets = [epoch[0] for epoch in bundle.entries.values() if epoch and epoch[0].event == "reset"]
        lost = any(len(bundle.entries.get(one.epoch - 1, ())) < one.number("old_size") for one in resets)
        return cls(walked, {one.text("answer"): one for one in entries}, debits, asked, lost)

    @property
    def file(self) -> str:
        return self.walked.state.bundle.file


def _answer(evidence: Evidence, bundle: Bundle, answer: GivenAnswer, log: _Log | None) -> Iterator[Finding]:
    """One answer by itself: signed by its region, and the answer to its programme."""
    where, body = Where(bundle.file, answer.region, answer.place), answer.paper.body
    logged = None if log is None else log.by_hash.get(answer.hash)
    signers = frozenset(valid_signers(answer.paper))
    members = [one for roster in evidence.rosters for one in nodes(roster, answer.region)]
    if why := unfit(signers, members, "checkpoint", answer.received):
        yield UNSIGNED.broken(where, f"The answer of {answer.region} in {answer.run} is there, but {why}.")
    programme = body.get("programme")
    asked = evidence.library.programme(programme) if isinstance(programme, str) else None
    if body.get("region") != answer.region or not isinstance(asked, Asked):
        yield OTHER.broken(where, f"It is kept as {answer.region}'s; it names another region, or an unknown programme.")
        return
    if answer.region not in asked.weights:
        yield OFF_ROTATION.broken(where, f"Programme {asked.id[:63]} does not name region {answer.region}.")
    if body.get("cohort") != asked.cohort or not _has_shape(body.get("blocks"), asked):
        # What the region itself logged so, it made so.
        made = where if log is None or logged is None else Where(log.file, answer.region, logged.place)
        what = f"The answer in {bundle.file}, {answer.place}, does not have the cohort or the blocks of its programme."
        yield OTHER.broken(made, what)


def _has_shape(blocks: object, asked: Asked) -> bool:
    """Whether these are exactly the blocks that the programme asks regionally, each with 8 bytes a cell in base64."""
    if not isinstance(blocks, list):
        return False
    found = []
    for block in blocks:
        match block:
            case {"id": str(name), "values": str(values), **rest} if not rest:
                padding = len(values) - len(values.rstrip("="))
                # Base64 writes three bytes in four characters.
                found.append((name, Fraction(len(values) * 3, 4) - padding))
            case _:
                return False
    return found == [(block.id, Fraction(8 * block.cells)) for block in asked.of("regional")]


def _logged(evidence: Evidence, bundle: Bundle, answer: GivenAnswer, log: _Log) -> Iterator[Finding]:
    """One answer against its region's log: there, and below a checkpoint that enough witnesses had cosigned."""
    entry = log.by_hash.get(answer.hash)
    if entry is None:
        yield from _unlogged(bundle, answer, log)
        return
    where, body = Where(log.file, answer.region, entry.place), answer.paper.body
    if (entry.text("programme"), entry.text("snapshot")) != (body.get("programme"), body.get("snapshot")):
        yield OTHER.broken(where, f"The answer in {bundle.file}, {answer.place}, is for another programme or snapshot.")
    if answer.received < entry.time - SKEW_S:
        what = f"The coordinator had it {entry.time - answer.received} seconds before the entry."
        yield BEFORE.broken(where, what)
    debit = log.by_answer.get(entry.place)
    state = log.walked.state
    rules = ((state.policy, state.people), *(((debit.policy, debit.roster),) if debit is not None else ()))
    tree = log.walked.trees[entry.epoch]
    heads = evidence.heads.after(origin(answer.region, entry.epoch), entry.index)
    until = answer.received + SKEW_S
    fitting = (head for head in heads if fits(tree, head))
    if not any(enough(evidence, head, policy, roster, until) for head in fitting for policy, roster in rules):
        what = f"It was there ({bundle.file}, {answer.place}) before enough witnesses cosigned this entry."
        yield TOO_EARLY.broken(where, what)


def _unlogged(bundle: Bundle, answer: GivenAnswer, log: _Log) -> Iterator[Finding]:
    """An answer that the log does not have, at the entry where the log says otherwise."""
    state, body = log.walked.state, answer.paper.body
    programme, snapshot = str(body.get("programme")), str(body.get("snapshot"))
    held = f"{bundle.file}, {answer.place}, holds an answer of {answer.region} to programme {programme[:16]}"
    same = log.by_programme.get(programme, ())
    near = next((one for one in same if one.entry.text("snapshot") == snapshot), None)
    other = state.answered.get((programme, snapshot))
    if log.lost and other is None:
        yield LOST.broken(Where(bundle.file, answer.region, answer.place), f"{held}.")
    elif answer.received > state.bundle.made:
        yield STALE.broken(Where(log.file, answer.region), f"{held} that came after this file was made.")
    elif other is not None:
        yield UNLOGGED.broken(Where(log.file, answer.region, other.place), f"{held} that is not the one logged here.")
    elif near is not None:
        where = Where(log.file, answer.region, near.entry.place)
        yield UNLOGGED.broken(where, f"{held}; the log has this debit for it and no answer.")
    else:
        where = Where(bundle.file, answer.region, answer.place)
        yield UNLOGGED.broken(where, f"{held}; the log of {answer.region} has no debit for it.")


def _missing(bundle: Bundle, logs: Mapping[str, _Log], seen: set[tuple[str, str]]) -> Iterator[Finding]:
    for region, log in sorted(logs.items()):
        gone = [one for hashed, one in log.by_hash.items() if (region, hashed) not in seen]
        if gone:
            what = f"{bundle.file} does not have the answer of this entry"
            more = f", nor of {len(gone) - 1} more" if len(gone) > 1 else ""
            yield NOT_THERE.broken(Where(log.file, region, gone[0].place), f"{what}{more}.")


def _runs(evidence: Evidence, walked: Mapping[str, Walked]) -> Iterator[Finding]:
    """One run, one programme: over all orders, all regions, and all answers."""
    ordered: dict[str, tuple[str, str]] = {}
    for bundle in evidence.of("coordinator"):
        for paper in bundle.papers.values():
            order = evidence.library.order(paper.hash) if paper.kind == "order" else None
            if order is not None:
                here = f"{bundle.file}, {paper.place}"
                before, where = ordered.setdefault(order.run, (order.programme, here))
                if before != order.programme:
                    what = f"{order.run} is for programme {order.programme[:16]}, and for {before[:16]} at {where}."
                    yield TWO_PROGRAMMES.broken(Where(bundle.file, "", paper.place), what)
        for answer in bundle.answers:
            yield from _ordered(bundle, answer, ordered)
    asked: dict[str, LoggedEntry] = {}
    for region, one in sorted(walked.items()):
        for (programme, run), entry in one.state.asked.items():
            first = asked.setdefault(run, entry)
            if first.region != region and first.text("programme") != programme:
                what = f"In {run} {region} was asked this programme, and {first.region} another at {first.place}."
                yield TWO_PROGRAMMES.broken(Where(one.state.bundle.file, region, entry.place), what)


def _ordered(bundle: Bundle, answer: GivenAnswer, ordered: Mapping[str, tuple[str, str]]) -> Iterator[Finding]:
    where, programme = Where(bundle.file, answer.region, answer.place), answer.paper.body.get("programme")
    if answer.run not in ordered:
        yield NO_ORDER.broken(where, f"No order of {answer.run} is in the file.")
    elif ordered[answer.run][0] != programme:
        what = f"{answer.run} was for programme {ordered[answer.run][0][:16]}; this answers {str(programme)[:16]}."
        yield TWO_PROGRAMMES.broken(where, what)
