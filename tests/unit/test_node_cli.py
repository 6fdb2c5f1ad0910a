"""The node's verbs: what they print, in which language, and how they end."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
import typer.main
from rondgang.roles import Role
from rondgang.signed import sign
from typer.testing import CliRunner, Result

from compose.consortium.authority import pem
from compose.consortium.enrolment import Enrolled, Terms
from compose.consortium.enrolment import enrol as admit
from compose.consortium.register import Register
from node.cli import app
from node.lock import exclusive
from policies.documents import to_canonical
from policies.pages.words import catalogue
from policies.rules.entries import Event
from policies.rules.refusals import Reason
from policies.study.enrolment import EnrolmentRequest
from tests.applicants import DAY_S, Applicant, authority, calendar
from tests.node_world import make_home

Verb = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Verb:
    def call(*words: str | Path, home: Path | None = tmp_path / "fr") -> Result:
        place = [] if home is None else ["--home", str(home)]
        return CliRunner().invoke(app, [*(str(word) for word in words), *place], env={"RONDGANG_HOME": ""})

    return call


def init(run: Verb, region: str = "FR", *more: str) -> Result:
    key = authority().signing.public.hex
    return run("init", "--region", region, "--coordinator", "localhost:7443", "--consortium-key", key, *more)


def enrol(run: Verb, tmp_path: Path, request: EnrolmentRequest | None = None) -> Result:
    """The consortium signs the home's request, and the node takes what comes back. The verbs read the real clock."""
    now = int(time.time())
    root = authority(now=now - DAY_S)
    asked = request or EnrolmentRequest.read((tmp_path / "fr" / "request.json").read_bytes())
    outcome = admit(root, Register(), calendar(), asked, Terms(now, 30))
    assert isinstance(outcome, Enrolled)
    (tmp_path / "own.pem").write_bytes(outcome.certificate)
    (tmp_path / "ca.pem").write_bytes(pem(root.root))
    _, roster = outcome.register.roster(1)
    for kind, document in (("roster", roster), ("calendar", calendar())):
        (tmp_path / kind).write_bytes(sign(kind, to_canonical(document), root.signing).to_bytes())
    files = ("--ca", tmp_path / "ca.pem", "--roster", tmp_path / "roster", "--calendar", tmp_path / "calendar")
    return run("enrol", tmp_path / "own.pem", *files)


def test_a_steward_goes_from_nothing_to_a_policy_in_dutch(run: Verb, tmp_path: Path) -> None:
    made = init(run)
    assert made.exit_code == 0
    assert "De gegevensmap van regio FR" in made.stdout
    assert "niet aangemeld" in run("status").stdout
    taken = enrol(run, tmp_path)
    assert (taken.exit_code, f"Overgenomen: kalender rotation@{calendar().calendar.version}." in taken.stdout) == (
        0,
        True,
    )
    assert "niet overgenomen is beleid" in run("status").stdout
    shipped = Path(__file__).parents[2] / "policies" / "shipped" / "region.policy.yaml"
    assert run("policy", "adopt", shipped).exit_code == 0
    told = json.loads(run("status", "--json").stdout)
    assert (told["region"], told["enrolled"], told["serving"], told["missing"]) == ("FR", True, False, [])
    assert "grens" in run("status").stdout
    assert "Newest decisions" in run("status", "--lang", "en").stdout
    shown = json.loads(run("policy", "show", "--json").stdout)
    assert (shown["region"], shown["lifetime"]) == ("FR", {"rho": "0.8"})


def test_a_home_is_not_made_twice(run: Verb) -> None:
    assert init(run).exit_code == 0
    again = init(run, "ZL")
    assert again.exit_code == 2
    assert "is al de gegevensmap van een knooppunt" in again.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("--region", "fr", "--coordinator", "localhost:1", "--consortium-key", "0" * 64),
        ("--region", "FR", "--coordinator", "localhost", "--consortium-key", "0" * 64),
        ("--region", "FR", "--coordinator", "localhost:1", "--consortium-key", "nothing"),
        ("--region", "FR", "--coordinator", "localhost:1"),
    ],
)
def test_what_init_cannot_use_ends_with_two_and_leaves_nothing(
    run: Verb, tmp_path: Path, words: tuple[str, ...]
) -> None:
    assert run("init", *words).exit_code == 2
    assert not (tmp_path / "fr" / "config.yaml").exists()


