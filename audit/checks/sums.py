"""Do the national sums that the coordinator holds agree with the programmes, and with what the regions logged?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rondgang.notes import origin

from audit.checks.heads import STALE
from audit.evidence import Evidence
from audit.findings import Finding, Where, error, note
from audit.model import Bundle, LoggedEntry, Paper
from audit.people import desks
from audit.reprice.asked import Asked
from audit.rounds import FIXED, NationalSum, Round
from audit.walk import Walked

UNSIGNED = error(
    "sum.unsigned",
    "The coordinator did not sign what it says to be a national sum, or a list on which one rests.",
    "Ask the coordinator where this document came from.",
)
OTHER = error(
    "sum.other",
    "What is kept as a national sum is not what its programme asks: other figures, or of other or too few regions.",
    "Ask the coordinator how this sum was made.",
)
TAKEN_BACK = error(
    "sum.taken_back",
    "A region took more of its noise back than may be spared: what is left hides less than was paid for.",
    "Ask the coordinator, and the steward of that region, how this sum was made.",
)
TWO = error(
    "sum.two",
    "The coordinator holds two sums of one run: together they tell more than the one that was paid for.",
    "Ask the coordinator how both were made, and every region which one it was sent.",
)
TWO_LISTS = error(
    "sum.two_lists",
    "The coordinator fixed two lists where there is one: with both it may learn what one region alone added.",
    "Ask the coordinator why, and the regions which list they were shown.",
)
ROUNDS = error(
    "sum.rounds",
    "The sum is not of the regions that the coordinator named in its rounds, so something else came of them.",
    "Ask the coordinator for all documents of this attempt.",
)
NO_VECTOR = error(
    "sum.no_attempt",
    "A region is named as part of a national sum, and by its log nothing of it left: either its log hides a charge, or "
    "the sum is not what it says.",
    "Ask the region's steward for the ledger of that day, and the coordinator for the documents of the attempt.",
)
DIFFERS = error(
    "sum.differs",
    "Two parties hold different sums of one run: at least one of them was given something else than what came of it.",
    "Ask the coordinator which sum it signed and sent, and the region's steward which one it was given.",
)
OTHER_LIST = error(
    "attempt.other_list",
    "The region masked its vector for another list of regions than the coordinator fixed in that attempt.",
    "Ask the region's steward and the coordinator which list was shown.",
)
NO_PAPERS = note(
    "sum.papers",
    "The coordinator does not show all lists on which a national sum rests, so who took part cannot be followed.",
    "Ask the coordinator for all documents of this attempt.",
)
NOT_IN = note(
    "sum.not_in",
    "The region was charged for an attempt and is not in its sum: its vector came too late, or not at all.",
    "Ask the coordinator when the vector came.",
)
NOT_SHOWN = note(
    "sum.missing",
    "The region stored national sums that the coordinator does not show.",
    "Ask the coordinator whether it has them.",
)
NOT_COMPARED = note(
    "sum.not_compared",
    "Without the region's own evidence nobody can say whether its part in a national sum was charged.",
    "Ask the region's steward for its evidence.",
)


@dataclass(frozen=True, slots=True)
class _Held:
    """A national sum in the file of a coordinator."""

    bundle: Bundle
    paper: Paper
    sum: NationalSum

    @property
    def where(self) -> Where:
        return Where(self.bundle.file, "", self.paper.place)

    @property
    def run(self) -> tuple[str, str]:
        return self.sum.programme, self.sum.run


def check(evidence: Evidence, walked: Mapping[str, Walked]) -> Iterator[Finding]:
    """Every national sum and every list of every coordinator's file, against each other and every region's log."""
    held: list[_Held] = []
    for bundle in evidence.of("coordinator"):
        yield from _lists(evidence, bundle)
        for paper in bundle.papers.values():
            if paper.kind == "national_sum":
                found = evidence.library.national_sum(paper.hash)
                if found is None:
                    yield OTHER.broken(Where(bundle.file, "", paper.place), "It cannot be read as a national sum.")
                else:
                    held.append(_Held(bundle, paper, found))
    for one in held:
        yield from _whole(evidence, one)
        yield from _rounds(evidence, one)
        yield from _survivors(evidence, one, walked)
    yield from _one_of_a_run(held, walked, shown=bool(evidence.of("coordinator")))
    for log in walked.values():
        yield from _other_lists(evidence, log)


def by_coordinator(evidence: Evidence, paper: Paper) -> bool:
    """Whether somebody signed it who was ever the coordinator, by a roster of the consortium."""
    keys = {member.keys.get("signing") for roster in evidence.rosters for member in desks(roster)}
    return bool(keys & evidence.library.signers(paper.kind, paper.hash))


def _lists(evidence: Evidence, bundle: Bundle) -> Iterator[Finding]:
    """Every list that was fixed: signed, and the only one of its round."""
    seen: dict[tuple[str, ...], Paper] = {}
    for paper in bundle.papers.values():
        if paper.kind not in (*FIXED, "national_sum"):
            continue
        where = Where(bundle.file, "", paper.place)
        if not by_coordinator(evidence, paper):
            yield UNSIGNED.broken(where, f"No coordinator of any roster has signed this {paper.kind}.")
        fixed = evidence.library.round(paper.kind, paper.hash) if paper.kind in FIXED else None
        if fixed is None:
            continue
        before = seen.setdefault((fixed.kind, *fixed.after), paper)
        if before is not paper:
            yield TWO_LISTS.broken(where, f"It lists {fixed.kind} of a round of which {before.place} lists others.")


def _whole(evidence: Evidence, held: _Held) -> Iterator[Finding]:
    """One sum by itself: the shape of its programme, enough regions, and no more noise taken back than is spare."""
    found, asked = held.sum, evidence.library.programme(held.sum.programme)
    if not isinstance(asked, Asked) or (group := asked.group) is None:
        yield OTHER.broken(held.where, "Its programme is not in the evidence, or asks no national sums.")
        return
    shape = tuple((block.id, block.cells) for block in asked.of("national"))
    attempts = 0 if asked.secure is None else asked.secure.attempts
    if found.blocks != shape or found.cohort != asked.cohort or not 1 <= found.attempt <= attempts:
        yield OTHER.broken(held.where, "It does not have the cohort, an attempt or the blocks of its programme.")
    survivors = set(found.regions)
    if not survivors <= set(asked.weights) or len(survivors) < group.fewest:
        what = f"It is of {len(survivors)} regions; its programme asks {group.regions}, and at least {group.fewest}."
        yield OTHER.broken(held.where, what)
    spare = max(0, group.spare(len(survivors)))
    if set(found.taken_back) != survivors or any(not 0 <= parts <= spare for parts in found.taken_back.values()):
        most = max(found.taken_back.values(), default=0)
        what = f"Up to {most} parts of noise were taken back; with {len(survivors)} survivors each may take {spare}."
        yield TAKEN_BACK.broken(held.where, what)


def _rounds(evidence: Evidence, held: _Held) -> Iterator[Finding]:
    """The lists behind a sum, from its survivors back to its participants."""
    found, regions = held.sum, set(held.sum.regions)
    after: tuple[str, ...] = (found.survivors,)
    for kind in reversed(FIXED):
        fixed = evidence.library.round(kind, after[0])
        if fixed is None:
            yield NO_PAPERS.broken(held.where, f"The {kind} {after[0][:16]} are not in the evidence.")
            return
        if not regions <= set(fixed.regions) or (kind == "survivors" and regions != set(fixed.regions)):
            yield ROUNDS.broken(held.where, f"It names regions that are not among its {kind}.")
        after, regions = fixed.after, set(fixed.regions)
    if after != (found.run, found.programme, str(found.attempt)):
        yield ROUNDS.broken(held.where, "Its participants were named for another run, programme or attempt.")


def _survivors(evidence: Evidence, held: _Held, walked: Mapping[str, Walked]) -> Iterator[Finding]:
    """Who is in the sum must have logged it; who logged it and is not in it lost a charge."""
    found = held.sum
    for region in found.regions:
        log = walked.get(region)
        if log is None:
            yield NOT_COMPARED.broken(Where(held.where.bundle, region, held.where.entry), f"{region} is in the sum.")
        elif (*held.run, found.attempt) not in log.state.vectors:
            yield from _no_vector(evidence, held, region, log)
    for region, log in walked.items():
        entry = log.state.vectors.get((*held.run, found.attempt))
        if entry is not None and region not in found.regions:
            what = f"The sum of attempt {found.attempt} ({held.bundle.file}, {held.paper.place}) is without {region}."
            yield NOT_IN.broken(log.state.at(entry), what)


def _no_vector(evidence: Evidence, held: _Held, region: str, log: Walked) -> Iterator[Finding]:
    state = log.state
    file, of = state.bundle.file, f"{held.bundle.file}, {held.paper.place}"
    what = f"The sum names {region} in attempt {held.sum.attempt}; the log in {file} has no `attempted` entry for it."
    if _goes_on(evidence, log):
        told = f"{region} is in a national sum ({of}) that this file does not have; the log went on since."
        yield STALE.broken(Where(file, region), told)
    elif _lost(state.bundle):
        yield NOT_COMPARED.broken(
            Where(file, region), f"{region} is in a sum ({of}) from a part of its log that is lost."
        )
    else:
        yield NO_VECTOR.broken(held.where, what)


def _goes_on(evidence: Evidence, log: Walked) -> bool:
    """Whether somebody holds a checkpoint of more entries than the file has."""
    epoch = max(log.trees, default=1)
    heads = evidence.heads.of(origin(log.state.region, epoch))
    size = log.trees[epoch].size if epoch in log.trees else 0
    return any(head.signed and head.size > size for head in heads)


def _lost(bundle: Bundle) -> bool:
    """Whether a part of the log before a reset is not in the file; it was charged by the reset."""
    resets = [epoch[0] for epoch in bundle.entries.values() if epoch and epoch[0].event == "reset"]
    return any(len(bundle.entries.get(one.epoch - 1, ())) < one.number("old_size") for one in resets)


def _one_of_a_run(held: list[_Held], walked: Mapping[str, Walked], *, shown: bool) -> Iterator[Finding]:
    """One run, one sum: with the coordinators, and in all logs."""
    first: dict[tuple[str, str], tuple[str, str]] = {}
    for one in held:
        at = f"{one.bundle.file}, {one.paper.place}"
        hashed, where = first.setdefault(one.run, (one.paper.hash, at))
        if hashed != one.paper.hash:
            yield TWO.broken(one.where, f"{one.sum.run} has this sum, and another at {where}.")
    known = {(one.run, one.paper.hash) for one in held}
    for log in walked.values():
        for run, entry in log.state.sums.items():
            yield from _kept(log, run, entry, first, known, shown=shown)


def _kept(
    log: Walked,
    run: tuple[str, str],
    entry: LoggedEntry,
    first: dict[tuple[str, str], tuple[str, str]],
    known: set[tuple[tuple[str, str], str]],
    *,
    shown: bool,
) -> Iterator[Finding]:
    hashed, where = entry.text("hash"), log.state.at(entry)
    if shown and run not in first:
        yield NOT_SHOWN.broken(where, f"No coordinator's file has a sum of {run[1]}.")
    before, at = first.setdefault(run, (hashed, entry.place))
    if before != hashed and (run, hashed) not in known:
        yield DIFFERS.broken(where, f"It stored sum {hashed[:16]} of {run[1]}; {at} has {before[:16]}.")


def _other_lists(evidence: Evidence, log: Walked) -> Iterator[Finding]:
    """Every vector that left was masked for a list that names the region, in that very attempt."""
    for (programme, run, attempt), entry in log.state.vectors.items():
        fixed = evidence.library.round("participants", entry.text("participants"))
        if fixed is None:
            others = _participants(evidence, (run, programme, str(attempt)))
            if others:
                listed = entry.text("participants")[:16]
                what = f"It names list {listed}; the coordinator fixed another in attempt {attempt}."
                yield OTHER_LIST.broken(log.state.at(entry), what)
        elif fixed.after != (run, programme, str(attempt)) or log.state.region not in fixed.regions:
            what = f"Its list is of another run or attempt, or does not name {log.state.region}."
            yield OTHER_LIST.broken(log.state.at(entry), what)


def _participants(evidence: Evidence, attempt: tuple[str, ...]) -> list[Round]:
    """The lists of participants that anybody shows of an attempt."""
    found = (evidence.library.round("participants", hashed) for hashed in evidence.library.hashes("participants"))
    return [one for one in found if one is not None and one.after == attempt]
