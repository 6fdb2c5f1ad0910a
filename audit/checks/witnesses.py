"""Do the checkpoints that everybody holds bear the right names, and did the witnesses keep their own rules?"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise

from audit.checks.heads import FORKED
from audit.evidence import Evidence, HeldNote
from audit.findings import Finding, Where, error, place, record_place, warning
from audit.heads import Head
from audit.model import Bundle, Fork
from audit.people import SKEW_S

UNSIGNED = error(
    "checkpoint.unsigned",
    "The region did not sign this checkpoint, so it says nothing about the region; somebody else made it.",
    "Ask the maker of this file where the checkpoint came from.",
)
GOSSIP = warning(
    "checkpoint.gossip",
    "A checkpoint that was passed on does not carry the signature of the region that it is about.",
    "Ask the region's steward which witness passed it on.",
)
FALSE = error(
    "cosignature.false",
    "A cosignature bears a witness's name and is not theirs: somebody pretended that a witness had seen this.",
    "Ask the witness whether it saw this checkpoint, and the maker of this file where it came from.",
)
FOREIGN = error(
    "checkpoint.foreign",
    "A region's file holds the checkpoint of another region as its own.",
    "Ask the region's steward how it came there.",
)
NOT_OWN = error(
    "checkpoint.not_cosigned",
    "A witness keeps as cosigned what it did not cosign.",
    "Ask the witness how this checkpoint came into its store.",
)
TWICE = error(
    "witness.two_histories",
    "A witness cosigned two different histories of the same size: its word no longer protects anything.",
    "Ask the witness how that could happen; the consortium decides whether it can stay one.",
)
WENT_BACK = error(
    "witness.went_back",
    "A witness cosigned a smaller log after a larger one: it helped to take back what was decided in between.",
    "Ask the witness how that could happen; the consortium decides whether it can stay one.",
)
FORGOT = warning(
    "witness.forgot",
    "A witness does not hold a checkpoint any more that it had cosigned.",
    "Ask the witness whether its store was lost or restored.",
)
PROOF = error(
    "fork.proof",
    "The region signed two different histories, and a witness kept both: one of them hides something.",
    "Ask the region's steward whether two copies of the node ran, or who else holds its key.",
)
KEPT = warning(
    "fork.kept",
    "A witness was shown a checkpoint that it could not follow from the one before, and kept both.",
    "Ask the witness what happened, and the region's steward whether two copies of the node ran.",
)
ACCUSED = error(
    "fork.false",
    "A witness says that a region contradicted itself, and the region did not sign what it shows.",
    "Ask the witness where these checkpoints came from.",
)


def check(evidence: Evidence, walked: Collection[str]) -> Iterator[Finding]:
    """Every checkpoint of every file. `walked` are the regions whose own logs are checked against them elsewhere."""
    for held in evidence.notes:
        yield from _note(held)
    for bundle in evidence.bundles:
        if not bundle.region:
            yield from _forgotten(evidence, bundle)
        for fork in bundle.forks:
            yield from _fork(evidence, bundle, fork)
    for heads in evidence.heads.by_origin.values():
        signed = [head for head in heads if head.signed]
        yield from _witnesses(evidence, signed)
        if signed and signed[0].checkpoint.region not in walked:
            yield from _forked(signed)


def _note(held: HeldNote) -> Iterator[Finding]:
    of = f"{held.checkpoint.size} entries of {held.checkpoint.origin} ({held.record})"
    if not held.examined.signed:
        yield (GOSSIP if held.gossip else UNSIGNED).broken(
            held.where, f"The checkpoint of {of} has no signature of it."
        )
    for name in held.examined.false:
        yield FALSE.broken(held.where, f"On the checkpoint of {of} the line of {name} does not hold.")
    if held.gossip:
        return
    if held.bundle.region and held.bundle.region != held.checkpoint.region:
        yield FOREIGN.broken(held.where, f"The checkpoint is of {of}.")
    if not held.bundle.region and held.bundle.sealed_by not in dict(held.examined.times):
        yield NOT_OWN.broken(held.where, f"The checkpoint of {of} has no cosignature of {held.bundle.name}.")


def _forgotten(evidence: Evidence, bundle: Bundle) -> Iterator[Finding]:
    """What the maker of a file cosigned before it made the file, and does not show."""
    for heads in evidence.heads.by_origin.values():
        gone = [
            head
            for head in heads
            if head.signed
            and min(head.times.get(bundle.sealed_by, ()), default=bundle.made) < bundle.made - SKEW_S
            and all(sighting.file != bundle.file for sighting in head.sightings)
        ]
        if gone:
            what = f"It cosigned {gone[-1].size} entries of {gone[-1].checkpoint.origin} and does not show that"
            more = f", nor {len(gone) - 1} more" if len(gone) > 1 else ""
            where = Where(bundle.file, gone[-1].checkpoint.region, record_place(0, 0))
            yield FORGOT.broken(where, f"{what}{more}.")


def _witnesses(evidence: Evidence, heads: Sequence[Head]) -> Iterator[Finding]:
    """Each witness by itself: never two roots of one size, never a smaller size after a larger one."""
    before: dict[str, Head] = {}
    newest: dict[str, tuple[int, Head]] = {}
    for head in heads:
        for key in head.times:
            last = before.get(key)
            if last is not None and last.size == head.size:
                what = (
                    f"{evidence.cosigner(key)} cosigned two roots of {head.size} entries of {head.checkpoint.origin}."
                )
                yield TWICE.broken(_at(head, head.size - 1), what)
            before[key] = head
    for head in reversed(heads):
        for key, times in head.times.items():
            first, larger = newest.get(key, (max(times), head))
            if larger.size > head.size and max(times) > first + SKEW_S:
                what = f"{evidence.cosigner(key)} cosigned {head.size} entries {max(times) - first} seconds after it"
                yield WENT_BACK.broken(_at(head, head.size), f"{what} had cosigned {larger.size}.")
            newest[key] = min((first, larger), (min(times), head), key=lambda one: one[0])


def _at(head: Head, seq: int) -> Where:
    checkpoint = head.checkpoint
    return Where(head.sightings[0].file, checkpoint.region, place(checkpoint.region, checkpoint.epoch, max(0, seq)))


def _forked(heads: Sequence[Head]) -> Iterator[Finding]:
    """Two roots of one size, of a region whose own log is not in the evidence."""
    for before, head in pairwise(heads):
        if before.size == head.size:
            what = f"Two checkpoints of {head.size} entries of {head.checkpoint.origin} have different roots."
            yield FORKED.broken(_at(head, head.size - 1), what)
            return


def _fork(evidence: Evidence, bundle: Bundle, fork: Fork) -> Iterator[Finding]:
    where = Where(bundle.file, fork.region, fork.place)
    held, offered = fork.held.checkpoint, fork.offered.checkpoint
    signed = all(evidence.examiner.examine(note, note.checkpoint).signed for note in (fork.held, fork.offered))
    if not signed or {held.region, offered.region} != {fork.region}:
        yield ACCUSED.broken(where, f"One of the two checkpoints of {fork.region} has no signature of it.")
        return
    what = f"It held {held.size} entries of {held.origin} and was shown {offered.size} of {offered.origin}"
    contradiction = (held.origin, held.size) == (offered.origin, offered.size) and held.root != offered.root
    yield (PROOF if contradiction else KEPT).broken(where, f"{what} ({fork.why}).")