def test_another_partys_certificate_is_not_taken(run: Verb, tmp_path: Path) -> None:
    init(run)
    other = Applicant.new(Role.REGION, "ZL").request
    refused = enrol(run, tmp_path, other)
    assert refused.exit_code == 1
    assert "rondgang://role/region/ZL" in refused.stderr
    same_region = enrol(run, tmp_path, Applicant.new(Role.REGION, "FR").request)
    assert (same_region.exit_code, "andere sleutel" in same_region.stderr) == (1, True)
    assert not (tmp_path / "fr" / "certs" / "own.pem").exists()


def test_without_a_home_nothing_works_and_it_says_what_to_give(run: Verb) -> None:
    for verb in ("status", "serve"):
        refused = run(verb, home=None)
        assert refused.exit_code == 2
        assert "Welk knooppunt? Geef de gegevensmap met --home" in refused.stderr
        english = run(verb, "--lang", "en", home=None)
        assert "Which node? Give its home with --home" in english.stderr


def test_what_was_not_signed_by_the_consortium_ends_with_one(run: Verb, tmp_path: Path) -> None:
    init(run)
    forged = sign("calendar", to_canonical(calendar()), authority("another consortium").signing)
    (tmp_path / "calendar").write_bytes(forged.to_bytes())
    refused = run("adopt", tmp_path / "calendar", "--json")
    assert (refused.exit_code, json.loads(refused.stdout)["refused"]) == (1, "declined")


def test_a_policy_with_a_mistake_ends_with_two_and_names_the_line(run: Verb, tmp_path: Path) -> None:
    init(run)
    (tmp_path / "policy.yaml").write_text("policy: {version: 1}\ncohorts: {c3: {rho: 0.4}}\nlifetime: {rho: x}\n")
    refused = run("policy", "adopt", tmp_path / "policy.yaml", "--lang", "en")
    assert refused.exit_code == 2
    assert "policy.yaml:3: lifetime.rho" in refused.stderr


def test_serving_needs_documents_first(run: Verb, tmp_path: Path) -> None:
    init(run)
    enrol(run, tmp_path)
    refused = run("serve")
    assert refused.exit_code == 1
    assert "beleid" in refused.stderr


def test_a_home_in_use_by_something_that_does_not_answer_is_for_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = make_home(tmp_path / "home")
    monkeypatch.setattr("node.operations._PATIENCE_S", 0.0)
    with exclusive(home.lock_file):
        busy = CliRunner().invoke(app, ["status", "--home", str(home.root)])
    assert busy.exit_code == 75


def test_every_verb_has_an_example_in_its_help() -> None:
    # typer keeps its command types to itself.
    command: Any = typer.main.get_command(app)
    verbs = dict(command.commands)
    verbs |= {f"policy {name}": one for name, one in verbs.pop("policy").commands.items()}
    named = {"init", "enrol", "adopt", "import", "serve", "status", "results", "pending", "approve", "refuse"}
    named |= {"guarantees", "export-ledger", "check-attempt", "recover", "doctor", "pause", "resume"}
    named |= {"backup", "restore", "service", "console", "decisions", "forget", "codebook", "health"}
    named |= {f"policy {name}" for name in ("check", "diff", "sign", "adopt", "show")}
    assert named == set(verbs)
    for name, verb in verbs.items():
        assert f"Example: rondgang node {name}" in (verb.help or "")


def test_every_reason_and_event_has_words() -> None:
    events = {model.model_fields["event"].annotation for model in get_args(get_args(Event)[0])}
    names = {get_args(annotation)[0] for annotation in events}
    wanted = {f"node.reason.{reason.value}" for reason in Reason} | {f"node.event.{name}" for name in names}
    assert wanted - set(catalogue()) == set()
