"""Who calls the desk, and what `submit` says: a real desk and a real node, whose snapshot catches whoever opens it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from rondgang.roles import Role

import compose.consortium.cli
from compose.consortium.authority import issue, pem
from compose.consortium.home import Home as Consortium
from compose.demo.federation import Federation
from compose.demo.verbs import run as verb
from coordinator.client import Desk
from coordinator.errors import NotPermitted, Unreachable
from coordinator.remote.wire import RemoteDesk
from coordinator.transport import channel
from node.home import Home
from policies.rules.refusals import Reason
from tests.applicants import DAY_S, Applicant
from tests.e2e.world import DEADLINE, caught, quiet, rondgang, status_of, strict_federation, trap, until


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    """A real desk and a real node, with the same strict policy."""
    made = strict_federation(tmp_path_factory.mktemp("honest"))
    (snapshot,) = Home(made.node("AA")).snapshots.iterdir()
    trap(snapshot)
    try:
        made.start(quiet)
        yield made
    finally:
        made.stop()


WRITTEN = """
programme: {id: written, title: {nl: a, en: a}, purpose: a test, requester: Tests, cohort: c1, codebook: small@1,
            deadline: %s}
price: {rho: "%s"}
weights: {AA: "1"}
statistics: [{id: helped, kind: proportion, of: "%s", unit: household, wave: T1}]
"""


@pytest.mark.parametrize(
    ("rho", "of_what", "expected", "code"),
    [
        ("1e9", "help == yes", "bad_plan", 1),
        ("0.26", "help == yes", "over_cohort_cap", 1),
        ("0.1", "nobody == yes", "unknown_variable", 2),
    ],
)
def test_submit_refuses_with_1_takes_bad_input_with_2_and_spends_nothing(
    honest: Federation, tmp_path: Path, rho: str, of_what: str, expected: str, code: int
) -> None:
    path = tmp_path / "programme.yaml"
    path.write_text(WRITTEN % (DEADLINE, rho, of_what), encoding="utf-8")
    before = status_of(honest, "AA")
    done = rondgang("coordinator", "submit", path, "--wait", "--json", "--home", honest.researcher)
    assert done.returncode == code, done.stderr
    assert json.loads(done.stdout)["refused" if code == 1 else "error"] == expected
    (snapshot,) = Home(honest.node("AA")).snapshots.iterdir()
    assert not caught(snapshot)
    assert status_of(honest, "AA") == before


def test_status_of_the_serving_node_shows_the_whole_budget_as_a_command(honest: Federation) -> None:
    done = rondgang("node", "status", "--json", "--home", honest.node("AA"))
    told = json.loads(done.stdout)
    assert {one["spent"]["rho"] for one in told["budgets"]} == {"0"}
    assert (told["answered"], told["dead_debits"], told["connected"]) == (0, 0, True)


def test_a_certificate_opens_the_calls_of_its_own_role_only(honest: Federation) -> None:
    ca, key, own = Home(honest.node("AA")).tls()
    with channel(f"localhost:{honest.port}", (key, own, ca)) as line, pytest.raises(NotPermitted) as refused:
        RemoteDesk(line, "the desk", 10).submit(b"", again=False)
    assert refused.value.reason is Reason.WRONG_ROLE
    node_home = Home(honest.node("AA"))
    log = node_home.logs / "node.log"
    # The researcher's certificate in a node's place: the desk turns it away, and the node says so.
    mine, root = (honest.researcher / "keys" / "tls.pem").read_bytes(), ca
    kept = (node_home.keys / "tls.pem").read_bytes(), (node_home.certs / "own.pem").read_bytes()
    honest.kill("AA")
    (node_home.keys / "tls.pem").write_bytes(mine)
    (node_home.certs / "own.pem").write_bytes((honest.researcher / "certs" / "own.pem").read_bytes())
    honest.start_node("AA")
    until(lambda: '"reason": "wrong_role' in log.read_text(encoding="utf-8"), "to be turned away")
    with Desk.open(honest.researcher) as desk:
        assert not any(view.attending for view in desk.regions())
    honest.kill("AA")
    (node_home.keys / "tls.pem").write_bytes(kept[0])
    (node_home.certs / "own.pem").write_bytes(kept[1])
    assert root == node_home.tls()[0]


def test_an_expired_certificate_gets_no_further_than_the_handshake(honest: Federation) -> None:
    authority, now = Consortium(honest.consortium).authority(), int(time.time())
    for role, region in ((Role.RESEARCHER, None), (Role.REGION, "AA")):
        applicant = Applicant.new(role, region, "Out of date")
        csr = applicant.request.csr.encode()
        own, _, last = issue(authority, csr, applicant.party, applicant.name, (), now - 10 * DAY_S, 5)
        assert last < now
        tls = (applicant.tls_key, pem(own), pem(authority.root))
        with channel(f"localhost:{honest.port}", tls) as line, pytest.raises(Unreachable):
            RemoteDesk(line, "the desk", 10).regions()


def test_a_genuine_certificate_that_the_roster_does_not_list_opens_nothing(honest: Federation) -> None:
    authority, now = Consortium(honest.consortium).authority(), int(time.time())
    applicant = Applicant.new(Role.RESEARCHER, name="Nobody")
    own, _, _ = issue(authority, applicant.request.csr.encode(), applicant.party, applicant.name, (), now, 5)
    with (
        channel(f"localhost:{honest.port}", (applicant.tls_key, pem(own), pem(authority.root))) as line,
        pytest.raises(NotPermitted) as refused,
    ):
        RemoteDesk(line, "the desk", 10).regions()
    assert refused.value.reason is Reason.UNKNOWN_SIGNER


def test_a_revoked_researcher_is_refused_by_the_desk_too(honest: Federation) -> None:
    home = ("--home", honest.consortium)
    roster = honest.file("revoked")
    verb(compose.consortium.cli.app, "consortium", "revoke", "Demo researcher", *home)
    verb(compose.consortium.cli.app, "consortium", "roster", "--out", roster, *home)
    done = rondgang("coordinator", "adopt", roster, "--home", honest.coordinator)
    assert done.returncode == 0, done.stderr
    with Desk.open(honest.researcher) as desk, pytest.raises(NotPermitted) as refused:
        desk.regions()
    assert refused.value.reason is Reason.REVOKED
