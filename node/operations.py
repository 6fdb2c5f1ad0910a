"""What may be done to a node from outside its service: the same function, wherever it runs.

With a node serving, the request goes over its control channel to the one writer; with none, the caller takes the lock
and runs the function itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from rondgang.signed import Signed, sign

from node.approving import Heard, NotFound, Proposal, Unheard, Waiting, hear, proposal, waiting
from node.control import ask
from node.doctor.papers import Facts
from node.doctor.papers import facts as facts_of
from node.errors import HomeBusy, NodeError, Unreachable
from node.feedback import AllReturned, OneReturned, all_returned, one_returned
from node.guaranteeing import Guaranteed, guaranteed
from node.history import History, NoEntry, OneEntry
from node.history import history as history_of
from node.history import one_entry as entry_of
from node.home import Home
from node.lock import exclusive
from node.papers import Papers
from node.papers import papers as papers_of
from node.pausing import Pause, pause, resume
from node.region import InForce, Region
from node.reviewing import Reviewed, Unreadable, review
from node.status import Status, status_of
from node.terms import Terms, terms_of
from policies.documents import to_canonical
from policies.rules.policy_check import for_region
from policies.rules.region_policy import RegionPolicy
from policies.study.adoption import NotAdopted


class Done(BaseModel):
    """It was done, and is on disk. `new` is False where it was so already."""

    model_config = ConfigDict(frozen=True)
    kind: str
    name: str
    hash: str
    new: bool


class Declined(BaseModel):
    """It was not done; the sentence says why and what to do."""

    model_config = ConfigDict(frozen=True)
    sentence: str


class Held(BaseModel):
    """The snapshot in force of one cohort."""

    model_config = ConfigDict(frozen=True)
    cohort: str
    snapshot: str


class Snapshots(BaseModel):
    """The snapshots in force, by cohort."""

    model_config = ConfigDict(frozen=True)
    held: tuple[Held, ...]


class Woken(BaseModel):
    """Whether there was a pause to end."""

    model_config = ConfigDict(frozen=True)
    ended: bool


class Stewards(BaseModel):
    """The public keys (hex) that may sign for the region now."""

    model_config = ConfigDict(frozen=True)
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Arguments:
    """Text by name; a missing one is a fault of the caller."""

    texts: Mapping[str, str]

    def of(self, *names: str) -> tuple[str, ...]:
        return tuple(self.texts[name] for name in names)


_PATIENCE_S = 10.0
_RETRY_S = 0.1

T = TypeVar("T")
_STATUS: TypeAdapter[Status] = TypeAdapter(Status)
_CHANGED: TypeAdapter[Done | Declined] = TypeAdapter(Done | Declined)
_ALL: TypeAdapter[AllReturned] = TypeAdapter(AllReturned)
_ONE: TypeAdapter[OneReturned | Declined] = TypeAdapter(OneReturned | Declined)
_GUARANTEED: TypeAdapter[Guaranteed] = TypeAdapter(Guaranteed)
_WAITING: TypeAdapter[Waiting] = TypeAdapter(Waiting)
_PROPOSAL: TypeAdapter[Proposal | NotFound] = TypeAdapter(Proposal | NotFound)
_PAPERS: TypeAdapter[Papers | NotFound] = TypeAdapter(Papers | NotFound)
_TERMS: TypeAdapter[Terms] = TypeAdapter(Terms)
_HEARD: TypeAdapter[Heard | Unheard] = TypeAdapter(Heard | Unheard)
_HISTORY: TypeAdapter[History] = TypeAdapter(History)
_ENTRY: TypeAdapter[OneEntry | NoEntry] = TypeAdapter(OneEntry | NoEntry)
_FACTS: TypeAdapter[Facts] = TypeAdapter(Facts)
_PAUSED: TypeAdapter[Pause] = TypeAdapter(Pause)
_SNAPSHOTS: TypeAdapter[Snapshots] = TypeAdapter(Snapshots)
_WOKEN: TypeAdapter[Woken] = TypeAdapter(Woken)
_STEWARDS: TypeAdapter[Stewards] = TypeAdapter(Stewards)
_REVIEWED: TypeAdapter[Reviewed | Unreadable] = TypeAdapter(Reviewed | Unreadable)


def _recorded(region: Region, given: Arguments) -> Done | Declined:
    snapshot, cohort, codebook = given.of("snapshot", "cohort", "codebook")
    most = given.texts.get("most")
    limit = None if most is None else int(most)
    outcome = region.record_import(snapshot, cohort, codebook, given.texts.get("base"), limit)
    if isinstance(outcome, NotAdopted):
        return Declined(sentence=outcome.sentence)
    return Done(kind="snapshot", name=outcome.cohort, hash=outcome.snapshot, new=True)


_OPERATIONS: Mapping[str, Callable[[Region, Arguments], BaseModel]] = {
    "status": lambda region, _given: status_of(region),
    "adopt": lambda region, given: _told(region.adopt(given.of("document")[0].encode("utf-8"))),
    "policy": lambda region, given: _told(region.adopt_signed_policy(given.of("policy")[0].encode("utf-8"))),
    "review": lambda region, given: review(region, *given.of("policy")),
    "terms": lambda region, given: terms_of(region, *given.of("cohort")),
    "import": _recorded,
    "results": lambda region, _given: all_returned(region),
    "result": lambda region, given: _one(region, *given.of("run")),
    "guarantees": lambda region, _given: guaranteed(region),
    "pending": lambda region, _given: waiting(region),
    "proposal": lambda region, given: proposal(region, *given.of("programme")),
    "papers": lambda region, given: papers_of(region, *given.of("programme")),
    "hear": lambda region, given: hear(region, given.of("approval")[0].encode("utf-8")),
    "history": lambda region, given: history_of(region, _before(*given.of("before"))),
    "entry": lambda region, given: entry_of(region, int(*given.of("seq"))),
    "stewards": lambda region, _given: Stewards(keys=tuple(key.hex for key in region.steward_keys())),
    "facts": lambda region, _given: facts_of(region),
    "snapshots": lambda region, _given: _snapshots(region),
    "rest": lambda region, given: _rested(region, *given.of("until")),
    "wake": lambda region, _given: Woken(ended=resume(region.home)),
    "flush": lambda region, _given: _flushed(region),
}


def perform(region: Region, do: str, texts: Mapping[str, str]) -> BaseModel:
    """Runs one operation on an open region. Raises KeyError for an unknown one or a missing argument."""
    return _OPERATIONS[do](region, Arguments(texts))


def to_text(result: BaseModel) -> str:
    return result.model_dump_json()


def status(home: Home) -> Status:
    """What a steward may see. Raises NodeError."""
    return _run(home, "status", {}, _STATUS)


def adopt_document(home: Home, data: bytes) -> Done | Declined:
    """Adopts a roster, calendar or codebook that the pinned key signed. Durable on return. Raises NodeError."""
    return _run(home, "adopt", {"document": data.decode("utf-8", "replace")}, _CHANGED)


def adopt_policy(home: Home, policy: RegionPolicy) -> Done | Declined:
    """Signs the policy with the steward's key in the home and adopts it. Durable on return. Raises NodeError."""
    signed = sign("policy", to_canonical(for_region(policy, home.config().region)), home.signing_key("steward"))
    return adopt_signed_policy(home, signed.to_bytes())


