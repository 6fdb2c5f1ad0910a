"""What a steward does with a key of their own: sign a word on one programme and hand it to the node."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rondgang.errors import BadKey
from rondgang.keys import SigningKey
from rondgang.signed import sign

from node.approving import Heard, Unheard
from node.home import Home
from node.notes import keep_note
from node.operations import tell_word
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
    """What became of a word; `note` is where the steward's own line about it stands."""

    outcome: Heard | Unheard
    note: Path | None


def give_word(
    home: Home, key: SigningKey, programme: str, reason: DeclineReason | None, moment: int, note: str = ""
) -> Given:
    """Signs the steward's yes, or no for a `reason`, to a programme (by its whole hash) and hands it to the node.

    `moment` is now, in unix seconds. Durable on return. Raises NodeError, and NotReady where no policy is adopted.
    """
    decision = "approve" if reason is None else "decline"
    region = home.config().region
    word = Approval.model_validate(
        {"region": region, "programme": programme, "decision": decision, "reason": reason, "decided": moment}
    )
    outcome = tell_word(home, sign("approval", to_canonical(word), key))
    wanted = note.strip() and isinstance(outcome, Heard)
    return Given(outcome, keep_note(home, programme, moment, reason or decision, note) if wanted else None)
