"""What a region refuses costs nothing and opens nothing: real processes, a snapshot that catches whoever opens it.

The desk in the middle part is in the attacker's hands: it has the coordinator's own certificate and key, and sends
programmes that an honest desk would turn away before any region hears of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest
from rondgang.keys import SigningKey
from rondgang.roles import Role
from rondgang.signed import Signed, sign

import node.cli
from audit.home import Home as Witness
from compose.consortium.home import Home as Consortium
from compose.demo.federation import Federation
from compose.demo.verbs import run as verb
from coordinator.home import Home as Profile
from node.home import Home
from node.status import Budget
from policies.documents import parse_yaml, to_canonical
from policies.rules.entries import AskedEntry, RefusedEntry
from policies.rules.refusals import Reason
from policies.statistics.plan import plan
from policies.statistics.programme import Charge, Draft, Programme
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook
from policies.study.roster import Member, Roster
from tests.applicants import DAY_S, signing_key
from tests.e2e.world import (
    ONE,
    STRICT_CALENDAR,
    OtherDesk,
    caught,
    draft,
    entries,
    node_at,
    reason,
    status_of,
    strict_federation,
    trap,
    until,
)
from tests.small_study import CODEBOOK

PEOPLE = {name: signing_key(name) for name in ("revoked", "expired", "early", "stranger")}


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    """Region AA with a strict policy. Set up, and nothing running."""
    made = strict_federation(tmp_path_factory.mktemp("refusals"))
    yield made
    made.stop()


@dataclass(frozen=True)
class Rig:
    """The attacker's desk, the node behind it, and what the researcher could sign."""

    federation: Federation
    desk: OtherDesk
    researcher: SigningKey
    snapshot: Path
    codebook: Codebook
    calendar: Calendar

    def planned(self, asked: Draft) -> Programme:
        hashes = tuple(sign(kind, to_canonical(one), self.researcher).digest for kind, one in self._papers())
        return plan(asked, self.codebook, self.calendar, (hashes[0], hashes[1]))

    def _papers(self) -> tuple[tuple[str, Codebook], tuple[str, Calendar]]:
        return ("codebook", self.codebook), ("calendar", self.calendar)

    def signed(self, programme: Programme, *keys: SigningKey) -> Signed:
        return sign("programme", to_canonical(programme), *(keys or (self.researcher,)))

    def roster(self, *more: Member, revoke: str = "") -> None:
        """Everyone who enrolled and these, on a new roster that the serving node adopts."""
        home = Consortium(self.federation.consortium)
        register, issued = home.register().roster(int(time.time()))
        members = [
            one.model_copy(update={"revoked": one.revoked or one.name == revoke}) for one in (*issued.members, *more)
        ]
        home.keep(register)
        roster = Roster(serial=issued.serial, issued=issued.issued, members=tuple(members))
        path = self.federation.folder / "newer.json"
        path.write_bytes(sign("roster", to_canonical(roster), home.authority().signing).to_bytes())
        verb(node.cli.app, "node", "adopt", path, "--home", self.federation.node("AA"))


@pytest.fixture(scope="module")
def rig(federation: Federation) -> Iterator[Rig]:
    """A real node process at the attacker's desk; every file of its snapshot is a pipe that nobody writes to."""
    (snapshot,) = Home(federation.node("AA")).snapshots.iterdir()
    trap(snapshot)
    codebook, calendar = parse_yaml(Codebook, CODEBOOK, ""), parse_yaml(Calendar, STRICT_CALENDAR, "")
    with node_at(federation, "AA") as desk:
        researcher = Profile(federation.researcher).signing_key()
        made = Rig(federation, desk, researcher, snapshot, codebook, calendar)
        made.roster(*_people())
        yield made


def _people() -> tuple[Member, ...]:
    now = int(time.time())
    usual = {"role": Role.RESEARCHER, "valid_from": now - DAY_S, "valid_to": now + DAY_S}
    facts: dict[str, dict[str, object]] = {
        "revoked": {"revoked": True},
        "expired": {"valid_to": now - 60},
        "early": {"valid_from": now + 3600},
    }
    return tuple(
        Member.model_validate(
            {**usual, "name": name, "tls": signing_key(f"tls {name}").public.hex,
             "keys": {"signing": PEOPLE[name].public.hex}, **more}
        )
        for name, more in facts.items()
    )  # fmt: skip


def asked(name: str, *statistics: dict[str, object], rho: str = "0.2", **heading: object) -> Draft:
    return draft(name, *statistics, rho=rho, weights={"AA": "1"}, **heading)


