"""How long a reply takes does not tell whether one more household, of the worst kind, is in the data.

One real node process holds both data sets, as two cohorts of one shape, and is asked about them in turn, each time a
programme that it has not seen. Ticks are the shortest that a policy can have: a finer clock for the attacker than the
default gives.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from rondgang.signed import Signed, sign
from scipy import stats

import node.cli
from compose.demo.federation import Federation
from compose.demo.verbs import run as verb
from coordinator.home import Home as Profile
from coordinator.study import read_study
from policies.documents import to_canonical
from policies.statistics.plan import plan
from tests.e2e.world import STRICT_CALENDAR, OtherDesk, documents, draft, impatient, node_at, quiet, status_of

pytestmark = pytest.mark.alone

REPLIES = 250
"""Of each data set."""
FALSE_ALARM = 1e-6
"""The chance that the test turns down equal distributions: at most this, because times on ticks have ties."""
WITH, WITHOUT = "c1", "c5"
POLICY = """
policy: {version: 1}
cohorts: {c1: {rho: "900"}, c5: {rho: "900"}}
lifetime: {rho: "1000"}
programme: {rho: "1"}
tick_ms: 5
"""
STATISTICS: tuple[dict[str, object], ...] = (
    {"id": "state", "kind": "transition", "of": "state", "unit": "household", "wave": "T0->T1", "by": ["profile"]},
    {"id": "grade", "kind": "mean", "of": "grade", "unit": "household"},
    {"id": "safe", "kind": "proportion", "of": "safe == yes", "unit": "adult", "by": ["profile"]},
    {"id": "wellbeing", "kind": "mean", "of": "wellbeing", "unit": "adult"},
    {"id": "hurt", "kind": "proportion", "of": "hurt_and_unhelped == yes", "unit": "child", "where": "age@T0 >= 1"},
)


def delivery(folder: Path, households: int, *, worst: bool) -> Path:
    """Ordinary households of one adult and one child; the worst one has more persons than are counted, at extremes."""
    folder.mkdir(parents=True)
    home, adult, child = ["hh;wave;incidents;grade;profile;help"], ["hh;person;wave;safe;wellbeing"], []
    child.append("hh;person;wave;trauma;age")
    for i in range(households):
        for wave in ("T0", "T1"):
            home.append(f"h{i:03};{wave};{i % 4};{(i % 5) / 2 - 1};{('1', '12a', 'c')[i % 3]};{('no', 'yes')[i % 2]}")
            adult.append(f"h{i:03};a;{wave};{('no', 'yes')[i % 2]};{(i % 3) / 2}")
            child.append(f"h{i:03};c;{wave};{('yes', 'no')[i % 2]};{i % 3}")
    if worst:
        for wave in ("T0", "T1"):
            home.append(f"zzz;{wave};4;1.5;c;no")
            adult += [f"zzz;a{i};{wave};yes;1" for i in range(9)]
            child += [f"zzz;c{i};{wave};yes;2" for i in range(9)]
    for name, lines in (("household", home), ("adult", adult), ("child", child)):
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    folder = tmp_path_factory.mktemp("timing")
    papers = documents(folder / "documents", calendar=STRICT_CALENDAR, policy=POLICY)
    data = {"AA": delivery(folder / "with", 60, worst=True)}
    made = Federation(folder / "federation", data, papers, cohort=WITH)
    made.set_up(quiet)
    impatient(made)
    less = delivery(folder / "without", 60, worst=False)
    verb(node.cli.app, "node", "import", less, "--cohort", WITHOUT, "--home", made.node("AA"))
    yield made
    made.stop()


def programmes(federation: Federation, count: int) -> list[tuple[str, Signed]]:
    """As many new programmes for each data set, in a random order, a pair at a time."""
    study = read_study(Profile(federation.coordinator))
    codebook, key = study.codebooks["small@1"], Profile(federation.researcher).signing_key()
    hashes, rng = (codebook.digest, study.calendar.digest), np.random.default_rng()
    made = []
    for number in range(count):
        for cohort in rng.permutation([WITH, WITHOUT]).tolist():
            asked = draft(f"t{number}", *STATISTICS, rho="1", weights={"AA": "1"}, cohort=cohort)
            programme = plan(asked, codebook.document, study.calendar.document, hashes)
            made.append((cohort, sign("programme", to_canonical(programme), key)))
    return made


def reply_ms(desk: OtherDesk, programme: Signed) -> float:
    order = desk.order(programme)
    sent_ns = desk.send(order)
    heard = desk.reply(order.run)
    assert isinstance(heard.outcome, bytes), heard.outcome
    return (heard.at_ns - sent_ns) / 1e6


def test_reply_times_are_alike_with_and_without_the_worst_household(federation: Federation) -> None:
    asked = programmes(federation, REPLIES + 10)
    warm, measured = asked[:20], asked[20:]
    took: dict[str, list[float]] = {WITH: [], WITHOUT: []}
    with node_at(federation, "AA") as desk:
        for _, programme in warm:
            reply_ms(desk, programme)
        for cohort, programme in measured:
            took[cohort].append(reply_ms(desk, programme))
        assert status_of(federation, "AA").answered == len(asked)
    assert len(took[WITH]) == len(took[WITHOUT]) == REPLIES
    found = stats.ks_2samp(took[WITH], took[WITHOUT])
    medians = ", ".join(f"{cohort}: {np.median(times):.1f} ms" for cohort, times in took.items())
    assert found.pvalue >= FALSE_ALARM, medians


def test_the_comparison_would_see_a_tick_more_in_two_replies_of_five() -> None:
    """What a difference must be to be found, on made-up times of one tick or two."""
    rng = np.random.default_rng(1)
    times = rng.choice([15.0, 20.0], 2 * REPLIES, p=[0.7, 0.3]) + rng.random(2 * REPLIES)
    later = times[:REPLIES] + 5.0 * (rng.random(REPLIES) < 0.4)
    assert stats.ks_2samp(times[:REPLIES], times[REPLIES:]).pvalue >= FALSE_ALARM
    assert stats.ks_2samp(later, times[REPLIES:]).pvalue < FALSE_ALARM
