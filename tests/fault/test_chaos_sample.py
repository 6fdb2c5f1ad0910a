"""A little of `python -m compose.chaos`: kills of nodes under load, and a judge who would see what is wrong."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from rondgang.canonical import encode
from rondgang.leaves import leaf_hash

from compose.chaos.chance import Chance
from compose.chaos.judge import Judge
from compose.chaos.mill import Tally
from compose.chaos.run import Chaos, Scale
from compose.chaos.servers import serving
from compose.chaos.table import Report, page
from compose.chaos.world import federation, stores
from compose.demo.federation import Federation

SCALE = Scale(kills=20, at_calls=3, whole=0, disks=0, regions=2)


@dataclass(frozen=True)
class Ran:
    """What was done to two regions, and what an auditor says."""

    made: Federation
    tallies: dict[str, Tally]
    audit: Tally


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("chaos")
    made = federation(folder, ("AA", "BB"), lambda _line: None)
    chaos = Chaos(folder, 2026, lambda _line: None)
    with serving(made, *made.witnesses):
        tallies = chaos.work(made, SCALE, None)
    return Ran(made, {tally.kind: tally for tally in tallies}, chaos.audit(made, "the ledgers"))


def test_no_kill_loses_a_debit_or_lets_an_answer_out_without_one(ran: Ran) -> None:
    assert [what for tally in ran.tallies.values() for what in tally.violations] == []
    killed = ran.tallies["kill -9 of a node"]
    assert killed.count == SCALE.kills
    assert killed.outcomes["answers that left"] > 0, "there was a load"
    moments = {what for what in killed.outcomes if what.startswith("died after")}
    assert len(moments) >= 4, moments


def test_an_auditor_finds_nothing_in_what_the_kills_left(ran: Ran) -> None:
    assert ran.audit.violations == []
    assert ran.audit.outcomes["debits"] >= ran.audit.outcomes["answers"] > 0
    assert ran.audit.outcomes["findings: error"] == 0


@pytest.fixture
def judge(ran: Ran, tmp_path: Path) -> Judge:
    """A judge who has seen a copy of the first region's ledger, and found nothing."""
    for name in ("ledger.sqlite", "ledger.sqlite-wal"):
        if (ran.made.node("AA") / name).exists():
            shutil.copy(ran.made.node("AA") / name, tmp_path / name)
    found = Judge("AA", tmp_path / "ledger.sqlite", stores(ran.made))
    with closing(sqlite3.connect(found.ledger, isolation_level=None)) as file:
        for (name,) in file.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
            file.execute(f"DROP TRIGGER {name}")
    assert found.look() == []
    assert found.size > 10
    assert found.answers
    return found


def _last(file: sqlite3.Connection) -> int:
    (seq,) = file.execute("SELECT max(seq) FROM entries").fetchone()
    return int(seq)


def _drop_the_last(file: sqlite3.Connection) -> None:
    file.execute("PRAGMA foreign_keys = OFF")
    file.execute("DELETE FROM entries WHERE seq = ?", (_last(file),))


def _edit_the_last(file: sqlite3.Connection) -> None:
    file.execute("UPDATE entries SET hash = ? WHERE seq = ?", ("0" * 64, _last(file)))


def _add(file: sqlite3.Connection, **body: object) -> None:
    seq = _last(file)
    (previous,) = file.execute("SELECT hash FROM entries WHERE seq = ?", (seq,)).fetchone()
    data = encode({"seq": seq + 1, "time": 1, "previous": previous, "body": {**body}})  # type: ignore[dict-item]
    file.execute("INSERT INTO entries (seq, body, hash) VALUES (?, ?, ?)", (seq + 1, data, leaf_hash(data)))


def _answer_twice(file: sqlite3.Connection) -> None:
    (debit, programme) = file.execute("SELECT debit_seq, programme FROM answers").fetchone()
    _add(file, event="answered", programme=programme, debit=debit, answer="0" * 64)


