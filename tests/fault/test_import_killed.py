"""Imports that end half-way: nobody is ever in more cohorts than may be, and what was in force stays in force."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rondgang.signed import sign

from node.home import Home
from node.importing.problems import BadImport
from node.importing.request import ImportRequest
from node.importing.run import Step, import_files
from node.operations import Done, adopt_document, adopt_policy, import_terms, record_import
from policies.documents import to_canonical
from tests.fault.import_killed import DISK, asked
from tests.importing import deliver
from tests.node_world import CONSORTIUM, make_home
from tests.small_study import calendar, region_policy

COHORTS = ("c1", "c3")
MOMENTS: tuple[Step, ...] = ("entered", "written")
KILLED = -9
CHECKOUT = Path(__file__).parents[2]
Run = Callable[[Home, Path, str, str | int], int]
"""Imports a folder once, in a process of its own that ends at a moment, or has no room; gives its exit code."""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A node where a household may be in one cohort, of two."""
    caps = {cohort: {"rho": "0.5"} for cohort in COHORTS}
    made = make_home(tmp_path / "home", always=True)
    small = calendar().model_copy(update={"cohorts": dict.fromkeys(COHORTS, calendar().cohorts["c1"])})
    named = small.calendar.model_copy(update={"version": 2})
    signed = sign("calendar", to_canonical(small.model_copy(update={"calendar": named})), CONSORTIUM)
    assert isinstance(adopt_document(made, signed.to_bytes()), Done)
    policy = region_policy(policy={"version": 2}, cohorts=caps, households={"most_cohorts": 1})
    assert isinstance(adopt_policy(made, policy), Done)
    return made


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    command = [sys.executable, "-m", "tests.fault.import_killed"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT) as process:
        stdin, stdout = process.stdin, process.stdout
        assert stdin is not None
        assert stdout is not None

        def once(home: Home, folder: Path, cohort: str, moment: str | int) -> int:
            stdin.write(json.dumps([str(home.root), str(folder), cohort, moment]) + "\n")
            stdin.flush()
            return int(stdout.readline())

        yield once
        stdin.close()


def delivery(home: Home, *stable: str) -> Path:
    """A folder with one household for each of these stable ids."""
    folder = home.root.parent / f"delivery-{'-'.join(stable)}"
    lines = ["hh;stable_id;wave;incidents", *(f"h{one};{one};T0;1" for one in stable)]
    return deliver(folder, household="\n".join(lines) + "\n")


def request(home: Home, cohort: str, *stable: str) -> ImportRequest:
    return asked(home, delivery(home, *stable), cohort)


def whole(home: Home, asked: ImportRequest) -> int:
    """An import to its end. Returns how many households it holds."""
    done = import_files(asked)
    facts = (done.snapshot.id, asked.cohort, asked.codebook_hash, asked.terms.snapshot, asked.terms.most_cohorts)
    assert isinstance(record_import(home, *facts), Done)
    return done.report.tables[0].kept


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_kill_before_the_ledger_leaves_households_out_rather_than_in(run: Run, home: Home, moment: Step) -> None:
    assert run(home, delivery(home, "s1", "s2"), "c1", moment) == KILLED
    assert import_terms(home, "c1").snapshot == "", "nothing came into force"
    with pytest.raises(BadImport, match="No household may take part"):
        import_files(request(home, "c3", "s1", "s2"))
    assert whole(home, request(home, "c3", "s1", "s3")) == 1
    assert whole(home, request(home, "c1", "s1", "s2", "s3")) == 2, "again, and whoever is elsewhere by now is out"


def test_of_two_imports_of_one_cohort_the_second_is_told_to_begin_anew(home: Home) -> None:
    one, other = (request(home, "c1", "s1", name) for name in ("s2", "s3"))
    first, second = import_files(one), import_files(other)
    terms = one.terms
    done = record_import(home, first.snapshot.id, "c1", one.codebook_hash, terms.snapshot, terms.most_cohorts)
    assert isinstance(done, Done)
    late = record_import(home, second.snapshot.id, "c1", one.codebook_hash, terms.snapshot, terms.most_cohorts)
    assert not isinstance(late, Done)
    assert import_terms(home, "c1").snapshot == first.snapshot.id


@pytest.mark.parametrize("room", [0, 100, 9000])
def test_a_disk_without_room_changes_nothing_that_is_in_force(run: Run, home: Home, room: int) -> None:
    """At the first byte, in the registry, and behind it: the next import has the room, and goes on as ever."""
    assert whole(home, request(home, "c1", "s1")) == 1
    before = import_terms(home, "c1")
    assert run(home, delivery(home, "s1", "s2"), "c3", room) == DISK
    assert import_terms(home, "c1") == before
    assert [path.name for path in home.snapshots.iterdir()] == [before.snapshot], "no half of one is left"
    assert whole(home, request(home, "c3", "s1", "s2")) == 1
