"""How the node is doing in one sentence: what is worst comes first, and is never left out for good news."""

from __future__ import annotations

from typing import Any

import pytest

from node.doctor.papers import Facts
from node.sentence import state_of
from node.status import Budget, Status, Trouble, amount
from policies.units.money import NanoRho

FINE: dict[str, Any] = {
    "region": "AA", "coordinator": "desk:443", "enrolled": True, "serving": True, "connected": True, "missing": (),
    "documents": (), "answered": 3, "dead_debits": 0, "entries": 9, "head": "ab", "epoch": 0, "cosigned": 9,
    "last": (),
}  # fmt: skip
AWAKE: dict[str, Any] = {"now": 0, "seen": 0, "listed": True, "objections": (), "due": (), "held": ("c1",)}


def budget(cohort: str, left: int, data: bool = True) -> Budget:
    """Of a cap of rho 1, so many thousandths left."""
    cap, spent, rest = (amount(NanoRho(nano)) for nano in (10**9, (1000 - left) * 10**6, left * 10**6))
    return Budget(cohort=cohort, cap=cap, spent=spent, left=rest, left_lifetime=rest, snapshot=data)


def told(shown: dict[str, Any] | None = None, known: dict[str, Any] | None = None, waiting: int = 0) -> tuple[str, str]:
    status = Status.model_validate({"budgets": (budget("c1", 629), budget("", 800))} | FINE | (shown or {}))
    found = state_of(status, Facts.model_validate(AWAKE | (known or {})), waiting, "nl")
    return found.level, found.sentence


def test_where_all_is_well_it_says_so_with_the_budget_and_what_waits() -> None:
    assert told() == ("good", "Alles in orde; nog 62% van het budget van c1; niets wacht op u.")
    assert told(waiting=1)[1].endswith("; 1 vraag wacht op uw besluit.")
    assert told(waiting=4)[1].endswith("; 4 vragen wachten op uw besluit.")
    together = {"budgets": (budget("c1", 900), budget("c2", 10, data=False), budget("", 455))}
    assert told(together)[1] == "Alles in orde; nog 45% van het budget; niets wacht op u."


@pytest.mark.parametrize(
    ("shown", "known", "level", "begins"),
    [
        ({"enrolled": False, "missing": ("roster",)}, {}, "bad", "Regio AA is nog niet aangemeld"),
        ({"missing": ("policy",)}, {}, "bad", "Regio AA kan nog niets beantwoorden: niet overgenomen is beleid"),
        ({"serving": False, "connected": False}, {"paused": True}, "bad", "Het knooppunt van regio AA draait niet."),
        ({"connected": False}, {}, "bad", "Regio AA draait, maar is niet verbonden met desk:443"),
        (
            {"trouble": Trouble(kind="behind", sentence="x")},
            {"paused": True},
            "bad",
            "Let op: dit knooppunt geeft geen budget uit, want de getuigen houden het tegen; nog 62%",
        ),
        ({"awaits_inheritance": True}, {"quiet": True}, "bad", "Let op: dit knooppunt geeft nog geen budget uit"),
        ({}, {"paused": True, "quiet": True}, "warn", "Dit knooppunt rust; nog 62%"),
        ({}, {"paused": True, "paused_until": 86_400}, "warn", "Dit knooppunt rust tot 2 jan 1970 00:00 UTC; nog"),
        ({}, {"quiet": True}, "warn", "Dit knooppunt heeft stille uren; nog 62%"),
        ({"budgets": ()}, {"held": ()}, "warn", "Er zijn nog geen gegevens ingelezen; niets wacht op u."),
        (
            {"budgets": (budget("c1", 99), budget("", 900))},
            {},
            "warn",
            "Het knooppunt doet zijn werk; nog maar 9% van het budget van c1; niets",
        ),
    ],
)
def test_what_is_worst_comes_first(shown: dict[str, Any], known: dict[str, Any], level: str, begins: str) -> None:
    found = told(shown, known)
    assert found[0] == level
    assert found[1].startswith(begins)


def test_what_waits_is_said_also_where_the_node_is_away() -> None:
    assert told({"serving": False, "connected": False}, waiting=2)[1].endswith("2 vragen wachten op uw besluit.")
