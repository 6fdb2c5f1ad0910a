"""All signed documents of all bundles: found by hash, read once, and with the keys that really signed them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from rondgang.errors import BadKey, NotCanonical
from rondgang.keys import PublicKey
from rondgang.signed import Signature

from audit.exact import whole
from audit.model import Bundle, Paper
from audit.policy import Policy, read_policy
from audit.reprice.asked import Asked, CannotDerive, read_asked
from audit.reprice.price import Repriced
from audit.rounds import NationalSum, Round, read_round, read_sum
from policies.documents import BadDocument, Document, from_canonical
from policies.rules.approval import Approval
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook
from policies.study.roster import Roster

D = TypeVar("D", bound=Document)
T = TypeVar("T")
_MOST_SIGNATURES = 16
"""More names than anyone needs under a document."""


@dataclass(frozen=True, slots=True)
class Order:
    """The coordinator's order for one programme in one run; unix seconds. `attempt` 0: for the region's own answer."""

    run: str
    programme: str
    issued: int
    deadline: int
    attempt: int = 0


@dataclass(slots=True)
class Library:
    """`consortium` is the key (hex) that must have signed roster, calendar and codebooks.

    What cannot be read is None: that a document is missing, unsigned or malformed becomes a finding where it is used.
    """

    consortium: str
    repriced: dict[str, Repriced] = field(default_factory=dict)
    """What was derived of a programme, by all that its price depends on."""
    _papers: dict[tuple[str, str], list[Paper]] = field(default_factory=dict)
    _signers: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    _read: dict[tuple[str, str], object] = field(default_factory=dict)
    _asked: dict[str, Asked | str | None] = field(default_factory=dict)

    @classmethod
    def of(cls, bundles: Iterable[Bundle], consortium: str) -> Library:
        library = cls(consortium)
        for bundle in bundles:
            for paper in bundle.papers.values():
                held = library._papers.setdefault((paper.kind, paper.hash), [])
                if all(other.envelope != paper.envelope for other in held):
                    held.append(paper)
        return library

    def paper(self, kind: str, hashed: str) -> Paper | None:
        """The document of this kind and hash, from whichever bundle has it."""
        held = self._papers.get((kind, hashed))
        return held[0] if held else None

    def signers(self, kind: str, hashed: str) -> frozenset[str]:
        """The keys (hex) that really signed the document, as this kind."""
        found = self._signers.get((kind, hashed))
        if found is None:
            papers = self._papers.get((kind, hashed), [])
            found = self._signers[kind, hashed] = frozenset(key for paper in papers for key in valid_signers(paper))
        return found

    def by_consortium(self, kind: str, hashed: str) -> bool:
        return self.consortium in self.signers(kind, hashed)

    def hashes(self, kind: str) -> tuple[str, ...]:
        return tuple(hashed for of_kind, hashed in self._papers if of_kind == kind)

    def roster(self, hashed: str) -> Roster | None:
        return self._once("roster", hashed, lambda paper: _document(Roster, paper))

    def calendar(self, hashed: str) -> Calendar | None:
        return self._once("calendar", hashed, lambda paper: _document(Calendar, paper))

    def codebook(self, hashed: str) -> Codebook | None:
        return self._once("codebook", hashed, lambda paper: _document(Codebook, paper))

    def order(self, hashed: str) -> Order | None:
        return self._once("order", hashed, _order)

    def national_sum(self, hashed: str) -> NationalSum | None:
        return self._once("national_sum", hashed, lambda paper: read_sum(paper.body))

    def round(self, kind: str, hashed: str) -> Round | None:
        """A document that fixes a round: participants, sharing or survivors."""
        return self._once(kind, hashed, read_round)

    def approval(self, hashed: str) -> Approval | None:
        return self._once("approval", hashed, lambda paper: _document(Approval, paper))

    def policy(self, hashed: str) -> Policy | None:
        return self._once("policy", hashed, lambda paper: read_policy(paper.body))

    def programme(self, hashed: str) -> Asked | str | None:
        """The programme; where it cannot be read, why."""
        if hashed not in self._asked:
            paper = self.paper("programme", hashed)
            self._asked[hashed] = None if paper is None else _asked(paper)
        return self._asked[hashed]

    def rosters(self) -> tuple[Roster, ...]:
        """Every roster that the consortium signed, by serial."""
        signed = (self.roster(hashed) for hashed in self.hashes("roster") if self.by_consortium("roster", hashed))
        return tuple(sorted((one for one in signed if one is not None), key=lambda one: one.serial))

    def _once(self, kind: str, hashed: str, read: Callable[[Paper], T | None]) -> T | None:
        """What `read` makes of the document, made once. The cache holds what the same `read` put there."""
        if (kind, hashed) not in self._read:
            paper = self.paper(kind, hashed)
            self._read[kind, hashed] = None if paper is None else read(paper)
        found: T | None = self._read[kind, hashed]  # type: ignore[assignment]  # one reader for each kind
        return found


def valid_signers(paper: Paper) -> tuple[str, ...]:
    """The keys (hex) whose signatures on this one envelope hold."""
    covered = f"rondgang/v1/{paper.kind}\n".encode("ascii") + paper.document
    return tuple(one.key for one in paper.signatures[:_MOST_SIGNATURES] if _holds(one, covered))


def _holds(signature: Signature, covered: bytes) -> bool:
    """Whether the signature is its key's over these bytes: kind of document, a line feed, and the document."""
    try:
        return PublicKey.from_hex(signature.key).verifies(bytes.fromhex(signature.value), covered)
    except BadKey:
        return False


def _document(model: type[D], paper: Paper) -> D | None:
    try:
        return from_canonical(model, paper.document)
    except (BadDocument, NotCanonical):
        # The second: a number that the model reads out of a text, and that is too large to be written back.
        return None


def _order(paper: Paper) -> Order | None:
    """An order by hand: there is one for every question."""
    match paper.body:
        case {"run": str(run), "programme": str(programme), "issued": issued, "deadline": deadline, **rest} if not (
            set(rest) - {"attempt"}
        ):
            first, last, attempt = whole(issued), whole(deadline), whole(rest.get("attempt", 0))
            return (
                None
                if first is None or last is None or attempt is None
                else Order(run, programme, first, last, attempt)
            )
        case _:
            return None


def _asked(paper: Paper) -> Asked | str:
    try:
        return read_asked(paper.body)
    except CannotDerive as fault:
        return str(fault)
