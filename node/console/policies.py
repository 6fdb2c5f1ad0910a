"""The policy page: what is in force in words, another one beside it, and adopting that with the steward's key."""

from __future__ import annotations

from dataclasses import dataclass

import yaml
from rondgang.keys import SigningKey
from rondgang.signed import sign
from starlette.datastructures import UploadFile
from starlette.responses import RedirectResponse, Response

from node.console.keys import own_key, steward_key
from node.console.screen import Visit, work
from node.home import Home
from node.operations import Declined, Done, adopt_signed_policy, review_policy
from node.pages.policies import change_words, meaning, remark_words, sum_words
from node.policy_file import MOST_BYTES, PolicyFile, policy_in_force, read_policy
from node.reviewing import Reviewed
from node.steward import NoKey
from policies.documents import BadDocument
from policies.rules.region_policy import RegionPolicy

_MOST_PLACES = 12


@dataclass(frozen=True, slots=True)
class _Held:
    """The policy in force, and what there is to say of it."""

    policy: RegionPolicy
    reviewed: Reviewed


async def policy(visit: Visit) -> Response:
    """What the policy in force means, and a form to look at another."""
    return await _shown(visit, 200)


async def check(visit: Visit) -> Response:
    """What a policy in a file means here, and what it would change. Adopts nothing."""
    given = visit.form.get("policy")
    if not isinstance(given, UploadFile) or not given.size:
        return await _shown(visit, 400, "decide.policy.no_file")
    return await _looked_at(visit, await given.read(MOST_BYTES + 1), given.filename or "policy.yaml")


async def adopt(visit: Visit) -> Response:
    """Puts the policy that was looked at into force, signed with the key of this act or the home's own."""
    text = visit.text("written")
    if visit.text("read") != "yes":
        return await _looked_at(visit, text.encode("utf-8"), "policy.yaml", "decide.policy.not_confirmed")
    try:
        given = read_policy(text.encode("utf-8"), "policy.yaml")
    except BadDocument as error:
        return await _unreadable(visit, error)
    reviewed = await work(review_policy, visit.home, given.policy)
    if not reviewed.adoptable:
        return _page(visit, 409, given, reviewed, text, "node.policy.not_adoptable")
    signed = given.signed
    if signed is None:
        key = await steward_key(visit)
        if isinstance(key, NoKey):
            return _page(visit, 400, given, reviewed, text, "decide.policy.bad_key")
        signed = _signed(reviewed, key)
    outcome: Done | Declined = await work(adopt_signed_policy, visit.home, signed)
    if isinstance(outcome, Declined):
        return _page(visit, 409, given, reviewed, text, "decide.policy.not_adopted", detail=outcome.sentence)
    return RedirectResponse(f"/policy?done={'adopted' if outcome.new else 'same'}", 303)


def _signed(reviewed: Reviewed, key: SigningKey) -> bytes:
    return sign("policy", reviewed.policy.encode("utf-8"), key).to_bytes()


async def _looked_at(visit: Visit, data: bytes, source: str, problem: str = "") -> Response:
    try:
        given = read_policy(data, source)
    except BadDocument as error:
        return await _unreadable(visit, error)
    reviewed = await work(review_policy, visit.home, given.policy)
    # Read as UTF-8 already, or as canonical JSON.
    return _page(visit, 400 if problem else 200, given, reviewed, data.decode("utf-8"), problem)


async def _unreadable(visit: Visit, error: BadDocument) -> Response:
    """With the lines that are wrong, each without the name of the file."""
    places = [place.removeprefix(f"{error.source}:").strip() for place in error.places[:_MOST_PLACES]]
    return await _shown(visit, 400, "decide.policy.unreadable", places)


async def _shown(visit: Visit, status: int, problem: str = "", places: list[str] | None = None) -> Response:
    held = await work(_held, visit.home)
    done = visit.request.query_params.get("done", "")
    version = 0 if held is None else held.policy.policy.version
    told = {"adopted": "decide.policy.done", "same": "decide.policy.same"}.get(done)
    plain = None if held is None else held.policy.model_dump(mode="json", exclude_defaults=True)
    return visit.page(
        "policy.html",
        status,
        sentences=() if held is None else meaning(held.policy, held.reviewed, visit.lang),
        written="" if plain is None else yaml.safe_dump(plain, sort_keys=False, allow_unicode=True),
        problem=visit.words(problem) if problem else "",
        places=places or [],
        done=visit.words(told, version=version) if told else "",
    )


def _held(home: Home) -> _Held | None:
    held = policy_in_force(home)
    return None if held is None else _Held(held, review_policy(home, held))


def _page(
    visit: Visit, status: int, given: PolicyFile, reviewed: Reviewed, text: str, problem: str, **fields: str
) -> Response:
    """A policy that was looked at, with the form to adopt it where nothing stands against it."""
    lang, changes = visit.lang, reviewed.changes
    return visit.page(
        "policy_check.html",
        status,
        sentences=meaning(given.policy, reviewed, lang),
        changes=None if changes is None else change_words(changes, lang),
        summed=sum_words(changes or (), lang),
        objections=[remark_words(one, lang) for one in reviewed.remarks if one.objection],
        remarks=[remark_words(one, lang) for one in reviewed.remarks if not one.objection],
        adoptable=reviewed.adoptable,
        signed=given.signed is not None,
        own_key=own_key(visit),
        written=text,
        problem=visit.words(problem, **fields) if problem else "",
    )
