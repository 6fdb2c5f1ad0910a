"""What a planted fraud is: what was done, with whose keys, and what an auditor ought to find where."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from rondgang.bundles import records

from audit.practise.log import Log
from audit.practise.story import FR, GR, Chapters, World, after, instead, tell
from audit.practise.study import Study


class Forger(StrEnum):
    """Whose keys the forger has. It signs with those and no others."""

    NOBODY = "no key: whoever carries the file"
    NODE = "the node's key"
    NODE_AND_RESEARCHER = "the keys of the node and of the researcher"
    NODE_AND_STEWARD = "the keys of the node and of its steward"
    NODE_AND_DESK = "the keys of the node and of the coordinator"
    NODE_AND_WITNESSES = "the keys of the node and of all its witnesses"
    NODE_AND_CONSORTIUM = "the keys of the node and of the consortium"
    DESK = "the coordinator's key"
    CONSORTIUM = "the keys of another consortium"


@dataclass(frozen=True, slots=True)
class Planted:
    """Bundles by file, with a fraud in `bundle`; each of `places` is a right answer to where it is."""

    files: Mapping[str, bytes]
    bundle: str
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fraud:
    """`name` is that of its folder; `what` says in a sentence what was done; `codes` are the findings that name it."""

    name: str
    what: str
    forger: Forger
    codes: frozenset[str]
    plant: Callable[[Study], Planted]


Tale = Callable[[Log], Iterable[int | str]]
"""A chapter in which the node cheats. Returns where, as entries or places: each is a right answer."""


def lived(tale: Tale, *, behind: str = "", inplace: str = "", region: str = "FR") -> Callable[[Study], Planted]:
    """A fraud at the moment itself: the node wrote it down so, and the witnesses cosigned what they cannot read."""

    def plant(study: Study) -> Planted:
        found: list[str] = []

        def chapter(log: Log) -> None:
            found.extend(seq if isinstance(seq, str) else log.place(seq) for seq in tale(log))

        def told(chapters: Chapters) -> Chapters:
            return after(chapters, behind, chapter) if behind else instead(chapters, inplace, chapter)

        world = tell(study, told(FR), GR) if region == "FR" else tell(study, FR, told(GR))
        return Planted(world.sealed(), f"{region}.bundle", tuple(found))

    return plant


def and_answer(plant: Callable[[Study], Planted], which: int) -> Callable[[Study], Planted]:
    """The same fraud, which also shows in the nth answer that the coordinator holds."""

    def also(study: Study) -> Planted:
        planted = plant(study)
        there = record_place(planted.files["coordinator.bundle"], "answer", which)
        return Planted(planted.files, planted.bundle, (*planted.places, there))

    return also


Change = Callable[[World], tuple[str, Iterable[str]]]
"""Changes what an honest story left. Returns the file, and the places any of which is a right answer."""


def rewritten(change: Change) -> Callable[[Study], Planted]:
    """A fraud afterwards: the bundles are changed and sealed again by their makers."""

    def plant(study: Study) -> Planted:
        world = tell(study)
        file, places = change(world)
        return Planted(world.sealed(), file, tuple(places))

    return plant


Damage = Callable[[bytes, World], tuple[bytes, str]]
"""Changes the bytes of FR's finished file. Returns them and the place."""


def record_place(data: bytes, kind: str, which: int) -> str:
    """How the nth record of a kind is called."""
    record = [one for one in records(data) if one.type == kind][which]
    return f"record {record.number}, byte {record.offset}"


def damaged(damage: Damage) -> Callable[[Study], Planted]:
    """A fraud on the finished file, by somebody without a key."""

    def plant(study: Study) -> Planted:
        world = tell(study)
        files = world.sealed()
        files["FR.bundle"], where = damage(files["FR.bundle"], world)
        return Planted(files, "FR.bundle", (where,))

    return plant
