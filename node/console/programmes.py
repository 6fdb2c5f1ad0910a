"""Programmes that wait for the steward: seeing them, an example of what would leave, approving and refusing them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from starlette.responses import RedirectResponse, Response

from node.approving import HASH, NotFound, Proposal, Unheard
from node.console.filed import told as told_page
from node.console.keys import own_key, steward_key
from node.console.screen import Visit, work
from node.filing import filed
from node.home import Home
from node.notes import read_notes
from node.operations import one_programme, pending
from node.pages.decision import amount_words
from node.pages.examples import Told, tell
from node.pages.explained import Explained, cohort_words, explain
from node.status import Amount
from node.steward import NoKey, give_word
from node.understanding import understand
from node.vectors.sums import SumsFailed
from policies.pages.dates import moment
from policies.rules.approval import DeclineReason
from policies.study.text import Language

REASONS: tuple[DeclineReason, ...] = get_args(DeclineReason)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A question, in words."""

    one: Proposal
    asked: tuple[Explained, ...]


async def programmes(visit: Visit) -> Response:
    """What waits for a decision, the oldest first."""
    waiting = (await work(pending, visit.home)).pending
    return visit.page("programmes.html", waiting=[_told(visit, one) for one in waiting])


async def programme(visit: Visit) -> Response:
    """One programme in full, with the forms to decide on it."""
    found = await _find(visit)
    return found if isinstance(found, Response) else await _shown(visit, found, 200)


async def show_example(visit: Visit) -> Response:
    """The programme, with what would leave for it, on invented households. Reads no data of the home."""
    found = await _find(visit)
    if isinstance(found, Response):
        return found
    made = await work(_made, visit.home, found.one.hash, visit.lang)
    if isinstance(made, Told):
        return await _shown(visit, found, 200, example=made)
    key = "decide.example.failed" if made else "decide.example.none"
    return await _shown(visit, found, 503, visit.words(key, detail=made))


async def approve(visit: Visit) -> Response:
    """The steward's yes."""
    return await _decide(visit, None)


async def refuse(visit: Visit) -> Response:
    """The steward's no, for one of a few reasons."""
    reason = next((reason for reason in REASONS if reason == visit.text("reason")), None)
    if reason is None:
        found = await _find(visit)
        return (
            found
            if isinstance(found, Response)
            else await _shown(visit, found, 400, visit.words("console.decide.which"))
        )
    return await _decide(visit, reason)


async def _decide(visit: Visit, reason: DeclineReason | None) -> Response:
    found = await _find(visit)
    if isinstance(found, Response):
        return found
    key = await steward_key(visit)
    if isinstance(key, NoKey):
        return await _shown(visit, found, 400, visit.words("console.decide.key"))
    now, with_note = visit.screen.wall(), visit.text("with_note") == "yes"
    given = await work(give_word, visit.home, key, found.one, reason, now, visit.text("note"), with_note)
    outcome = given.outcome
    if isinstance(outcome, Unheard):
        because = visit.words(f"node.reason.{outcome.reason}") if outcome.reason else ""
        fields = {"fingerprint": key.public.fingerprint, "sentence": outcome.sentence, "because": because}
        return await _shown(visit, found, 409, visit.words(f"node.decide.not.{outcome.why}", **fields))
    return RedirectResponse(f"/programmes/{found.one.hash}?done={outcome.word}", 303)


async def _find(visit: Visit) -> _Seen | Response:
    given = str(visit.request.path_params["hash"])
    if not HASH.fullmatch(given):
        return visit.problem(404, "console.problem.no_programme")
    found = await work(_seen, visit.home, given, visit.lang)
    return visit.problem(404, "console.problem.no_programme") if isinstance(found, NotFound) else found


def _seen(home: Home, given: str, lang: Language) -> _Seen | NotFound:
    one = one_programme(home, given)
    return one if isinstance(one, NotFound) else _Seen(one, explain(one, understand(home, one.hash), lang))


def _made(home: Home, programme: str, lang: Language) -> Told | str:
    """An example in words; else the name of what went wrong, empty where the documents do not explain the question."""
    # Only here: the engine and the sampler take a moment to load.
    from node.example.release import example

    understood = understand(home, programme)
    if understood is None:
        return ""
    try:
        return tell(example(home, understood), understood.codebook, lang)
    except (OSError, SumsFailed) as error:
        return type(error).__name__


async def _shown(visit: Visit, seen: _Seen, status: int, problem: str = "", example: Told | None = None) -> Response:
    """The page of a programme; `problem` is a sentence."""
    done, one = visit.request.query_params.get("done", ""), seen.one
    pages = await work(filed, visit.home, one.hash)
    return visit.page(
        "programme.html",
        status,
        one=_told(visit, one),
        asked=seen.asked,
        example=example,
        pages=[told_page(visit, page) for page in pages],
        notes=read_notes(visit.home, one.hash),
        open=one.state in ("pending", "approved", "declined", "allowed"),
        reasons=[(reason, visit.words(f"node.decide.reason.{reason}")) for reason in REASONS],
        own_key=own_key(visit),
        problem=problem,
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
        "cohort": cohort_words(one, visit.lang),
        "price": _amount(visit, one.price),
        "left": visit.words(
            "node.pending.left_is",
            cohort=_amount(visit, one.left_cohort),
            lifetime=_amount(visit, one.left_lifetime),
        ),
        "came": f"{moment(one.came, visit.lang)} UTC",
        "deadline": f"{moment(one.deadline, visit.lang)} UTC",
        "marks": [visit.words(f"node.pending.{name}") for name, marked in _marks(one) if marked],
    }


def _marks(one: Proposal) -> tuple[tuple[str, bool], ...]:
    return ("synthetic", one.data == "synthetic"), ("test_only", one.test_only), ("paid", one.charged)


def _amount(visit: Visit, one: Amount) -> str:
    return amount_words(one, visit.lang)
