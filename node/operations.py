"""What may be done to a node from outside its service: the same function, wherever it runs.

With a node serving, the request goes over its control channel to the one writer; with none, the caller takes the lock
and runs the function itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, TypeAdapter

from node.control import ask
from node.errors import HomeBusy, NodeError, Unreachable
from node.feedback import AllReturned, OneReturned, all_returned, one_returned
from node.home import Home
from node.lock import exclusive
from node.region import InForce, Region
from node.status import Status, status_of
from policies.documents import BadDocument, from_canonical, to_canonical
from policies.rules.entries import Imported
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


@dataclass(frozen=True, slots=True)
class Arguments:
    """Text by name; a missing one is a fault of the caller."""

    texts: Mapping[str, str]

    def of(self, *names: str) -> tuple[str, ...]:
        return tuple(self.texts[name] for name in names)


_PATIENCE_S = 10.0
_RETRY_S = 0.1

Result = Done | Declined | Status | AllReturned | OneReturned
_RESULT: TypeAdapter[Result] = TypeAdapter(Status | Done | Declined | AllReturned | OneReturned)
_OPERATIONS: Mapping[str, Callable[[Region, Arguments], Result]] = {
    "status": lambda region, _given: status_of(region),
    "adopt": lambda region, given: _told(region.adopt(given.of("document")[0].encode("utf-8"))),
    "policy": lambda region, given: _policy(region, *given.of("policy")),
    "import": lambda region, given: _told_import(region.record_import(*given.of("snapshot", "cohort", "codebook"))),
    "results": lambda region, _given: all_returned(region),
    "result": lambda region, given: _one(region, *given.of("run")),
}


def perform(region: Region, do: str, texts: Mapping[str, str]) -> Result:
    """Runs one operation on an open region. Raises KeyError for an unknown one or a missing argument."""
    return _OPERATIONS[do](region, Arguments(texts))


def to_text(result: Result) -> str:
    return result.model_dump_json()


def status(home: Home) -> Status:
    """What a steward may see. Raises NodeError."""
    result = _run(home, "status", {})
    if not isinstance(result, Status):
        raise Unreachable("the serving node answered something else than its status")
    return result


def adopt_document(home: Home, data: bytes) -> Done | Declined:
    """Adopts a roster, calendar or codebook that the pinned key signed. Durable on return. Raises NodeError."""
    return _changed(_run(home, "adopt", {"document": data.decode("utf-8", "replace")}))


def adopt_policy(home: Home, policy: RegionPolicy) -> Done | Declined:
    """Signs the policy with the steward's key and adopts it. Durable on return. Raises NodeError."""
    return _changed(_run(home, "policy", {"policy": to_canonical(policy).decode("utf-8")}))


def record_import(home: Home, snapshot: str, cohort: str, codebook: str) -> Done | Declined:
    """Puts a finished snapshot into force: id, cohort and codebook hash go into the ledger. Durable on return.

    Raises NodeError.
    """
    return _changed(_run(home, "import", {"snapshot": snapshot, "cohort": cohort, "codebook": codebook}))


def results(home: Home) -> AllReturned:
    """Every run of which something came back. Raises NodeError."""
    found = _run(home, "results", {})
    if not isinstance(found, AllReturned):
        raise Unreachable("the serving node answered something else than its results")
    return found


def result(home: Home, run: str) -> OneReturned | None:
    """What came back of a run; None where nothing did. Raises NodeError, and NotReady where no policy is adopted."""
    found = _run(home, "result", {"run": run})
    if isinstance(found, Declined):
        return None
    if not isinstance(found, OneReturned):
        raise Unreachable("the serving node answered something else than a result")
    return found


def _one(region: Region, run: str) -> OneReturned | Declined:
    return one_returned(region, run) or Declined(sentence=f"Nothing came back of {run[:40]}.")


def _run(home: Home, do: str, texts: dict[str, str]) -> Result:
    give_up = time.monotonic() + _PATIENCE_S
    while True:
        try:
            with exclusive(home.lock_file):
                return _alone(home, do, texts)
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
        return _RESULT.validate_json(response.result)


def _alone(home: Home, do: str, texts: Mapping[str, str]) -> Result:
    region = Region(home, lambda: int(time.time()))
    try:
        return perform(region, do, texts)
    finally:
        region.close()


def _changed(result: Result) -> Done | Declined:
    if not isinstance(result, Done | Declined):
        raise Unreachable("the serving node answered something else")
    return result


def _told(outcome: InForce | NotAdopted) -> Done | Declined:
    if isinstance(outcome, NotAdopted):
        return Declined(sentence=outcome.sentence)
    return Done(kind=outcome.kind, name=outcome.name, hash=outcome.digest, new=outcome.new)


def _policy(region: Region, text: str) -> Done | Declined:
    try:
        return _told(region.adopt_policy(from_canonical(RegionPolicy, text.encode("utf-8"))))
    except BadDocument as error:
        return Declined(sentence=str(error))


def _told_import(outcome: Imported | NotAdopted) -> Done | Declined:
    if isinstance(outcome, NotAdopted):
        return Declined(sentence=outcome.sentence)
    return Done(kind="snapshot", name=outcome.cohort, hash=outcome.snapshot, new=True)
