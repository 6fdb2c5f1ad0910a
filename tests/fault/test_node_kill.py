"""kill -9 between every two steps, and copies at every step: no answer without its debit, and one for each at most."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from rondgang.canonical import digest

from node.home import Home
from node.ledger.ledger import Ledger
from policies.rules.entries import Answered, Debited
from tests.node_world import Clock, import_rows, make_home
from tests.small_study import planned

CHECKOUT = Path(__file__).resolve().parents[2]
MOMENTS = (
    "opened", "cosign 1", "cosign 2", "authenticated", "decided", "debited", "cosign 3", "cosign 4", "cosigned",
    "read", "noised", "stored", "cosign 5", "cosign 6", "released", "sent",
)  # fmt: skip
"""In their order. From `debited` on the money is gone; from `stored` on there is one answer for good."""
NEVER = "never"
KILLED = -9
PRICE = planned().charge.amount.nano

Run = Callable[..., int]
"""Answers once, in a process of its own that dies at a moment, or is copied then; gives its exit code."""


@dataclass(frozen=True)
class Place:
    """A home, the file that stands for the desk, and the folder where its witnesses remember."""

    home: Home
    out: Path
    witnesses: Path

    def sent(self) -> list[bytes]:
        """The answers that left."""
        return [line for line in self.told() if line.startswith(b"{")]

    def told(self) -> list[bytes]:
        """Everything that left, refusals too."""
        return self.out.read_bytes().splitlines() if self.out.exists() else []

    def records(self) -> tuple[list[int], list[Answered]]:
        """Sequence numbers of debits, and the answers, as a fresh start reads and checks them."""
        with closing(Ledger(self.home.ledger_file, "AA", Clock())) as ledger:
            entries = ledger.last_entries(10_000)
            debits = [entry.seq for entry in entries if isinstance(entry.body, Debited)]
            assert ledger.book.lifetime.nano == PRICE * len(debits)
        answers = [entry.body for entry in entries if isinstance(entry.body, Answered)]
        paid_by = [answer.debit for answer in answers]
        assert len(set(paid_by)) == len(paid_by)
        assert set(paid_by) <= set(debits)
        assert {digest(reply) for reply in self.sent()} <= {answer.answer for answer in answers}
        return debits, answers


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    command = [sys.executable, "-m", "tests.fault.node_killed"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT) as process:
        stdin, stdout = process.stdin, process.stdout
        assert stdin is not None
        assert stdout is not None

        def answer(place: Place, moment: str, *copies: int) -> int:
            where = [str(place.home.root), str(place.out), str(place.witnesses)]
            stdin.write(json.dumps([*where, moment, *copies]) + "\n")
            stdin.flush()
            return int(stdout.readline())

        yield answer
        stdin.close()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = make_home(tmp_path_factory.mktemp("template") / "home", cohorts={"c1": {"rho": "9"}}, lifetime={"rho": "9"})
    import_rows(home)
    return home.root


@pytest.fixture
def place(template: Path, tmp_path: Path) -> Place:
    (tmp_path / "witnesses").mkdir()
    return Place(Home(shutil.copytree(template, tmp_path / "home")), tmp_path / "sent", tmp_path / "witnesses")


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_kill_leaves_no_answer_without_debit_and_a_restart_gives_one(run: Run, place: Place, moment: str) -> None:
    assert run(place, moment) == KILLED
    debits, answers = place.records()
    assert len(debits) == (MOMENTS.index(moment) >= MOMENTS.index("debited"))
    assert len(answers) == (MOMENTS.index(moment) >= MOMENTS.index("stored"))
    assert len(place.sent()) == (moment == "sent")

    assert [run(place, NEVER) for _ in range(2)] == [0, 0]
    debits_after, (answer,) = place.records()
    # A stored answer is served as it is; a debit that was left without one stays charged, and a new one pays.
    assert len(debits_after) == (len(debits) if answers else len(debits) + 1)
    assert answer.debit == debits_after[-1]
    assert len(set(place.sent())) == 1
    assert digest(place.sent()[-1]) == answer.answer


def test_every_kill_after_the_debit_costs_once_more_and_none_gives_two_answers(run: Run, place: Place) -> None:
    dead = [moment for moment in MOMENTS if MOMENTS.index("debited") <= MOMENTS.index(moment) < MOMENTS.index("stored")]
    before = MOMENTS[: MOMENTS.index("stored")]
    for moment in (*before, *dead, "stored", *MOMENTS[:2], "sent"):
        run(place, moment)
    debits, answers = place.records()
    assert len(debits) == 2 * len(dead) + 1
    assert len(answers) == 1
    assert len(place.sent()) == 1


def test_a_copy_of_the_disk_after_a_debit_does_not_answer_for_it(run: Run, place: Place, tmp_path: Path) -> None:
    assert run(place, "debited") == KILLED
    home = Home(shutil.copytree(place.home.root, tmp_path / "copy"))
    copy = Place(home, tmp_path / "copy_sent", place.witnesses)
    assert run(place, NEVER) == 0
    debits, (answer,) = place.records()
    assert answer.debit != debits[0]
    assert run(copy, NEVER) == 0
    assert copy.told() == [b"behind_witnesses"]
    assert copy.records() == (debits[:1], [])


@pytest.mark.parametrize(
    "moment",
    ["debited", *(pytest.param(one, marks=pytest.mark.slow) for one in ("cosigned", "read")), "noised", "stored"],
)
def test_of_twenty_copies_of_a_process_and_its_disk_one_answer_leaves_at_most(
    run: Run, place: Place, moment: str
) -> None:
    """All twenty, and the one they are copies of, have the debit in hand, and all of them go on at once."""
    assert run(place, moment, 20) == 0
    told = place.told()
    assert len(told) == 21
    assert len(set(place.sent())) <= 1
    assert {line for line in told if not line.startswith(b"{")} <= {b"behind_witnesses", b"unwitnessed"}
    if moment == "stored":
        assert len(place.sent()) == 21, "the same bytes, as often as anybody likes"
    # Whoever is left alone with the witnesses comes to an answer, or is told to start anew.
    assert run(place, NEVER) == 0
    assert len(set(place.sent())) <= 1
