"""What each party counts in public stands on a closed list; nothing else gets out, not a name, a label or a value."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from pydantic import ValidationError
from rondgang.roles import Party, Role
from rondgang.tls import new_tls_key, request_certificate

from audit.home import WitnessConfig
from audit.witness import log as witness_log
from audit.witness import metrics as witness
from compose.consortium.authority import found, issue, pem
from coordinator import log as desk_log
from coordinator import metrics as desk
from coordinator.home import CoordinatorConfig
from node import metrics as node
from node.home import Metrics
from policies.rules.exposition import Shown
from policies.rules.metrics import Family, OffList, Sheet
from policies.rules.refusals import Reason, Refused
from tests.node_world import SNAPSHOT, World, make_home, put_snapshot
from tests.small_study import heading, planned

LISTS = {"node": node.FAMILIES, "coordinator": desk.FAMILIES, "witness": witness.FAMILIES}
LABELS = {"version", "contract", "outcome", "state", "cohort", "witness", "kind", "region", "reason", "queue"}
CANARY = "Kanarie 0612345678"
_FORBIDDEN = re.compile(
    r"duration|latency|elapsed|(?<!timestamp)_seconds|bytes|memory|cpu|row|household|person|snapshot|answer_value"
)


@pytest.mark.parametrize("room", LISTS)
def test_a_list_names_each_metric_once_and_none_that_tells_of_rows_or_how_long_something_took(room: str) -> None:
    names = [family.name for family in LISTS[room]]
    assert len(names) == len(set(names))
    assert [name for name in names if not name.startswith(f"rondgang_{room}_")] == []
    assert [name for name in names if _FORBIDDEN.search(name)] == []
    assert all(family.name.endswith("_total") == (family.kind == "counter") for family in LISTS[room])
    labels = {label for family in LISTS[room] for label in family.labels}
    assert labels <= {
        "version",
        "contract",
        "outcome",
        "state",
        "cohort",
        "witness",
        "kind",
        "region",
        "reason",
        "queue",
    }


def test_what_is_not_on_the_list_is_not_taken() -> None:
    family = Family("rondgang_node_a_total", "counter", "A.", {"outcome": frozenset({"answered"})})
    sheet = Sheet([family])
    sheet.add(family.name, outcome="answered")
    sheet.add(family.name, outcome="answered")
    for labels in ({"outcome": CANARY}, {}, {"outcome": "answered", "run": "run-1"}, {"other": "answered"}):
        with pytest.raises(OffList) as error:
            sheet.put(family.name, 1, **labels)
        assert CANARY not in str(error.value)
    with pytest.raises(OffList):
        sheet.put("rondgang_node_b", 1)
    assert [(one.name, dict(values)) for one, values in sheet.families()] == [(family.name, {("answered",): 2})]


@pytest.mark.parametrize(
    "address", ["0.0.0.0:9464", "10.0.0.1:9464", "desk.example.nl:9464", "127.0.0.1", "[::]:1", ""]
)
def test_metrics_are_shown_to_this_machine_alone(address: str) -> None:
    with pytest.raises(ValidationError, match="expected an address of this machine"):
        Metrics(listen=address)
    for config in (
        {"role": "coordinator", "name": "Desk", "listen": "0.0.0.0:443"},
        {"role": "witness", "name": "Witness", "listen": "0.0.0.0:443"},
    ):
        kind = CoordinatorConfig if config["role"] == "coordinator" else WitnessConfig
        with pytest.raises(ValidationError, match="expected an address of this machine"):
            kind.model_validate({**config, "metrics": {"listen": address}})


@pytest.mark.parametrize("address", ["127.0.0.1:9464", "127.8.0.1:0", "[::1]:9464"])
def test_loopback_addresses_are_taken_and_nothing_is_shown_unless_asked(address: str) -> None:
    assert Metrics(listen=address).wanted
    assert not Metrics().wanted
    assert CoordinatorConfig(role="coordinator", name="Desk", listen="0.0.0.0:443").metrics is None
    assert WitnessConfig(role="witness", name="Witness", listen="0.0.0.0:443").metrics is None


def certified(home_root: Path) -> None:
    """Puts a certificate in a home, as `enrol` does."""
    authority = found(b"\x07" * 32, "Tests", 1_766_000_000)
    csr = request_certificate(new_tls_key(), Party(Role.REGION, "AA"), "AA")
    own, _first, _last = issue(authority, csr, Party(Role.REGION, "AA"), "AA", (), 1_767_000_000, 30)
    (home_root / "certs" / "own.pem").write_bytes(pem(own))
    (home_root / "certs" / "ca.pem").write_bytes(pem(authority.root))


def shown(sheet: Sheet) -> dict[str, float]:
    """The figures as a collector reads them."""
    page, registry = Shown(()), CollectorRegistry(auto_describe=False)
    page.sheet = sheet
    registry.register(page)
    lines = generate_latest(registry).decode("utf-8").splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}


def test_a_node_counts_what_became_of_orders_and_shows_what_is_left(tmp_path: Path) -> None:
    lines: list[str] = []

    def journal(event: str, **_fields: object) -> None:
        lines.append(event)

    home = make_home(tmp_path / "home")
    put_snapshot(home)
    certified(home.root)
    counting = node.Counting(journal)
    world = World(home, journal=counting)
    assert isinstance(world.ask(), bytes)
    assert isinstance(world.ask(), bytes)
    elsewhere = planned().model_copy(update={"programme": heading(id="elsewhere", cohort="c9")})
    assert isinstance(world.ask(elsewhere), Refused)
    counting("fault", place=CANARY)
    counting("refused", reason=CANARY)
    found = shown(counting.beside(node.sheet_of(world.region, world.witnesses, started=5, attending=True, awaiting=2)))
    orders = {name: value for name, value in found.items() if "orders" in name}
    assert orders == {
        'rondgang_node_orders_total{outcome="answered"}': 1,
        'rondgang_node_orders_total{outcome="answered_again"}': 1,
        f'rondgang_node_orders_total{{outcome="{Reason.WRONG_COHORT.value}"}}': 1,
    }
    price = planned().charge.of_answer.nano
    assert found['rondgang_node_budget_left_ratio{cohort="c1"}'] == float(1 - Fraction(price, 500_000_000))
    ledger = world.region.ledger
    assert found["rondgang_node_ledger_entries"] == ledger.book.size > ledger.cosigned
    assert found["rondgang_node_ledger_cosigned"] == ledger.cosigned
    assert (found["rondgang_node_attending"], found["rondgang_node_awaiting_steward"]) == (1, 2)
    assert found['rondgang_node_trouble{kind="away"}'] == 0
    assert found["rondgang_node_faults_total"] == 1
    assert lines[0] == "witnessed"
    told = str(found)
    assert CANARY not in told
    assert SNAPSHOT not in told
    world.region.close()


def _every_field(note: Callable[..., None], fields: frozenset[str], event: str) -> None:
    for field in sorted(fields):
        note(event, **{field: CANARY})
        note(event, **{field: f"{CANARY}\n{{}}"})


def test_a_canary_in_any_field_of_any_event_gets_into_no_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with desk_log.logging_to(tmp_path), desk_log.told_to(counting := desk.counting()):
        for event in sorted(desk_log.EVENTS):
            # A party is called as the consortium's roster calls it, not as it likes.
            _every_field(desk_log.note, desk_log.FIELDS - {"party"}, event)
        with pytest.raises(KeyError):
            desk_log.note(CANARY)  # type: ignore[arg-type]
        with pytest.raises(KeyError):
            desk_log.note("answer_kept", value=CANARY)
    with witness_log.logging_to(tmp_path), witness_log.told_to(watching := witness.counting()):
        for event in sorted(witness_log.EVENTS):
            _every_field(witness_log.note, witness_log.FIELDS, event)
        with pytest.raises(KeyError):
            witness_log.note("cosigned", run=CANARY)
    told = [path.read_text(encoding="utf-8") for path in tmp_path.glob("*.log")]
    told += [capsys.readouterr().err, str(shown_of(counting.beside(Sheet(desk.FAMILIES))))]
    told.append(str(shown_of(watching.beside(Sheet(witness.FAMILIES)))))
    assert len("".join(told)) > 10_000
    assert [text for text in told if "anarie" in text or "0612345678" in text] == []


def test_lines_that_several_threads_log_are_all_counted_while_others_look(tmp_path: Path) -> None:
    with witness_log.logging_to(tmp_path), witness_log.told_to(counting := witness.counting()):

        def work() -> None:
            for _ in range(200):
                witness_log.note("cosigned", region="FR")
                counting.beside(Sheet(witness.FAMILIES))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    found = dict(shown_of(counting.beside(Sheet(witness.FAMILIES))))
    assert found == {"rondgang_witness_cosigned_total": {("FR",): 800}}


def shown_of(sheet: Sheet) -> list[tuple[str, object]]:
    return [(family.name, dict(values)) for family, values in sheet.families()]


def test_a_log_line_that_has_the_form_of_its_fields_is_written_as_it_is(tmp_path: Path) -> None:
    with desk_log.logging_to(tmp_path):
        desk_log.note("refusal_kept", run="run-0123456789abcdef", region="FR", reason=Reason.OVER_COHORT_CAP.value)
        desk_log.note("left_out", run="run-0123456789abcdef", attempt=2, region="FR", reason="no reply in time")
        desk_log.note("desk_listens", address="[::1]:443", roster="a" * 64)
    text = (tmp_path / "coordinator.log").read_text(encoding="utf-8")
    assert desk_log.ILL_FORMED not in text
    assert '"reason": "no reply in time"' in text


def test_every_reason_has_the_form_of_a_logged_one() -> None:
    record = logging.getLogger("rondgang.coordinator")
    seen: list[dict[str, object]] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(record.__dict__["fields"])

    with desk_log.told_to(Keep()):
        record.propagate = False
        for reason in Reason:
            desk_log.note("call_refused", reason=reason.value)
    assert [fields["reason"] for fields in seen] == [reason.value for reason in Reason]
