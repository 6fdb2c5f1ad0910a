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
from node.home import Home
from node.lock import exclusive
from node.region import InForce, Region
from node.status import Status, status_of
from policies.documents import BadDocument, from_canonical, to_canonical
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

    def __getitem__(self, name: str) -> str:
        return self.texts[name]


Result = Done | Declined | Status
_RESULT: TypeAdapter[Result] = TypeAdapter(Status | Done | Declined)
_OPERATIONS: Mapping[str, Callable[[Region, Arguments], Result]] = {
    "status": lambda region, _given: status_of(region),
    "adopt": lambda region, given: _told(region.adopt(given["document"].encode("utf-8"))),
    "policy": lambda region, given: _policy(region, given["policy"]),
    "import": lambda region, given: _imported(region, given),
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
    """Logs a finished snapshot (id, cohort, codebook hash): from here on questions are answered from it. Raises NodeError."""
    return _changed(_run(home, "import", {"snapshot": snapshot, "cohort": cohort, "codebook": codebook}))


def _run(home: Home, do: str, texts: dict[str, str]) -> Result:
    try:
        with exclusive(home.lock_file):
            region = Region(home, lambda: int(time.time()))
            try:
                return perform(region, do, texts)
            finally:
                region.close()
    except HomeBusy:
        response = ask(home, do, texts)
        if response.fault:
            raise NodeError(f"the serving node could not do this: {response.fault}") from None
        return _RESULT.validate_json(response.result)


def _changed(result: Result) -> Done | Declined:
    if isinstance(result, Status):
        raise Unreachable("the serving node answered with its status")
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


def _imported(region: Region, given: Arguments) -> Done | Declined:
    outcome = region.record_import(given["snapshot"], given["cohort"], given["codebook"])
    if isinstance(outcome, NotAdopted):
        return Declined(sentence=outcome.sentence)
    return Done(kind="snapshot", name=outcome.cohort, hash=outcome.snapshot, new=True)