def adopt_signed_policy(home: Home, data: bytes) -> Done | Declined:
    """Adopts a policy that a steward of the region signed. Durable on return. Raises NodeError."""
    return _run(home, "policy", {"policy": data.decode("utf-8", "replace")}, _CHANGED)


def review_policy(home: Home, policy: RegionPolicy) -> Reviewed:
    """What there is to say about a policy, were it adopted here now. Changes nothing. Raises NodeError."""
    found = _run(home, "review", {"policy": to_canonical(policy).decode("utf-8")}, _REVIEWED)
    if isinstance(found, Unreadable):
        raise NodeError(f"the serving node is of another version and cannot read this policy: {found.detail}")
    return found


def import_terms(home: Home, cohort: str) -> Terms:
    """What an import of this cohort must know of the ledger, before it reads a row. Raises NodeError."""
    return _run(home, "terms", {"cohort": cohort}, _TERMS)


def record_import(
    home: Home, snapshot: str, cohort: str, codebook: str, base: str | None = None, most: int | None = None
) -> Done | Declined:
    """Puts a finished snapshot into force: id, cohort and codebook hash go into the ledger. Durable on return.

    `base` and `most` as for `Region.record_import`. Raises NodeError.
    """
    texts = {"snapshot": snapshot, "cohort": cohort, "codebook": codebook}
    texts |= {} if base is None else {"base": base}
    texts |= {} if most is None else {"most": str(most)}
    return _run(home, "import", texts, _CHANGED)


def guarantees(home: Home) -> Guaranteed:
    """The public facts on which the region's guarantees rest. Raises NodeError, and NotReady without a policy."""
    return _run(home, "guarantees", {}, _GUARANTEED)


def results(home: Home) -> AllReturned:
    """Every run of which something came back. Raises NodeError."""
    return _run(home, "results", {}, _ALL)


