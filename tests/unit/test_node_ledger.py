"""The ledger: a chain that shows any change, one answer for one debit, and nothing spent twice or silently."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from rondgang.leaves import first_break

from node.errors import BrokenLedger
from node.ledger.book import Book
from node.ledger.ledger import Claim, Debit, Ledger
from node.ledger.schema import connect, migrations
from policies.rules.decide import Granted
from policies.rules.entries import Debited, Imported, RefusedEntry
from policies.rules.refusals import Reason, Refused
from policies.statistics.compile import Compilation
from policies.units.money import NanoRho

PROGRAMME, OTHER, SNAPSHOT, CODEBOOK, KEY = "a" * 64, "b" * 64, "5" * 32, "c" * 64, "d" * 64
NO = Refused(Reason.OVER_COHORT_CAP, "no")


def claim(programme: str = PROGRAMME, snapshot: str = SNAPSHOT) -> Claim:
    return Claim(programme, "run-0000000000000001", KEY, "c1", snapshot)


def grant(nano: int = 10) -> Callable[[Book], Granted | Refused]:
    return lambda _book: Granted(NanoRho(nano), Compilation((), ()))


_OPEN: list[Ledger] = []


@pytest.fixture(autouse=True)
def _close() -> Iterator[None]:
    yield
    while _OPEN:
        _OPEN.pop().close()


def opened(path: Path) -> Ledger:
    ledger = Ledger(path, "AA", lambda: 1_800_000_000)
    _OPEN.append(ledger)
    if "c1" not in ledger.book.snapshots:
        ledger.log_import(Imported(event="imported", snapshot=SNAPSHOT, cohort="c1", codebook=CODEBOOK))
    return ledger


def debit(ledger: Ledger, of: Claim | None = None, nano: int = 10) -> Debit:
    made = ledger.debit(of or claim(), grant(nano))
    assert isinstance(made, Debit)
    return made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def full(path: Path) -> Path:
    """A ledger with an import, an answered debit, a refusal and a dead debit."""
    ledger = opened(path)
    ledger.store_answer(debit(ledger), b"reply")
    ledger.log_refusal(RefusedEntry(event="refused", programme=OTHER, run="run-0000000000000002", reason="late"))
    debit(ledger, claim(OTHER), 7)
    ledger.close()
    return path


def test_what_was_written_is_there_after_reopening(full: Path) -> None:
    ledger = opened(full)
    assert ledger.book.lifetime == ledger.book.cohorts["c1"] == NanoRho(17)
    assert ledger.answer(PROGRAMME, SNAPSHOT) == b"reply"
    assert ledger.answer(OTHER, SNAPSHOT) is None
    assert [entry.body.event for entry in ledger.last_entries(9)] == [
        "opened", "imported", "debited", "answered", "refused", "debited",
    ]  # fmt: skip
    assert list(ledger.book.unanswered) == [5]


def test_entries_form_the_chain_that_everyone_can_check(full: Path) -> None:
    with closing(sqlite3.connect(full)) as connection:
        rows = connection.execute("SELECT body FROM entries ORDER BY seq").fetchall()
    assert first_break([bytes(body) for (body,) in rows]) is None


def test_a_refusal_in_the_debit_changes_nothing(full: Path) -> None:
    ledger = opened(full)
    before = (ledger.book.size, ledger.book.head, ledger.book.lifetime)
    assert ledger.debit(claim(OTHER), lambda _book: NO) is NO
    assert (ledger.book.size, ledger.book.head, ledger.book.lifetime) == before


def test_the_debit_decides_by_what_the_ledger_adds_up_to(full: Path) -> None:
    seen: list[int] = []

    def decide(book: Book) -> Granted | Refused:
        seen.append(book.lifetime.nano)
        return NO

    opened(full).debit(claim(OTHER), decide)
    assert seen == [17]


def test_a_debit_of_an_earlier_process_is_dead(path: Path) -> None:
    ledger = opened(path)
    left_behind = debit(ledger)
    ledger.close()
    again = opened(path)
    with pytest.raises(BrokenLedger):
        again.store_answer(left_behind, b"late reply")
    assert again.answer(PROGRAMME, SNAPSHOT) is None
    again.store_answer(debit(again), b"reply")
    assert again.book.lifetime == NanoRho(20)


def test_a_debit_has_one_answer(path: Path) -> None:
    ledger = opened(path)
    made = debit(ledger)
    ledger.store_answer(made, b"first")
    with pytest.raises(BrokenLedger):
        ledger.store_answer(made, b"second")
    assert ledger.answer(PROGRAMME, SNAPSHOT) == b"first"


def test_a_new_debit_ends_the_one_in_hand(path: Path) -> None:
    ledger = opened(path)
    first = debit(ledger)
    debit(ledger, claim(OTHER))
    with pytest.raises(BrokenLedger):
        ledger.store_answer(first, b"reply")


def test_an_answered_programme_is_not_charged_again_for_the_same_snapshot(path: Path) -> None:
    ledger = opened(path)
    ledger.store_answer(debit(ledger), b"reply")
    with pytest.raises(BrokenLedger):
        ledger.debit(claim(), grant())
    assert ledger.book.lifetime == NanoRho(10)
    ledger.log_import(Imported(event="imported", snapshot="6" * 32, cohort="c1", codebook=CODEBOOK))
    debit(ledger, claim(snapshot="6" * 32))
    assert ledger.book.lifetime == NanoRho(20)


def test_a_debit_for_a_snapshot_that_is_not_in_force_is_refused(path: Path) -> None:
    ledger = opened(path)
    with pytest.raises(BrokenLedger):
        ledger.debit(claim(snapshot="7" * 32), grant())
    assert ledger.book.size == 2


def test_the_same_refusal_is_logged_once(path: Path) -> None:
    ledger = opened(path)
    refusal = RefusedEntry(event="refused", programme=OTHER, run="run-0000000000000002", reason="late")
    assert ledger.log_refusal(refusal)
    assert not ledger.log_refusal(refusal)
    assert ledger.book.size == 3


@pytest.mark.parametrize(
    "statement",
    ["UPDATE entries SET hash = 'x'", "DELETE FROM entries", "UPDATE answers SET bytes = x'00'", "DELETE FROM answers"],
)
def test_the_file_itself_refuses_change(full: Path, statement: str) -> None:
    with (
        closing(sqlite3.connect(full)) as connection,
        pytest.raises(sqlite3.IntegrityError, match=r"append-only|never"),
    ):
        connection.execute(statement)


def _alter(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    for name in ("entries_never_change", "entries_never_go", "answers_never_change", "answers_never_go"):
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    "statements",
    [
        ("UPDATE entries SET body = CAST(replace(body, '\"10\"', '\"01\"') AS BLOB) WHERE seq = 2",),
        ("DELETE FROM entries WHERE seq = 4",),
        ("DELETE FROM entries WHERE seq = 1",),
        ("UPDATE entries SET hash = upper(hash) WHERE seq = 3",),
        ("UPDATE entries SET hash = 'e' WHERE seq = 5",),
        ("UPDATE entries SET seq = 9 WHERE seq = 5",),
        ("UPDATE entries SET body = x'7b7d' WHERE seq = 5",),
        ("UPDATE answers SET bytes = CAST('other' AS BLOB)",),
        ("UPDATE answers SET programme = 'x'",),
        ("DELETE FROM answers",),
        ("INSERT INTO answers SELECT 5, 'x', snapshot, bytes FROM answers",),
    ],
)
def test_any_change_behind_its_back_is_found_when_it_opens(full: Path, statements: tuple[str, ...]) -> None:
    _alter(full, *statements)
    with pytest.raises(BrokenLedger):
        Ledger(full, "AA", lambda: 0)


def test_a_second_writer_stops_the_first(path: Path) -> None:
    first, second = opened(path), opened(path)
    debit(second)
    with pytest.raises(BrokenLedger, match="another process"):
        first.debit(claim(OTHER), grant())


def test_a_ledger_of_another_region_is_refused(full: Path) -> None:
    with pytest.raises(BrokenLedger, match="of AA, not of BB"):
        Ledger(full, "BB", lambda: 0)


def test_an_unknown_schema_is_refused(full: Path) -> None:
    connection = sqlite3.connect(full)
    connection.execute(f"PRAGMA user_version = {migrations()[-1][0] + 1}")
    connection.close()
    with pytest.raises(BrokenLedger, match="upgrade"):
        Ledger(full, "AA", lambda: 0)


def test_a_file_of_another_kind_is_refused(path: Path) -> None:
    path.write_bytes(b"no database at all, but long enough to look like one" * 40)
    with pytest.raises(BrokenLedger):
        Ledger(path, "AA", lambda: 0)


def test_migrations_are_numbered_without_gaps_and_say_what_each_column_is() -> None:
    known = migrations()
    assert [number for number, _ in known] == list(range(1, len(known) + 1))
    for _, sql in known:
        columns = [line for line in sql.splitlines() if line.startswith("    ") and not line.strip().startswith("UNIQ")]
        assert columns
        assert [line for line in columns if "--" not in line] == []


def test_a_commit_is_on_disk(path: Path) -> None:
    with closing(connect(path)) as connection:
        full = 2
        assert connection.execute("PRAGMA synchronous").fetchone() == (full,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("change", [{"cohort_total": 11}, {"lifetime_total": 9}, {"charge": -1, "cohort_total": 9}])
def test_totals_must_follow_from_those_before(change: dict[str, int]) -> None:
    book = Book(size=1)
    book.snapshots["c1"] = Imported(event="imported", snapshot=SNAPSHOT, cohort="c1", codebook=CODEBOOK)
    event = Debited(
        event="debited", programme=PROGRAMME, run="r", researcher=KEY, snapshot=SNAPSHOT, cohort="c1",
        charge=10, cohort_total=10, lifetime_total=10,
    )  # fmt: skip
    book.check(event)
    with pytest.raises(BrokenLedger, match="totals"):
        book.check(event.model_copy(update=change))
