"""What a steward does with a key of their own: sign a word on one question, hand it to the node, and file it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rondgang.errors import BadKey
from rondgang.keys import SigningKey
from rondgang.signed import sign

from node.approving import Heard, Proposal, Unheard
from node.filing import file_decision
from node.home import Home
from node.notes import keep_note
from node.operations import status, tell_word
from node.pages.decision import Decided
from node.status import Amount
from node.understanding import understand
from policies.documents import to_canonical
from policies.rules.approval import Approval, DeclineReason


@dataclass(frozen=True, slots=True)
class NoKey:
    """A file that is no steward's key: which, and what is the matter with it."""

    file: str
    detail: str


def key_file(home: Home) -> Path:
    """Where the home keeps the steward's key, if it does."""
    return home.keys / "steward.pem"


def read_key(path: Path) -> SigningKey | NoKey:
    """The private key in a file."""
    try:
        return SigningKey.from_pem(path.read_bytes())
    except OSError as error:
        return NoKey(str(path), error.strerror or type(error).__name__)
    except BadKey as error:
        return NoKey(str(path), str(error))


@dataclass(frozen=True, slots=True)
class Given:
    """What became of a word; `note` is where the steward's own line about it stands, `page` the page to file.

    `not_filed` says why there is no page of a word that was heard.
    """

    outcome: Heard | Unheard
    note: Path | None = None
    page: Path | None = None
    not_filed: str = ""


def give_word(
    home: Home,
    key: SigningKey,
    one: Proposal,
    reason: DeclineReason | None,
    moment: int,
    note: str = "",
    with_note: bool = False,
) -> Given:
    """Signs the steward's yes, or no for a `reason`, to a question, hands it to the node, and files a page of it.

    `moment` is now, in unix seconds; `with_note` puts the note on the page too. Durable on return. Raises NodeError,
    and NotReady where no policy is adopted.
    """
    config = home.config()
    decision = "approve" if reason is None else "decline"
    word = Approval.model_validate(
        {"region": config.region, "programme": one.hash, "decision": decision, "reason": reason, "decided": moment}
    )
    before, understood = _left(home, one), understand(home, one.hash)
    outcome = tell_word(home, sign("approval", to_canonical(word), key))
    if isinstance(outcome, Unheard):
        return Given(outcome)
    kept = keep_note(home, one.hash, moment, reason or decision, note) if note.strip() else None
    if not outcome.new:
        return Given(outcome, kept)
    told = Decided(
        region=config.region,
        one=one,
        heard=outcome,
        reason=reason,
        moment=moment,
        fingerprint=key.public.fingerprint,
        before=before,
        understood=understood,
        note=" ".join(note.split()) if with_note else "",
    )
    try:
        return Given(outcome, kept, file_decision(home, told, config.lang))
    except OSError as error:
        # The word is in the ledger: that stands, whatever becomes of its copy.
        return Given(outcome, kept, None, error.strerror or type(error).__name__)


def _left(home: Home, one: Proposal) -> tuple[Amount, Amount]:
    """What is left now of the question's cohort, and of all cohorts together."""
    budgets = {budget.cohort: budget for budget in status(home).budgets}
    own = budgets.get(one.cohort)
    return (one.left_cohort, one.left_lifetime) if own is None else (own.left, own.left_lifetime)
