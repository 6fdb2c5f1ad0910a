"""What waits for the steward, and the steward's word on it. Nothing here is computed from rows.

A programme is put before the steward when everything else allows it (see policies/rules/decide.py). The word on it is a
signed document: whoever holds a steward's key signs it, wherever that key is kept, and the node checks and logs it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict
from rondgang.errors import ContractError
from rondgang.signed import Signed, verify

from node.authenticate import Asked, authenticate_programme, read_programme
from node.ledger.book import Book
from node.region import Region
from node.status import Amount, amount
from policies.documents import BadDocument, from_canonical
from policies.rules.approval import Approval
from policies.rules.decide import Standing, decide, first_of, left, touched
from policies.rules.refusals import Reason, Refused
from policies.statistics.compile import Compilation
from policies.statistics.programme import Programme
from policies.statistics.statistic import Statistic
from policies.statistics.verify import verify_plan
from policies.study.codebook import Codebook
from policies.study.roster import Member
from policies.study.text import Text
from policies.units.money import NanoRho

FRESH_S = 300
"""How far the moment in a steward's word may lie from the node's clock: an old word is not said again by a copy."""
LEAST_DIGITS = 8
"""Of a hash that names a programme; fewer are a slip of the hand."""

HASH = re.compile(rf"[0-9a-f]{{{LEAST_DIGITS},64}}")

State = Literal["pending", "approved", "declined", "allowed", "answered", "refused"]
"""Where a programme that was asked stands, on the snapshot in force.

pending: it waits for the steward; approved, declined: the steward's newest word; allowed: the policy asks for no word;
answered: its answer is stored; refused: something else stands against it.
"""


class Told(BaseModel):
    """Part of what is told; JSON field names are fixed."""

    model_config = ConfigDict(frozen=True)


class Question(Told):
    """One statistic, and the variables it touches with their labels; None for one without."""

    statistic: Statistic
    variables: dict[str, Text | None]


class Proposal(Told):
    """A programme as a steward decides on it. Instants are unix seconds; amounts in rho and epsilon.

    `charged`: it was paid for, and no answer came of that yet. `price` is with every attempt at national sums that it
    allows; `left_cohort` and `left_lifetime` are what is left after it. `refused` is why it is not answered now, by
    reason and sentence; `reason` the steward's own where that said no.
    """

    hash: str
    state: State
    title: Text
    id: str
    purpose: str
    requester: str
    researcher: str
    cohort: str
    regions: int
    data: Literal["study", "synthetic"]
    test_only: bool
    charged: bool
    price: Amount
    left_cohort: Amount
    left_lifetime: Amount
    deadline: int
    came: int
    questions: tuple[Question, ...]
    refused: str = ""
    sentence: str = ""
    reason: str = ""


class Waiting(Told):
    """Every programme that waits for the steward, the oldest first."""

    pending: tuple[Proposal, ...]


class NotFound(Told):
    """No programme, or several, go by what was given. `matches` are the hashes of several."""

    matches: tuple[str, ...] = ()


Word = Literal["approved", "declined"]
NotHeard = Literal["malformed", "other_region", "not_steward", "stale", "unknown", "answered", "refused"]


class Heard(Told):
    """The steward's word is in the ledger; `new` is False where it was there already.

    `charged`: the programme was paid for before, and that stays. `entry` is the number of the word's own entry in the
    ledger and `leaf` that entry's hash; none where it was there already.
    """

    word: Word
    programme: str
    new: bool
    charged: bool
    entry: int | None = None
    leaf: str = ""


class Unheard(Told):
    """The steward's word changed nothing. `reason` and `sentence` are those of the refusal that stands anyway."""

    why: NotHeard
    programme: str = ""
    reason: str = ""
    sentence: str = ""


def waiting(region: Region) -> Waiting:
    """What waits for the steward now. Reads the ledger and its documents. Raises NotReady."""
    book = region.ledger.book
    put = {programme for programme, _run, reason in book.refusals if reason == Reason.AWAITING_APPROVAL.value}
    found = (_proposal(region, programme) for programme in put - set(book.approvals))
    pending = [one for one in found if one is not None and one.state == "pending"]
    return Waiting(pending=tuple(sorted(pending, key=lambda one: (one.came, one.hash))))


def proposal(region: Region, given: str) -> Proposal | NotFound:
    """The one programme that was asked here and whose hash begins with what is given. Raises NotReady."""
    if not HASH.fullmatch(given):
        return NotFound()
    matches = sorted(one for one in region.ledger.book.first_asked if one.startswith(given))
    found = _proposal(region, matches[0]) if len(matches) == 1 else None
    return found or NotFound(matches=tuple(matches))


def hear(region: Region, data: bytes) -> Heard | Unheard:
    """Takes in a steward's signed word on a programme. Logged with the document and durable on return.

    A yes to what the rules forbid is not taken: it would promise what does not happen. Raises NotReady.
    """
    signed = _approval(data)
    if signed is None:
        return Unheard(why="malformed")
    envelope, word = signed
    if word.region != region.code:
        return Unheard(why="other_region", programme=word.programme)
    if not any(verify(envelope, key) for key in region.steward_keys()):
        return Unheard(why="not_steward", programme=word.programme)
    if abs(word.decided - region.now()) > FRESH_S:
        return Unheard(why="stale", programme=word.programme)
    known = _proposal(region, word.programme)
    if known is None:
        return Unheard(why="unknown", programme=word.programme)
    return _log(region, envelope, word, known)


