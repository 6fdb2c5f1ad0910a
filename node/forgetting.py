"""Households that are to be forgotten: HOME/forgotten.json, private to the node, with pseudonyms in the place of ids.

A household whose consent is withdrawn is listed here for one cohort and left out of every import of that cohort from
then on. It takes effect with the next ordinary import: the snapshot in force is not changed, because two answers that
differ by one household would show that household. Answers that were given stay given; they are noisy, and paid for.
A household that was listed by mistake is taken back; it counts again once an import delivers it.

The list is written under the lock of imports. It names the key of its pseudonyms: under another key nobody can tell who
is meant, and nothing may be imported.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from node.errors import BadHome
from node.files import write_private
from node.importing.lock import importing
from node.pseudonyms import Pseudonyms, pseudonyms

FILE = "forgotten.json"
MOST_IDS = 1_000_000


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Household(_Kept):
    cohort: str
    pseudonym: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    since: int


class _List(_Kept):
    format: Literal[1]
    key: str
    households: tuple[_Household, ...]


@dataclass(frozen=True, slots=True)
class Forgot:
    """How many of the given households are new on the list, and how many stood there already."""

    new: int
    known: int


@dataclass(frozen=True, slots=True)
class TookBack:
    """How many of the given households were taken off the list, and how many did not stand there."""

    taken: int
    unknown: int


@dataclass(frozen=True, slots=True)
class Listed:
    """A cohort's part of the list: how many households, and when the first and the last came (unix seconds)."""

    cohort: str
    households: int
    first: int
    last: int


def forget(home: Path, cohort: str, ids: Sequence[str], now: int) -> Forgot:
    """Lists households by the ids under which they are delivered. Durable on return; an id is never kept.

    Raises BadHome for a list or a key that cannot be used, HomeBusy while an import is at work, DiskFault and OSError.

    Privacy: the list is read by import alone. That a household left, and how many did, is in no log and no message.
    """
    with importing(home):
        names = pseudonyms(home)
        kept = _read(home, names)
        known = {(one.cohort, one.pseudonym) for one in kept}
        asked = {(cohort, names.of("household", cohort, name).hex()) for name in ids}
        new = sorted(asked - known)
        if new:
            added = (_Household(cohort=cohort, pseudonym=pseudonym, since=now) for _, pseudonym in new)
            _write(home, names, (*kept, *added))
    return Forgot(len(new), len(asked) - len(new))


def take_back(home: Path, cohort: str, ids: Sequence[str]) -> TookBack:
    """Takes households off a cohort's list that were listed by mistake. Durable on return. Raises as `forget`.

    Privacy: as `forget`. The snapshot in force stays as it is here too.
    """
    with importing(home):
        names = pseudonyms(home)
        kept = _read(home, names)
        asked = {(cohort, names.of("household", cohort, name).hex()) for name in ids}
        staying = tuple(one for one in kept if (one.cohort, one.pseudonym) not in asked)
        if len(staying) < len(kept):
            _write(home, names, staying)
    taken = len(kept) - len(staying)
    return TookBack(taken, len(asked) - taken)


def forgotten(home: Path, cohort: str, names: Pseudonyms) -> frozenset[bytes]:
    """The pseudonyms of a cohort's households that must be left out. Raises BadHome where nobody can tell."""
    return frozenset(bytes.fromhex(one.pseudonym) for one in _read(home, names) if one.cohort == cohort)


def listed(home: Path) -> tuple[Listed, ...]:
    """How many households are listed, by cohort. Raises BadHome for a list that cannot be used."""
    since: defaultdict[str, list[int]] = defaultdict(list)
    for one in _load(home).households:
        since[one.cohort].append(one.since)
    return tuple(Listed(cohort, len(found), min(found), max(found)) for cohort, found in sorted(since.items()))


def _write(home: Path, names: Pseudonyms, households: tuple[_Household, ...]) -> None:
    found = _List(format=1, key=names.check, households=households)
    write_private(home / FILE, found.model_dump_json(indent=1).encode("ascii"))


def _read(home: Path, names: Pseudonyms) -> tuple[_Household, ...]:
    found = _load(home)
    if found.households and found.key != names.check:
        raise BadHome(f"{FILE} was made with another key than keys/pseudonyms.key", "node.home.other_key", file=FILE)
    return found.households


def _load(home: Path) -> _List:
    path = home / FILE
    try:
        return _List.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return _List(format=1, key="", households=())
    except (OSError, ValidationError) as error:
        # A fault of the parser quotes what it found.
        why = type(error).__name__
        raise BadHome(f"{path}: {why}", "node.home.bad_list", file=str(path), why=why) from None
