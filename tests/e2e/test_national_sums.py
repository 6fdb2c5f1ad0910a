"""A programme with national sums, asked of four real nodes: the sum every node keeps, and what is charged for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from rondgang.signed import Signed

from audit.bundles import read
from compose.demo.federation import Federation
from coordinator.client import Desk
from coordinator.desk.views import Results
from coordinator.gather import Asked, State
from coordinator.secure.national import Where
from policies.documents import from_canonical
from policies.rules.entries import Answered, Attempted, Debited, Summed
from policies.secure.rounds import NationalSum
from policies.statistics.programme import Draft, Programme
from tests.e2e.world import (
    CALENDAR,
    ONE,
    PATIENCE_S,
    POLICY,
    delivery,
    documents,
    draft,
    entries,
    finished,
    impatient,
    quiet,
    rondgang,
    until,
)
from tests.national_study import codes

REGIONS = codes(4)
_CC = "      CC: {household: 50, adult: 60, child: 70}"
FOUR = (
    CALENDAR.replace("Dee}, group: B}", "Dee}, group: A}")
    .replace(_CC, f"{_CC}\n{_CC.replace('CC', 'DD')}")
    .replace("{DD: {household: 10, adult: 10, child: 10}}", "{}")
)
"""The small calendar with four regions in its first cohort."""
KINDS = (
    "statistics: [count, proportion, mean, transition, covariance, correlation, regression, adjusted_difference, "
    "quantile]\n"
)
ALLOWED = f'{POLICY}{KINDS}secure: {{own_noise: {{rho: "1"}}, attempts: 3, colluders: 1}}\n'
_IN_ATTEMPTS = frozenset({"order", "secure_keys", "participants", "national_sum"})
SEVERAL: tuple[dict[str, object], ...] = (
    {"id": "tie", "kind": "covariance", "of": ["incidents", "incidents@T0"], "ranges": {"incidents": ["0", "3"]}},
    {"id": "alike", "kind": "correlation", "of": ["help == yes", "incidents"]},
    {"id": "line", "kind": "regression", "of": ["incidents", "incidents@T0", "help == yes"]},
    {"id": "pulled", "kind": "regression", "of": ["incidents", "help@T0 == yes"], "ridge": "0.1"},
    {"id": "adjusted", "kind": "adjusted_difference", "of": "incidents == 0", "compare": "help", "strata": ["help@T0"]},
    {"id": "middle", "kind": "quantile", "of": "incidents", "at": ["0.5", "0.75"], "leaves": 4},
)
OWN = {"id": "changed", "kind": "proportion", "of": "incidents == 0", "unit": "household"}


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    folder = tmp_path_factory.mktemp("national")
    data = {region: delivery(folder / "data" / region, 40 + i, i) for i, region in enumerate(REGIONS)}
    papers = documents(folder / "documents", calendar=FOUR, policy=ALLOWED)
    made = Federation(folder / "federation", data, papers, cohort="c1")
    made.set_up(quiet)
    impatient(made)
    try:
        made.start(quiet)
        yield made
    finally:
        made.stop()


@pytest.fixture
def desk(federation: Federation) -> Iterator[Desk]:
    with Desk.open(federation.researcher) as opened:
        yield opened


def _draft(name: str, *, mixed: bool = False) -> Draft:
    statistics = ({**ONE, "mode": "national"}, *((OWN,) if mixed else ()))
    made = draft(name, *statistics, rho="0.1", weights=dict.fromkeys(REGIONS, "1")).model_dump()
    return Draft.model_validate({**made, "secure": {"colluders": 1, "dropouts": 1, "attempts": 2}})


def _sum(found: Results) -> NationalSum:
    assert found.signed_sum is not None
    return from_canonical(NationalSum, Signed.from_bytes(found.signed_sum).document)


def _events(federation: Federation, region: str, programme: str) -> list[object]:
    bodies = [entry.body for entry in entries(federation, region)]
    kinds = (Debited, Attempted, Answered, Summed)
    return [body for body in bodies if isinstance(body, kinds) and body.programme == programme]


def _kept(federation: Federation, region: str, programme: str, count: int) -> list[object]:
    """The events of a programme at a region, once there are as many."""
    until(lambda: len(_events(federation, region, programme)) >= count, f"for {region} to keep the sum")
    return _events(federation, region, programme)


def test_a_national_programme_is_answered_by_one_sum_that_every_node_keeps(federation: Federation, desk: Desk) -> None:
    planned = desk.plan(_draft("nationwide"))
    last = finished(desk, desk.submit(planned).run)
    assert last.state is State.COMPLETE
    assert last.national is not None
    assert (last.national.where, last.national.attempt, last.national.replied) == (Where.SUMMED, 1, 4)
    assert {one.state for one in last.regions} == {Asked.ANSWERED}
    found = desk.fetch(last.run)
    summed = _sum(found)
    assert found.signed_answers == ()
    assert summed.fits(planned.programme)
    assert summed.taken_back == dict.fromkeys(REGIONS, 1)
    for region in REGIONS:
        debited, attempted, kept = _kept(federation, region, planned.hash, 3)
        assert isinstance(debited, Debited)
        assert (debited.attempt, debited.charge) == (1, planned.programme.charge.national)
        assert isinstance(attempted, Attempted)
        assert isinstance(kept, Summed)
        assert kept.hash == Signed.from_bytes(found.signed_sum or b"").digest
    assert finished(desk, desk.submit(planned).run) == last
    assert len(_events(federation, "AA", planned.hash)) == 3


def test_a_programme_of_both_kinds_has_answers_and_a_sum(federation: Federation, desk: Desk, tmp_path: Path) -> None:
    planned = desk.plan(_draft("both", mixed=True))
    last = finished(desk, desk.submit(planned).run)
    assert last.state is State.COMPLETE
    found = desk.fetch(last.run)
    assert len(found.signed_answers) == 4
    assert _sum(found).regions == REGIONS
    told = rondgang("coordinator", "results", last.run, "--out", tmp_path, "--json", "--home", federation.researcher)
    assert told.returncode == 0, told.stderr
    facts = json.loads(told.stdout)
    assert (facts["answered"], facts["summed"], facts["regions"]) == (4, 4, 4)
    assert (tmp_path / "national_sum.signed.json").read_bytes() == found.signed_sum
    for region in REGIONS:
        events = _kept(federation, region, planned.hash, 5)
        charges = {body.attempt: body.charge for body in events if isinstance(body, Debited)}
        charge = planned.programme.charge
        assert charges == {0: charge.rho - charge.national, 1: charge.national}


def test_figures_of_several_sums_are_answered_both_ways_and_an_auditor_finds_their_price_right(
    federation: Federation, desk: Desk, tmp_path: Path
) -> None:
    both = [
        {**one, "id": f"{one['id']}_{mode}", "unit": "household", "mode": mode}
        for mode in ("regional", "national")
        for one in SEVERAL
    ]
    planned = desk.plan(draft("several", *both, rho="0.3", weights=dict.fromkeys(REGIONS, "1")))
    last = finished(desk, desk.submit(planned).run)
    assert last.state is State.COMPLETE
    rows = desk.results(last.run)
    told = rows[rows["scope"] == "national"].groupby("statistic")["cell"].apply(list).to_dict()
    terms = ["term=(intercept)", "term=incidents@T0", "term=help@T1 in {yes}"]
    for mode, scopes in (("regional", {"national", *REGIONS}), ("national", {"national"})):
        assert told[f"line_{mode}"] == terms
        assert told[f"adjusted_{mode}"] == ["help@T1=yes"] * 2
        assert told[f"middle_{mode}"] == ["quantile=0.5", "quantile=0.75"]
        assert set(rows[rows["statistic"] == f"tie_{mode}"]["scope"]) == scopes
    assert set(rows["status"]) <= {"ok", "withheld"}
    assert rows["estimate"].notna().sum() >= len(rows) / 2
    for region in REGIONS:
        _kept(federation, region, planned.hash, 5)
    federation.export(tmp_path)
    words = ("--consortium-key", federation.consortium / "consortium.pub", "--json")
    audited = rondgang("audit", "verify", *sorted(tmp_path.glob("*.bundle")), *words)
    assert audited.returncode == 0, audited.stdout
    assert json.loads(audited.stdout)["findings"] == []
    page = tmp_path / "report.html"
    reported = rondgang("audit", "report", *sorted(tmp_path.glob("*.bundle")), "--out", page, "--lang", "en")
    assert reported.returncode == 0, reported.stderr
    text = page.read_text(encoding="utf-8")
    assert "linear regression of incidents@T1 on incidents@T0, help@T1 in {yes} over" in text
    assert "incidents beyond 0 to 3 counts as the bound" in text
    assert "between groups of help@T1, households (T1); adjusted: made alike in help@T0" in text


def test_a_region_that_is_away_is_left_out_of_the_sum_and_has_it_when_it_answers(
    federation: Federation, desk: Desk
) -> None:
    planned = desk.plan(_draft("away", mixed=True))
    federation.kill("DD")
    run = desk.submit(planned).run
    changes = desk.watch(run, PATIENCE_S)
    summed = next(one for one in changes if one.national is not None and one.national.where is Where.SUMMED)
    assert summed.state is State.ASKING
    assert _sum(desk.fetch(run)).regions == REGIONS[:3]
    federation.start_node("DD")
    assert finished(desk, run).state is State.COMPLETE
    events = _kept(federation, "DD", planned.hash, 3)
    assert [type(body) for body in events] == [Debited, Answered, Summed]


def test_a_desk_that_is_killed_in_an_attempt_makes_another_or_goes_on(federation: Federation, desk: Desk) -> None:
    planned = desk.plan(_draft("desk_killed"))
    run = desk.submit(planned).run
    changes = desk.watch(run)
    next(change for change in changes if change.national is not None and change.national.where is not Where.WAITING)
    federation.kill("coordinator")
    federation.start_one("coordinator", "coordinator", federation.coordinator)
    federation.wait_for(REGIONS, 60, quiet)
    last = finished(desk, run)
    assert last.national is not None
    assert last.national.where is Where.SUMMED
    charged = [body.attempt for body in _events(federation, "AA", planned.hash) if isinstance(body, Debited)]
    assert charged in ([1], [2], [1, 2])
    asked = from_canonical(Programme, Signed.from_bytes(desk.fetch(run).signed_programme).document)
    assert _sum(desk.fetch(run)).fits(asked)


def test_an_auditor_is_handed_every_attempt_with_the_documents_of_its_rounds(
    federation: Federation, desk: Desk, tmp_path: Path
) -> None:
    planned = desk.plan(_draft("nationwide"))
    run = finished(desk, desk.submit(planned).run).run
    out = tmp_path / "coordinator.bundle"
    told = rondgang("coordinator", "export-evidence", "--out", out, "--home", federation.coordinator)
    assert told.returncode == 0, told.stderr
    bundle = read("coordinator.bundle", out.read_bytes()).bundle
    assert bundle is not None
    papers = list(bundle.papers.values())
    mine = [paper for paper in papers if paper.kind in _IN_ATTEMPTS and paper.body.get("run") == run]
    assert [paper.kind for paper in mine] == ["order", *["secure_keys"] * 4, "participants", "national_sum"]
    order, *_, participants, summed = mine
    assert order.body["attempt"] == 1
    sharing = next(one for one in papers if one.kind == "sharing" and one.body["participants"] == participants.hash)
    survivors = next(one for one in papers if one.kind == "survivors" and one.body["sharing"] == sharing.hash)
    assert summed.body["survivors"] == survivors.hash
    seen = [one.body["region"] for one in papers if one.kind == "seen" and one.body["survivors"] == survivors.hash]
    assert seen == list(REGIONS)
    assert summed.envelope == desk.fetch(run).signed_sum
