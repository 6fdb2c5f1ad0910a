"""Programmes that wait for the steward: seeing them, approving and refusing them."""

from __future__ import annotations

from decimal import Decimal
from typing import get_args

from rondgang.errors import BadKey
from rondgang.keys import SigningKey
from starlette.datastructures import UploadFile
from starlette.responses import RedirectResponse, Response

from node.approving import HASH, NotFound, Proposal, Question, Unheard
from node.console.screen import Visit, work
from node.notes import read_notes
from node.operations import one_programme, pending
from node.pages.phrases import Phrases
from node.status import Amount
from node.steward import NoKey, give_word, key_file, read_key
from policies.pages.dates import moment
from policies.pages.numbers import at_most, exact
from policies.rules.approval import DeclineReason

REASONS: tuple[DeclineReason, ...] = get_args(DeclineReason)


async def programmes(visit: Visit) -> Response:
    """What waits for a decision, the oldest first."""
    waiting = (await work(pending, visit.home)).pending
    return visit.page("programmes.html", waiting=[_told(visit, one) for one in waiting])


async def programme(visit: Visit) -> Response:
    """One programme in full, with the forms to decide on it."""
    found = await _find(visit)
    return found if isinstance(found, Response) else _shown(visit, found, 200)


async def approve(visit: Visit) -> Response:
    """The steward's yes."""
    return await _decide(visit, None)


async def refuse(visit: Visit) -> Response:
    """The steward's no, for one of a few reasons."""
    reason = next((reason for reason in REASONS if reason == visit.text("reason")), None)
    if reason is None:
        found = await _find(visit)
        return found if isinstance(found, Response) else _shown(visit, found, 400, "console.decide.which")
    return await _decide(visit, reason)


async def _decide(visit: Visit, reason: DeclineReason | None) -> Response:
    found = await _find(visit)
    if isinstance(found, Response):
        return found
    key = await _key(visit)
    if isinstance(key, NoKey):
        return _shown(visit, found, 400, "console.decide.key")
    given = await work(give_word, visit.home, key, found, reason, visit.screen.wall(), visit.text("note"))
    outcome = given.outcome
    if isinstance(outcome, Unheard):
        because = visit.words(f"node.reason.{outcome.reason}") if outcome.reason else ""
        fields = {"fingerprint": key.public.fingerprint, "sentence": outcome.sentence, "because": because}
        return _shown(visit, found, 409, f"node.decide.not.{outcome.why}", **fields)
    return RedirectResponse(f"/programmes/{found.hash}?done={outcome.word}", 303)


async def _find(visit: Visit) -> Proposal | Response:
    given = str(visit.request.path_params["hash"])
    if not HASH.fullmatch(given):
        return visit.problem(404, "console.problem.no_programme")
    found = await work(one_programme, visit.home, given)
    return visit.problem(404, "console.problem.no_programme") if isinstance(found, NotFound) else found


async def _key(visit: Visit) -> SigningKey | NoKey:
    """The key of this one act: a file that was chosen, else the home's own."""
    given = visit.form.get("key")
    if isinstance(given, UploadFile) and given.size:
        try:
            return SigningKey.from_pem(await given.read())
        except BadKey as error:
            return NoKey(given.filename or "", str(error))
    return await work(read_key, key_file(visit.home))


def _shown(visit: Visit, one: Proposal, status: int, problem: str = "", **fields: str) -> Response:
    done = visit.request.query_params.get("done", "")
    return visit.page(
        "programme.html",
        status,
        one=_told(visit, one),
        notes=read_notes(visit.home, one.hash),
        open=one.state in ("pending", "approved", "declined", "allowed"),
        reasons=[(reason, visit.words(f"node.decide.reason.{reason}")) for reason in REASONS],
        own_key=key_file(visit.home).exists(),
        problem=visit.words(problem, **fields) if problem else "",
        done=visit.words(f"console.decide.{done}") if done in ("approved", "declined") else "",
    )


def _told(visit: Visit, one: Proposal) -> dict[str, object]:
    """A programme in the reader's words. What strangers wrote is escaped by the template."""
    reason = one.refused and visit.words(f"node.reason.{one.refused}")
    if one.state == "declined":
        reason = visit.words(f"node.decide.reason.{one.reason}")
    return {
        "hash": one.hash,
        "state": one.state,
        "stands": visit.words(f"node.pending.state.{one.state}", reason=reason, sentence=one.sentence),
        "title": one.title.in_language(visit.lang),
        "purpose": one.purpose,
        "by": visit.words("node.pending.signed_by", requester=one.requester, researcher=one.researcher),
        "cohort": visit.words("node.pending.of_regions", cohort=one.cohort, count=one.regions),
        "price": _amount(visit, one.price),
        "left": visit.words(
            "node.pending.left_is",
            cohort=_amount(visit, one.left_cohort),
            lifetime=_amount(visit, one.left_lifetime),
        ),
        "came": f"{moment(one.came, visit.lang)} UTC",
        "deadline": f"{moment(one.deadline, visit.lang)} UTC",
        "marks": [visit.words(f"node.pending.{name}") for name, marked in _marks(one) if marked],
        "asks": [_asked(visit, question) for question in one.questions],
    }


def _marks(one: Proposal) -> tuple[tuple[str, bool], ...]:
    return ("synthetic", one.data == "synthetic"), ("test_only", one.test_only), ("paid", one.charged)


def _asked(visit: Visit, question: Question) -> dict[str, object]:
    labels = {name: label.in_language(visit.lang) if label else "" for name, label in question.variables.items()}
    return {
        "id": question.statistic.id,
        "counted": Phrases(None, visit.lang).statistic(question.statistic),
        "by": question.statistic.by,
        "variables": labels,
        "national": question.statistic.mode == "national",
    }


def _amount(visit: Visit, one: Amount) -> str:
    rho, epsilon = exact(Decimal(one.rho), visit.lang), at_most(Decimal(one.epsilon), 2, visit.lang)
    return visit.words("node.pending.amount", rho=rho, epsilon=epsilon)