def _answer_for_nothing(file: sqlite3.Connection) -> None:
    _add(file, event="answered", programme="0" * 64, debit=0, answer="0" * 64)


def _miscount(file: sqlite3.Connection) -> None:
    _add(file, event="debited", programme="0" * 64, charge="1", lifetime_total="1")


def _swap_a_reply(file: sqlite3.Connection) -> None:
    (debit, programme) = file.execute("SELECT debit_seq, programme FROM answers").fetchone()
    file.execute("UPDATE answers SET bytes = ? WHERE debit_seq = ?", (b"{}", debit))
    _add(file, event="answered", programme=programme, debit=debit, answer="0" * 64)


WRONGS: list[tuple[Callable[[sqlite3.Connection], None], str]] = [
    (_drop_the_last, "is not what it was"),
    (_edit_the_last, "is not what it was"),
    (_answer_twice, "second answer to debit"),
    (_answer_twice, "second answer to one programme"),
    (_answer_for_nothing, "answers without a debit"),
    (_miscount, "not the sum of the charges"),
    (_swap_a_reply, "not stored as it was logged"),
]


@pytest.mark.parametrize(("wrong", "said"), WRONGS, ids=[said for _, said in WRONGS])
def test_the_judge_sees_a_ledger_that_is_wrong(
    judge: Judge, wrong: Callable[[sqlite3.Connection], None], said: str
) -> None:
    with closing(sqlite3.connect(judge.ledger, isolation_level=None)) as file:
        wrong(file)
    assert any(said in what for what in judge.look())


def test_the_judge_sees_what_left_and_should_not_have(judge: Judge) -> None:
    programme, (place, answer) = next(iter(judge.answers.items()))
    judge.sent(programme, answer)
    assert judge.look() == []
    judge.sent(programme, answer)
    judge.sent(programme, "0" * 64)
    assert any("not the one answer" in what for what in judge.look())
    judge.sent("1" * 64, "0" * 64)
    assert any("not the one answer" in what for what in judge.look())
    alone = Judge("AA", judge.ledger, [])
    alone.look()
    alone.sent(programme, answer)
    assert alone.look() == [f"AA: the answer of entry {place} left before it was cosigned"]


def test_the_judge_sees_rows_that_were_read_too_early(judge: Judge) -> None:
    judge.told({"at": "read", "size": judge.size + 1, "head": "0" * 64})
    judge.said.clear()
    assert any("rows were read at" in what for what in judge.look())


def test_the_judge_sees_what_was_on_disk_and_is_gone(judge: Judge) -> None:
    judge.on_disk(judge.size, judge.heads[-1])
    assert judge.look() == []
    judge.on_disk(judge.size + 1, "0" * 64)
    assert any("are not there" in what for what in judge.look())
    judge.on_disk(judge.size, "0" * 64)
    assert any("are not there" in what for what in judge.look())
    judge.ledger.write_bytes(b"not a ledger" * 100)
    assert any("cannot be read" in what for what in judge.look())


def test_a_seed_gives_the_same_chances_again() -> None:
    def drawn(seed: int, name: str) -> list[int]:
        chance = Chance(seed, name)
        return [chance.below(1000) for _ in range(50)]

    assert drawn(1, "a") == drawn(1, "a")
    assert len({tuple(drawn(seed, name)) for seed in (1, 2) for name in ("a", "b")}) == 4
    assert all(0 <= number < 1000 for number in drawn(1, "a"))


def test_the_table_shows_what_was_wrong() -> None:
    tally = Tally("kill -9 of a node", 2000, violations=["AA: a debit is gone"])
    tally.outcomes["died after read"] = 1200
    shown = page(Report(1, (tally,), 61.0), "python -m compose.chaos")
    assert "| kill -9 of a node | 2,000 | died after read: 1,200 | 1 | 0 |" in shown
    assert "2,000 kills in 61 s" in shown
    assert "- AA: a debit is gone" in shown
