"""A question that waits in a home, as if it had come in through `serve`."""

from __future__ import annotations

import time

from rondgang.signed import Signed

from node.home import Home
from node.ledger.ledger import Ask, Claim
from node.region import Region
from policies.documents import from_canonical
from policies.rules.decide import decide
from policies.rules.refusals import Reason, Refused
from policies.statistics.programme import Programme
from policies.study.text import Text
from tests.node_world import FOREVER, RESEARCHER, signed_order, signed_programme
from tests.small_study import heading, planned


def now() -> int:
    return int(time.time())


def asked_for(name: str, **changes: object) -> Signed:
    """The small programme by another name, signed, for as long as tests run."""
    head = heading(id=name, title=Text(nl=f"Vraag {name}", en=f"Question {name}"), deadline=FOREVER, **changes)
    return signed_programme(planned().model_copy(update={"programme": head}))


def ask(home: Home, programme: Signed) -> str:
    """The order comes in, as through `serve`, and waits for the steward. Returns the programme's hash."""
    region = Region(home, now)
    document = from_canonical(Programme, programme.document)
    claim = Claim(programme.digest, "run-0123456789abcdef", RESEARCHER.public.hex, "c1", "5" * 32)
    order = signed_order(programme, deadline=FOREVER)
    (outcome,) = region.ledger.debit([Ask(claim, programme, order, lambda b: decide(document, region.standing(b)))])
    region.close()
    assert isinstance(outcome, Refused)
    assert outcome.reason is Reason.AWAITING_APPROVAL
    return programme.digest
