"""The pages that look: overview, history, help."""

from __future__ import annotations

from decimal import Decimal

from starlette.responses import Response

from node.console.pictures import budget_bar
from node.console.screen import Visit, work
from node.history import NoEntry
from node.operations import facts, history, one_entry, pending, status
from node.sentence import budget_share, state_of
from node.status import Budget, Status
from policies.pages.dates import moment
from policies.pages.numbers import at_most, exact

_MOST_DIGITS = 12
_PUT_OFF = ("awaiting_approval", "paused")
"""Refusals that are none: the question stays, and is answered later."""
SPANS = ("8h", "1d", "1w", "")
"""How long a pause may be chosen to last; the empty one lasts until it is ended."""


async def overview(visit: Visit) -> Response:
    """How the node is doing, in one sentence; the budget as a picture; what waits."""
    shown = await work(status, visit.home)
    waiting = 0 if shown.missing else len((await work(pending, visit.home)).pending)
    budgets = [_budget(visit, shown, one) for one in shown.budgets]
    last = [_decision(visit, one.model_dump()) for one in shown.last]
    trouble = ""
    if shown.trouble is not None:
        trouble = visit.words(f"node.trouble.{shown.trouble.kind}", **shown.trouble.model_dump(exclude={"kind"}))
    part = "overview_state.html" if "hx-request" in visit.request.headers else "overview.html"
    known = await work(facts, visit.home)
    return visit.page(
        part,
        status_=shown,
        budgets=budgets,
        last=last,
        state=state_of(shown, known, waiting, visit.lang),
        trouble=trouble,
        waiting=waiting,
        paused=known.paused,
        paused_until="" if known.paused_until is None else moment(known.paused_until, visit.lang),
        spans=SPANS,
    )


async def ledger(visit: Visit) -> Response:
    """The history: every decision, newest first."""
    before = _number(visit.request.query_params.get("before", ""))
    found = await work(history, visit.home, before)
    entries = [_decision(visit, one.model_dump()) for one in found.entries]
    return visit.page("history.html", entries=entries, older=found.older, epoch=found.epoch, first=before is None)


async def ledger_entry(visit: Visit) -> Response:
    """One entry of the ledger, as it is hashed."""
    seq = _number(visit.request.path_params["seq"])
    found = NoEntry(seq=-1) if seq is None else await work(one_entry, visit.home, seq)
    if isinstance(found, NoEntry):
        return visit.problem(404, "console.problem.no_entry")
    return visit.page("entry.html", entry=found, shown=_decision(visit, found.shown.model_dump()))


async def help_page(visit: Visit) -> Response:
    """Short answers, and where to find longer ones."""
    return visit.page("help.html")


async def absent(visit: Visit) -> Response:
    """For an address that there is not. Whoever is not logged in does not learn which there are."""
    return visit.problem(404, "console.problem.no_page")


def _budget(visit: Visit, shown: Status, one: Budget) -> dict[str, object]:
    name = one.cohort or visit.words("node.status.together")
    amounts = {
        part: visit.words(
            "node.pending.amount",
            rho=exact(Decimal(amount.rho), visit.lang),
            epsilon=at_most(Decimal(amount.epsilon), 2, visit.lang),
        )
        for part, amount in (("cap", one.cap), ("spent", one.spent), ("left", one.left))
    }
    share = budget_share(one)
    title = visit.words("console.budget.title", name=name, percent=share)
    return {"name": name, "data": one.snapshot, "left_percent": share, "bar": budget_bar(one, title), **amounts}


def _decision(visit: Visit, entry: dict[str, object]) -> dict[str, object]:
    reason, event = str(entry["reason"]), str(entry["event"])
    about = str(entry["about"])
    return {
        **entry,
        "when": moment(int(str(entry["time"])), visit.lang),
        "what": visit.words("console.history.put_off" if reason in _PUT_OFF else f"node.event.{event}"),
        "why": visit.words(f"node.reason.{reason}") if reason else "",
        "short": about[:_MOST_DIGITS] if len(about) == 64 else about,
        "programme": about if len(about) == 64 else "",
    }


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None
