"""Cheating about what came of national sums: other numbers, other regions, less noise, lists that were shown to one."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rondgang.canonical import Json

from audit.practise.fraud import Forger, Fraud, Planted, record_place, rewritten
from audit.practise.log import Log
from audit.practise.papers import Values, body_of, paper
from audit.practise.people import DAY_S
from audit.practise.rounds import national_sum
from audit.practise.sheaf import Sheaf
from audit.practise.story import FR, GR, World, instead, tell
from audit.practise.study import Study

DESK = "coordinator.bundle"


def _first(sheaf: Sheaf, kind: str) -> int:
    return next(at for at, one in enumerate(sheaf.papers) if one.kind == kind)


def _place(sheaf: Sheaf, at: int) -> str:
    return record_place(sheaf.sealed(), "document", at)


def _changed(
    kind: str, change: Callable[[World, Values], Values], *, added: bool = False, stranger: bool = False
) -> Callable[[Study], Planted]:
    """The coordinator's file with another document in the place of its first of a kind, or beside it."""

    def alter(world: World) -> tuple[str, Iterable[str]]:
        sheaf, people = world.sheaves[DESK], world.people
        at = _first(sheaf, kind)
        key = people.stranger.signing if stranger else people.desk.signing
        other = paper(kind, change(world, body_of(sheaf.papers[at])), key)
        if added:
            sheaf.papers.append(other)
            return DESK, (_place(sheaf, len(sheaf.papers) - 1),)
        sheaf.papers[at] = other
        return DESK, (_place(sheaf, at),)

    return rewritten(alter)


def other_numbers(world: World, body: Values) -> Values:
    """The same attempt, with other numbers in it."""
    asked = next(one for one in world.sheaves[DESK].papers if one.digest == body["programme"])
    here = {key: body[key] for key in ("run", "programme", "attempt")}
    return national_sum(world.study.entropy, here, asked, str(body["survivors"]), ["FR", "GR"])


def one_region(_world: World, body: Values) -> Values:
    """A sum of one region, which is no sum."""
    return body | {"regions": ["FR"], "taken_back": {"FR": 0}}


def more_back(_world: World, body: Values) -> Values:
    return body | {"taken_back": {"FR": 1, "GR": 0}}


def fewer_blocks(_world: World, body: Values) -> Values:
    return body | {"blocks": _blocks(body)[:1]}


def only_one(_world: World, body: Values) -> Values:
    return body | {"regions": ["FR"]}


def same(_world: World, body: Values) -> Values:
    return body


def sum_of_others(world: World) -> tuple[str, Iterable[str]]:
    """The sum names survivors that the coordinator never listed: those of another round, of one region."""
    sheaf, desk = world.sheaves[DESK], world.people.desk.signing
    lists = body_of(sheaf.papers[_first(sheaf, "survivors")])
    alone = paper("survivors", lists | {"regions": ["FR"]}, desk)
    sheaf.papers[_first(sheaf, "survivors")] = alone
    at = _first(sheaf, "national_sum")
    sheaf.papers[at] = paper("national_sum", body_of(sheaf.papers[at]) | {"survivors": alone.digest}, desk)
    return DESK, (_place(sheaf, at),)


def survivor_without_attempt(study: Study) -> Planted:
    """GR answered and never attempted; the coordinator names it as a survivor."""

    def answered_only(log: Log) -> None:
        log.wait(4 * DAY_S)
        asked = log.study.national("masked_one")
        log.ask(asked)
        log.spend(asked)
        log.order(asked)

    world = tell(study, FR, instead(GR, "masked", answered_only))
    sheaf = world.sheaves[DESK]
    return Planted(world.sealed(), DESK, (_place(sheaf, _first(sheaf, "national_sum")),))


def _blocks(body: Values) -> list[Json]:
    match body["blocks"]:
        case list(found):
            return found
        case _:
            raise ValueError("not a sum")


def _desk(name: str, what: str, codes: set[str], plant: Callable[[Study], Planted]) -> Fraud:
    return Fraud(name, what, Forger.DESK, frozenset(codes), plant)


FRAUDS = (
    _desk(
        "two-sums-of-one-run",
        "The coordinator holds two sums of one attempt.",
        {"sum.two"},
        _changed("national_sum", other_numbers, added=True),
    ),
    _desk(
        "sum-unsigned",
        "A national sum was signed by somebody else than the coordinator.",
        {"sum.unsigned"},
        _changed("national_sum", same, stranger=True),
    ),
    _desk(
        "sum-of-one-region",
        "A national sum is of one region.",
        {"sum.other"},
        _changed("national_sum", one_region),
    ),
    _desk(
        "sum-of-fewer-blocks",
        "A national sum lacks a block of its programme.",
        {"sum.other"},
        _changed("national_sum", fewer_blocks),
    ),
    _desk(
        "noise-taken-back",
        "A region took noise back where none was spare.",
        {"sum.taken_back"},
        _changed("national_sum", more_back),
    ),
    _desk(
        "two-lists-of-survivors",
        "The coordinator named survivors twice in one attempt.",
        {"sum.two_lists"},
        _changed("survivors", only_one, added=True),
    ),
    _desk(
        "sum-of-other-survivors", "A sum rests on a list of other regions.", {"sum.rounds"}, rewritten(sum_of_others)
    ),
    _desk(
        "survivor-without-attempt",
        "A region is named in a sum whose log has no attempt.",
        {"sum.no_attempt"},
        survivor_without_attempt,
    ),
)