def _log(region: Region, envelope: Signed, word: Approval, known: Proposal) -> Heard | Unheard:
    book = region.ledger.book
    said: Word = "approved" if word.decision == "approve" else "declined"
    heard = Heard(word=said, programme=known.hash, new=True, charged=known.charged)
    if book.approvals.get(known.hash) == word.decision and book.declined.get(known.hash) == word.reason:
        return heard.model_copy(update={"new": False})
    if known.state == "answered":
        return Unheard(why="answered", programme=known.hash)
    if word.decision == "approve" and known.state == "refused":
        return Unheard(why="refused", programme=known.hash, reason=known.refused, sentence=known.sentence)
    if region.ledger.document("approval", envelope.digest) is not None:
        # It was said before and another word came after it: somebody repeats it.
        return Unheard(why="stale", programme=known.hash)
    region.ledger.log_approval(envelope, word)
    book = region.ledger.book
    return heard.model_copy(update={"entry": book.size - 1, "leaf": book.head})


def _approval(data: bytes) -> tuple[Signed, Approval] | None:
    try:
        signed = Signed.from_bytes(data)
        return (signed, from_canonical(Approval, signed.document)) if signed.kind == "approval" else None
    except (ContractError, BadDocument):
        return None


def _proposal(region: Region, programme: str) -> Proposal | None:
    """How a programme stands; None for one that was never asked in this epoch of the log."""
    book = region.ledger.book
    came, kept = book.first_asked.get(programme), region.ledger.document("programme", programme)
    asked = None if kept is None else read_programme(kept.to_bytes())
    if came is None or asked is None or isinstance(asked, Refused):
        return None
    standing = region.standing(book)
    compiled = _compiled(asked.programme, standing)
    state, refused = _state(region, asked, standing, compiled)
    heading, charge = asked.programme.programme, asked.programme.most_charge
    of_cohort, of_lifetime = left(heading.cohort, standing)
    charged = _charged(book, asked)
    to_pay = NanoRho(0) if charged or state == "answered" else charge
    return Proposal(
        hash=programme,
        state=state,
        title=heading.title,
        id=heading.id,
        purpose=heading.purpose,
        requester=heading.requester,
        researcher=_name(asked.signed, region.roster.members),
        cohort=heading.cohort,
        regions=len(asked.programme.regions),
        data=heading.data,
        test_only=heading.test_only,
        charged=charged,
        price=amount(charge),
        left_cohort=amount(of_cohort.left_after(to_pay)),
        left_lifetime=amount(of_lifetime.left_after(to_pay)),
        deadline=heading.deadline,
        came=came,
        questions=_questions(asked.programme, compiled, standing.codebooks.get(asked.programme.codebook_hash)),
        refused="" if refused is None else refused.reason.value,
        sentence="" if refused is None else refused.sentence,
        reason=book.declined.get(programme, ""),
    )


def _compiled(programme: Programme, standing: Standing) -> Compilation | None:
    codebook = standing.codebooks.get(programme.codebook_hash)
    found = None if codebook is None else verify_plan(programme, codebook, standing.calendar)
    return None if isinstance(found, Refused) else found


def _state(
    region: Region, asked: Asked, standing: Standing, compiled: Compilation | None
) -> tuple[State, Refused | None]:
    book = region.ledger.book
    own, together = _given(region, asked)
    if own and together:
        return "answered", None
    authentic = authenticate_programme(asked, region.roster, standing.now)
    if isinstance(authentic, Refused):
        return "refused", authentic
    decision = decide(asked.programme, standing, compiled, attempt=1 if own else first_of(asked.programme))
    if not isinstance(decision, Refused):
        return ("approved" if asked.digest in book.approvals else "allowed"), None
    match decision.reason:
        case Reason.AWAITING_APPROVAL:
            return "pending", decision
        case Reason.DECLINED:
            return "declined", decision
        case _:
            return "refused", decision


def _given(region: Region, asked: Asked) -> tuple[bool, bool]:
    """Whether the region's own answer was given, and the national sums are there; what is not asked counts as given."""
    book, programme = region.ledger.book, asked.programme
    held = book.snapshots.get(programme.programme.cohort)
    answered = held is not None and region.ledger.answer(asked.digest, held.snapshot) is not None
    summed = any(one == asked.digest for one, _run in book.sums)
    return answered or not programme.of_mode("regional"), summed or not programme.of_mode("national")


def _charged(book: Book, asked: Asked) -> bool:
    """Whether the programme was paid for from the snapshot in force, and not answered."""
    held = book.snapshots.get(asked.programme.programme.cohort)
    debits = book.unanswered.values()
    return held is not None and any((one.programme, one.snapshot) == (asked.digest, held.snapshot) for one in debits)


def _questions(programme: Programme, compiled: Compilation | None, codebook: Codebook | None) -> tuple[Question, ...]:
    if compiled is None or codebook is None:
        return tuple(Question(statistic=one, variables={}) for one in programme.statistics)
    return tuple(
        Question(
            statistic=one.statistic,
            variables={name: _label(codebook, name) for name in sorted(touched(one, compiled))},
        )
        for one in compiled.statistics
    )


def _label(codebook: Codebook, name: str) -> Text | None:
    found = codebook.variables.get(name) or codebook.derived.get(name.partition(".")[0])
    return None if found is None else found.labels


def _name(signed: Signed, members: Iterable[Member]) -> str:
    """What the roster calls who signed; several where several did, and the bare key where the roster has no name."""
    names = {key: member.name for member in members for key in member.keys.values()}
    return ", ".join(names.get(key, key[:16]) for key in signed.signers)
