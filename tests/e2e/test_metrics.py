"""A whole federation that is asked something shows its figures on loopback and in a file: listed ones, and no other."""

from __future__ import annotations

import json
import re
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from audit.witness import metrics as witness
from audit.witness.log import EVENTS as WITNESS_EVENTS
from audit.witness.log import FIELDS as WITNESS_FIELDS
from compose.demo.federation import Federation, free_port
from coordinator import metrics as coordinator
from coordinator.client import Desk
from coordinator.log import EVENTS as DESK_EVENTS
from coordinator.log import FIELDS as DESK_FIELDS
from node import metrics as node
from node.journal import FIELDS as NODE_FIELDS
from policies.rules.metrics import Family
from tests.e2e.world import draft, finished, quiet, small_federation, until

LISTS = {"AA": node.FAMILIES, "coordinator": coordinator.FAMILIES, "witness": witness.FAMILIES}


@pytest.fixture(scope="module")
def ports() -> dict[str, int]:
    return {name: free_port() for name in LISTS}


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory, ports: dict[str, int]) -> Iterator[Federation]:
    made = small_federation(tmp_path_factory.mktemp("seen"))
    homes = {"AA": made.node("AA"), "coordinator": made.coordinator, "witness": made.witness()}
    for name, home in homes.items():
        path = home / "config.yaml"
        shown = {"listen": f"127.0.0.1:{ports[name]}"} | ({"file": "metrics.prom"} if name == "AA" else {})
        path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text("utf-8")) | {"metrics": shown}), "utf-8")
    try:
        made.start(quiet)
        with Desk.open(made.researcher) as desk:
            run = desk.submit(desk.plan(draft("seen"))).run
            finished(desk, run)
        yield made
    finally:
        made.stop()


def scraped(port: int, path: str = "metrics") -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=10) as told:
        text: str = told.read().decode("utf-8")
    return text


def check(text: str, families: tuple[Family, ...]) -> dict[str, float]:
    """Every figure is on the list, with the labels of the list."""
    listed, found = {family.name: family for family in families}, {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            listed[sample.name].place(sample.labels)
            found[sample.name + json.dumps(sorted(sample.labels.values()))] = sample.value
    return found


@pytest.mark.parametrize("name", LISTS)
def test_what_a_party_shows_is_on_its_list_and_nothing_of_its_process_is(
    federation: Federation, ports: dict[str, int], name: str
) -> None:
    room = {"AA": "node"}.get(name, name)
    started = f"rondgang_{room}_started_timestamp_seconds[]"
    until(lambda: started in check(scraped(ports[name]), LISTS[name]))
    found = check(scraped(ports[name]), LISTS[name])
    assert found[f"rondgang_{room}_certificate_expires_timestamp_seconds[]"] > found[started]
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(
            urllib.request.Request(f"http://127.0.0.1:{ports[name]}/metrics", method="DELETE"), timeout=10
        )


def test_a_port_of_metrics_is_on_loopback_only(federation: Federation, ports: dict[str, int]) -> None:
    outward = {
        info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET, socket.SOCK_STREAM)
    } - {"127.0.0.1", "127.0.1.1"}
    for address in outward:
        for port in ports.values():
            with socket.socket() as probe:
                probe.settimeout(5)
                assert probe.connect_ex((str(address), port)) != 0


def test_a_node_leaves_the_same_figures_in_a_file_that_a_collector_may_read(federation: Federation) -> None:
    path = federation.node("AA") / "metrics.prom"
    until(path.exists)
    assert path.stat().st_mode & 0o777 == 0o644
    assert "rondgang_node_build_info[" in "".join(check(path.read_text("utf-8"), node.FAMILIES))


def test_every_log_line_has_listed_events_and_fields(federation: Federation) -> None:
    usual = {"time", "level", "event"}
    for folder, file, fields, events in (
        (federation.coordinator, "coordinator.log", DESK_FIELDS, DESK_EVENTS),
        (federation.witness(), "witness.log", WITNESS_FIELDS, WITNESS_EVENTS),
        (federation.node("AA"), "node.log", frozenset(NODE_FIELDS), None),
    ):
        lines = [json.loads(line) for line in (folder / "logs" / file).read_text("utf-8").splitlines()]
        assert lines
        for line in lines:
            assert set(line) - usual <= fields
            assert events is None or line["event"] in events
            assert "?" not in line.values(), line
            # To the second: no finer.
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:?\d\d", line["time"])


def test_nothing_is_shown_where_nobody_asked_for_it(federation: Federation) -> None:
    home: Path = federation.node("BB")
    assert not (home / "metrics.prom").exists()