def changed(**parts: object) -> Callable[[Rig], Programme]:
    """A programme that was changed after planning."""
    return lambda rig: rig.planned(asked("changed")).model_copy(update=parts)


def headed(**heading: object) -> Callable[[Rig], Programme]:
    def make(rig: Rig) -> Programme:
        programme = rig.planned(asked("headed"))
        return programme.model_copy(update={"programme": programme.programme.model_copy(update=heading)})

    return make


def spelled(**parts: object) -> Callable[[Rig], Programme]:
    def make(rig: Rig) -> Programme:
        programme = rig.planned(asked("spelled"))
        return programme.model_copy(update={"statistics": (programme.statistics[0].model_copy(update=parts),)})

    return make


def of(name: str, *statistics: dict[str, object], rho: str = "0.2") -> Callable[[Rig], Programme]:
    return lambda rig: rig.planned(asked(name, *statistics, rho=rho))


PROGRAMMES: dict[str, tuple[Callable[[Rig], Programme], Reason]] = {
    "more than a programme may cost": (of("dear", rho="0.31"), Reason.OVER_PROGRAMME_CAP),
    "a billion rho": (changed(charge=Charge(rho=10**18)), Reason.WRONG_PRICE),
    "more than the cohort has left": (of("cohort", rho="0.26"), Reason.OVER_COHORT_CAP),
    "unknown variable": (spelled(of="no_such_thing == yes"), Reason.UNKNOWN_VARIABLE),
    "unknown category": (spelled(of="help == perhaps"), Reason.UNKNOWN_VARIABLE),
    "another spelling": (spelled(of="help  ==  yes"), Reason.MALFORMED),
    "forbidden variable": (of("denied", {**ONE, "of": "grade < 0"}), Reason.FORBIDDEN_VARIABLE),
    "forbidden crossing": (of("cross", {**ONE, "of": "incidents == 0", "by": ["profile"]}), Reason.FORBIDDEN_CROSSING),
    "forbidden crossing in disguise": (
        of("disguise", {**ONE, "of": "state == none", "where": "profile == c"}), Reason.FORBIDDEN_CROSSING,
    ),
    "forbidden kind": (
        of("kind", {"id": "a", "kind": "transition", "of": "help", "unit": "household", "wave": "T0->T1"}),
        Reason.FORBIDDEN_KIND,
    ),
    "unknown cohort": (headed(cohort="c9"), Reason.WRONG_COHORT),
    "cohort of the other group": (headed(cohort="c2"), Reason.OFF_ROTATION),
    "region not named": (changed(weights={"BB": 1000}), Reason.OFF_ROTATION),
    "outside the window": (headed(cohort="c0"), Reason.OUTSIDE_WINDOW),
    "after the deadline": (headed(deadline=1_700_000_000), Reason.DEADLINE_PASSED),
    "no data": (headed(cohort="c5"), Reason.NO_SNAPSHOT),
    "for tests alone": (headed(test_only=True), Reason.TEST_ONLY),
    "another codebook": (changed(codebook_hash="e" * 64), Reason.CODEBOOK_MISMATCH),
    "another codebook's name": (headed(codebook="small@2"), Reason.CODEBOOK_MISMATCH),
}  # fmt: skip


class Kept(NamedTuple):
    """What a refusal may not change: every budget, every answer, and every entry but of the asking and the refusal."""

    budgets: tuple[Budget, ...]
    answered: int
    dead: int
    entries: int


def kept(rig: Rig) -> Kept:
    status = status_of(rig.federation, "AA")
    others = [one for one in entries(rig.federation, "AA") if not isinstance(one.body, AskedEntry | RefusedEntry)]
    return Kept(status.budgets, status.answered, status.dead_debits, len(others))


@pytest.mark.parametrize("name", PROGRAMMES)
def test_a_region_refuses_by_public_facts_alone(rig: Rig, name: str) -> None:
    make, expected = PROGRAMMES[name]
    programme, before = rig.signed(make(rig)), kept(rig)
    assert reason(rig.desk.ask(programme)) is expected
    assert not caught(rig.snapshot)
    assert kept(rig) == before
    last = entries(rig.federation, "AA")[-1].body
    assert isinstance(last, RefusedEntry)
    assert (last.programme, last.reason) == (programme.digest, expected.value)