def result(home: Home, run: str) -> OneReturned | None:
    """What came back of a run; None where nothing did. Raises NodeError, and NotReady where no policy is adopted."""
    found = _run(home, "result", {"run": run}, _ONE)
    return None if isinstance(found, Declined) else found


def pending(home: Home) -> Waiting:
    """The programmes that wait for the steward. Raises NodeError, and NotReady where no policy is adopted."""
    return _run(home, "pending", {}, _WAITING)


def one_programme(home: Home, given: str) -> Proposal | NotFound:
    """A programme that was asked here, by the first digits of its hash. Raises as `pending`."""
    return _run(home, "proposal", {"programme": given}, _PROPOSAL)


def papers(home: Home, programme: str) -> Papers | NotFound:
    """The documents of a programme that was asked here, by its whole hash. Raises as `pending`."""
    return _run(home, "papers", {"programme": programme}, _PAPERS)


def tell_word(home: Home, approval: Signed) -> Heard | Unheard:
    """Hands the steward's signed word to the node. Durable on return. Raises as `pending`."""
    return _run(home, "hear", {"approval": approval.to_bytes().decode("utf-8")}, _HEARD)


def history(home: Home, before: int | None = None) -> History:
    """A page of the ledger, newest first, up to an entry's number. Raises NodeError."""
    return _run(home, "history", {"before": "" if before is None else str(before)}, _HISTORY)


def one_entry(home: Home, seq: int) -> OneEntry | NoEntry:
    """One entry of the ledger by its number. Raises NodeError."""
    return _run(home, "entry", {"seq": str(seq)}, _ENTRY)


def stewards(home: Home) -> Stewards:
    """Who may sign for the region now, by the roster in force. Raises NodeError."""
    return _run(home, "stewards", {}, _STEWARDS)


def facts(home: Home) -> Facts:
    """What the doctor needs of whoever holds the ledger. Raises NodeError."""
    return _run(home, "facts", {}, _FACTS)


def snapshots(home: Home) -> Snapshots:
    """Which snapshots are in force. Raises NodeError."""
    return _run(home, "snapshots", {}, _SNAPSHOTS)


def rest(home: Home, until: int | None) -> None:
    """Pauses the node until a moment (unix seconds), or until it is resumed. Durable on return. Raises NodeError."""
    _run(home, "rest", {"until": "" if until is None else str(until)}, _PAUSED)


def wake(home: Home) -> bool:
    """Ends a pause; whether there was one. What waited for it is tried at once. Raises NodeError."""
    return _run(home, "wake", {}, _WOKEN).ended


def flush(home: Home) -> None:
    """Has checkpoints that a serving node holds in memory only written to its ledger. Raises NodeError."""
    _run(home, "flush", {}, _CHANGED)


def _snapshots(region: Region) -> Snapshots:
    found = sorted(region.ledger.book.snapshots.items())
    return Snapshots(held=tuple(Held(cohort=cohort, snapshot=event.snapshot) for cohort, event in found))


def _rested(region: Region, until: str) -> Pause:
    return pause(region.home, region.now(), _before(until))


def _before(text: str) -> int | None:
    return int(text) if text else None


def _flushed(region: Region) -> Done:
    region.ledger.flush()
    head = region.ledger.head()
    return Done(kind="ledger", name=head.origin, hash=head.root.hex(), new=False)


def _one(region: Region, run: str) -> OneReturned | Declined:
    return one_returned(region, run) or Declined(sentence=f"Nothing came back of {run[:40]}.")


def _run(home: Home, do: str, texts: dict[str, str], expected: TypeAdapter[T]) -> T:
    give_up = time.monotonic() + _PATIENCE_S
    while True:
        try:
            with exclusive(home.lock_file):
                return expected.validate_python(_alone(home, do, texts))
        except HomeBusy:
            try:
                response = ask(home, do, texts)
            except Unreachable:
                # A node that is starting or stopping, or another verb at work: soon there is a way again.
                if time.monotonic() > give_up:
                    raise
                time.sleep(_RETRY_S)
                continue
        if response.fault:
            raise NodeError(f"the serving node could not do this: {response.fault}")
        try:
            return expected.validate_json(response.result)
        except ValidationError as error:
            raise Unreachable("the serving node is of another version and answered something else") from error


def _alone(home: Home, do: str, texts: Mapping[str, str]) -> BaseModel:
    region = Region(home, lambda: int(time.time()))
    try:
        return perform(region, do, texts)
    finally:
        region.close()


def _told(outcome: InForce | NotAdopted) -> Done | Declined:
    if isinstance(outcome, NotAdopted):
        return Declined(sentence=outcome.sentence)
    return Done(kind=outcome.kind, name=outcome.name, hash=outcome.digest, new=outcome.new)
