"""The rules themselves are wrong: a bound is understated by whoever plans, prices, asks and answers, all alike.

The programme is planned in a process of its own, by rules in which one bound is too small. Everything that follows from
it agrees with it: the price, the charge, the totals, the signatures. The auditor finds it all the same.
"""

from __future__ import annotations

import subprocess
import sys

import pytest
from rondgang import canonical

from audit.findings import Finding, Severity
from audit.practise.log import Log
from audit.practise.papers import paper
from audit.practise.story import FR, GR, after, tell
from audit.verify import verify
from tests.made_up import people, study
from tests.shape.sources import CHECKOUT

DRAFT = """
programme:
  id: broken
  title: {nl: Verzonnen, en: Made up}
  purpose: To have something to check
  requester: Tests
  cohort: c1
  codebook: madeup@1
  deadline: 2027-06-01
price: {rho: "0.1"}
statistics:
  - {id: safe, kind: proportion, of: "safe == yes", unit: adult, wave: "T0+T1"}
  - {id: helped, kind: proportion, of: "help == yes", unit: household, wave: T1}
"""
PLANNING = """
import sys
from policies.documents import from_canonical, parse_yaml, to_canonical
from policies.statistics import blocks
{mutation}
from policies.statistics.plan import plan
from policies.statistics.programme import Draft
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook
draft, codebook, calendar, *hashes = sys.argv[1:]
documents = from_canonical(Codebook, codebook.encode()), from_canonical(Calendar, calendar.encode())
sys.stdout.buffer.write(to_canonical(plan(parse_yaml(Draft, draft, "draft"), *documents, tuple(hashes))))
"""
ONE_ADULT = "blocks.block_bound = lambda cap, summand, waves=1: min(cap, 1) * waves * summand.top"
ONE_WAVE = "blocks.block_bound = lambda cap, summand, waves=1: cap * summand.top"


def audited(mutation: str) -> tuple[Finding, ...]:
    """What verify finds in the evidence of a federation that plans, asks and answers by rules with this mutation."""
    world = study()
    documents = [one.document.decode() for one in (world.codebook, world.calendar)]
    hashes = [world.codebook.digest, world.calendar.digest]
    planned = subprocess.run(
        [sys.executable, "-c", PLANNING.format(mutation=mutation), DRAFT, *documents, *hashes],
        cwd=CHECKOUT,
        capture_output=True,
        check=True,
    ).stdout
    body = canonical.decode(planned)
    assert isinstance(body, dict)

    def chapter(log: Log) -> None:
        asked = paper("programme", body, log.study.people.researcher.signing)
        log.ask(asked)
        log.spend(asked)

    files = tell(world, after(FR, "first", chapter), GR).sealed()
    return verify(list(files.items()), people().consortium.public).findings


def test_an_unbroken_plan_has_nothing_to_find() -> None:
    assert audited("") == ()


@pytest.mark.parametrize(
    ("mutation", "blocks"),
    [(ONE_ADULT, {"safe", "n1"}), (ONE_WAVE, {"safe", "n1"})],
    ids=["one adult a household", "pooled waves count once"],
)
def test_a_bound_that_is_too_small_everywhere_is_found_at_its_debit(mutation: str, blocks: set[str]) -> None:
    errors = [one for one in audited(mutation) if one.severity is Severity.ERROR]
    assert {(one.code, one.entry) for one in errors} == {("price.bound", "FR/1#10"), ("price.charge", "FR/1#10")}
    assert {one.what.split()[1].rstrip(":") for one in errors if one.code == "price.bound"} == blocks