SIGNERS: dict[str, tuple[tuple[str, ...], tuple[str, ...], Reason]] = {
    "unsigned programme": ((), ("desk",), Reason.UNSIGNED),
    "unsigned order": (("researcher",), (), Reason.UNSIGNED),
    "foreign researcher": (("stranger",), ("desk",), Reason.UNKNOWN_SIGNER),
    "foreign coordinator": (("researcher",), ("stranger",), Reason.UNKNOWN_SIGNER),
    "the coordinator as researcher": (("desk",), ("desk",), Reason.WRONG_ROLE),
    "the researcher as coordinator": (("researcher",), ("researcher",), Reason.WRONG_ROLE),
    "the region's steward as researcher": (("steward",), ("desk",), Reason.WRONG_ROLE),
    "the node as coordinator": (("researcher",), ("checkpoint",), Reason.WRONG_ROLE),
    "a witness as researcher": (("witness",), ("desk",), Reason.WRONG_ROLE),
    "revoked researcher": (("revoked",), ("desk",), Reason.REVOKED),
    "expired researcher": (("expired",), ("desk",), Reason.EXPIRED),
    "researcher of tomorrow": (("early",), ("desk",), Reason.EXPIRED),
}


@pytest.mark.parametrize("name", SIGNERS)
def test_a_region_hears_live_signers_in_their_role_only(rig: Rig, name: str) -> None:
    programme_signers, order_signers, expected = SIGNERS[name]
    home = Home(rig.federation.node("AA"))
    keys = PEOPLE | {
        "researcher": rig.researcher, "desk": rig.desk.profile.signing_key(),
        "steward": home.signing_key("steward"), "checkpoint": home.signing_key("checkpoint"),
        "witness": Witness(rig.federation.witness()).signing_key(),
    }  # fmt: skip
    before = kept(rig)
    document = to_canonical(rig.planned(asked("signers")))
    programme = sign("programme", document, *(keys[one] for one in programme_signers))
    assert reason(rig.desk.ask(programme, keys=[keys[one] for one in order_signers])) is expected
    assert not caught(rig.snapshot)
    assert kept(rig) == before


def test_a_signature_under_other_words_is_no_signature(rig: Rig) -> None:
    genuine, before = rig.signed(rig.planned(asked("genuine"))), kept(rig)
    altered = Signed("programme", to_canonical(rig.planned(asked("altered"))), genuine.signatures)
    assert reason(rig.desk.ask(altered)) is Reason.UNSIGNED
    for moved in (Signed("order", genuine.document, genuine.signatures), rig.signed(rig.planned(asked("other")))):
        order = rig.desk.order(genuine)
        order.signed_programme = moved.to_bytes()
        rig.desk.send(order)
        assert reason(rig.desk.reply(order.run).outcome) is Reason.MALFORMED
    assert not caught(rig.snapshot)
    assert kept(rig) == before


def test_an_order_after_its_deadline_charges_nothing(rig: Rig) -> None:
    before = kept(rig)
    late = int(time.time()) - 1
    assert reason(rig.desk.ask(rig.signed(rig.planned(asked("late"))), deadline=late)) is Reason.DEADLINE_PASSED
    assert not caught(rig.snapshot)
    assert kept(rig) == before


def test_an_allowed_question_is_caught_at_the_snapshot_and_stays_charged(rig: Rig) -> None:
    """The trap works: without it, none of the tests above would say anything."""
    before = status_of(rig.federation, "AA")
    order = rig.desk.order(rig.signed(rig.planned(asked("allowed", rho="0.05"))))
    rig.desk.send(order)
    until(lambda: caught(rig.snapshot), "for the snapshot to be opened")
    assert reason(rig.desk.reply(order.run).outcome) is Reason.FAULT
    after = status_of(rig.federation, "AA")
    assert after.budgets != before.budgets
    assert after.dead_debits == before.dead_debits + 1


def test_who_is_revoked_on_a_newer_roster_is_not_heard_any_more(rig: Rig) -> None:
    before = kept(rig)
    rig.roster(*_people(), revoke="Demo researcher")
    assert reason(rig.desk.ask(rig.signed(rig.planned(asked("afterwards"))))) is Reason.REVOKED
    rig.roster(*_people(), revoke="Demo coordinator")
    assert reason(rig.desk.ask(rig.signed(rig.planned(asked("afterwards"))))) is Reason.REVOKED
    assert not caught(rig.snapshot)
    rig.roster(*_people())
    # Three rosters were adopted, and nothing else happened.
    assert kept(rig) == before._replace(entries=before.entries + 3)
