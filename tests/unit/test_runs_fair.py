"""One researcher who has ever so many programmes open keeps no other's waiting, and has so many and no more."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rondgang.keys import SigningKey
from rondgang.roles import Role
from rondgang.signed import sign
from sqlalchemy import create_engine, event

from coordinator.admission import Admitted, researcher_of
from coordinator.attendance.lines import Introduction, Line, Lines, OrderOut
from coordinator.desk.past import Asked, PastRuns
from coordinator.desk.runs import MOST_ASKING, Runs
from coordinator.desk.turns import AT_A_REGION
from coordinator.errors import TooManyRuns
from coordinator.gather import State
from coordinator.store.store import ResultBytes, RunRecord, Store, open_store
from coordinator.study import Study
from policies.rules.refusals import Reason, Refused
from tests.applicants import signing_key
from tests.node_world import DESK, RESEARCHER, member, roster, signed_programme
from tests.secure_lines import adopted
from tests.small_study import OPEN, calendar, codebook, heading, planned

FLOODER = signing_key("flooder")
WHO = roster(member(Role.RESEARCHER, {"signing": FLOODER}, name="Flooder"))
NO = Refused(Reason.OVER_COHORT_CAP, "No.")


@contextmanager
def desk(folder: Path) -> Iterator[tuple[Runs, Lines, Line]]:
    """Runs with region AA on the line, on a store of their own."""
    numbers, lines, line = itertools.count(), Lines(), Line(Introduction("AA", "", "", "", ""))
    study = Study(adopted("roster", WHO), adopted("calendar", calendar()), {})

    def new_name() -> str:
        return f"run-{next(numbers):016x}"

    with open_store(f"sqlite:///{folder / 'store.sqlite'}") as store:
        lines.join(line)
        yield Runs(store, lines, lambda: study, DESK, lambda: OPEN, new_name, lambda: 0.0, 1.0), lines, line


def asks(runs: Runs, name: str, key: SigningKey) -> Coroutine[Any, Any, Any]:
    asked = planned().model_copy(update={"programme": heading(id=name)})
    admitted = Admitted(signed_programme(asked, key), asked, codebook(), "Somebody")
    return runs.submit(admitted, again=False)


def sent(line: Line) -> list[str]:
    """The runs whose orders went out since the last look."""
    found = []
    while not line.outgoing.empty():
        item = line.outgoing.get_nowait()
        assert isinstance(item, OrderOut)
        found.append(item.run)
    return found


def test_a_programme_goes_out_before_the_hundred_that_another_researcher_submitted_earlier(tmp_path: Path) -> None:
    """Regression: it waited for all of them at every region (`make soak`, the flood)."""

    async def work() -> None:
        with desk(tmp_path) as (runs, _, line):
            flood = [(await asks(runs, f"flood{number}", FLOODER)).run for number in range(40)]
            assert sent(line) == flood[:AT_A_REGION]
            mine = (await asks(runs, "mine", RESEARCHER)).run
            assert sent(line) == []
            await runs.reply("AA", flood[0], NO)
            assert sent(line) == [mine]
            await runs.reply("AA", flood[1], NO)
            assert sent(line) == [flood[AT_A_REGION]]
            # A line that broke took everything with it: as many go out anew over the next one.
            runs.lost("AA")
            runs.catch_up("AA")
            assert len(sent(line)) == AT_A_REGION
            await runs.stop()

    asyncio.run(work())


def test_every_order_goes_out_in_the_end(tmp_path: Path) -> None:
    async def work() -> None:
        with desk(tmp_path) as (runs, _, line):
            asked = [(await asks(runs, f"n{number}", FLOODER)).run for number in range(30)]
            heard: list[str] = []
            while out := sent(line):
                heard += out
                for run in out:
                    await runs.reply("AA", run, NO)
            assert heard == asked
            await runs.stop()

    asyncio.run(work())


def test_a_researcher_with_too_many_open_runs_is_turned_away_and_no_other_is(tmp_path: Path) -> None:
    async def work() -> None:
        with desk(tmp_path) as (runs, _, _line):
            for number in range(MOST_ASKING):
                first = await asks(runs, f"n{number}", FLOODER)
            with pytest.raises(TooManyRuns):
                await asks(runs, "one_more", FLOODER)
            assert (await asks(runs, f"n{MOST_ASKING - 1}", FLOODER)).run == first.run, "it has its run"
            await asks(runs, "another", RESEARCHER)
            await runs.stop()

    asyncio.run(work())


def test_whose_a_programme_is_takes_a_signature_that_holds() -> None:
    """Nobody has a programme counted as another's by a signature that the other never made."""
    asked = signed_programme(planned(), FLOODER)
    flooder, other = (
        next(one.tls for one in WHO.members if one.name == name) for name in ("Flooder", Role.RESEARCHER.value)
    )
    assert researcher_of(asked, WHO, OPEN) == flooder
    assert researcher_of(signed_programme(planned()), WHO, OPEN) == other
    false = replace(asked.signatures[0], key=RESEARCHER.public.hex)
    claimed = replace(asked, signatures=tuple(sorted((false, *asked.signatures), key=lambda one: one.key)))
    assert researcher_of(claimed, WHO, OPEN) == flooder
    assert researcher_of(sign("programme", asked.document, signing_key("nobody")), WHO, OPEN) == ""


def test_what_finished_runs_asked_is_read_once_however_often_results_are_made(tmp_path: Path) -> None:
    """Regression: every result read and parsed every finished run's programme anew, so each one slowed all the next."""
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    with open_store(url):
        pass
    engine, read = create_engine(url), list[str]()

    @event.listens_for(engine, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        read.append(statement)

    store = Store(engine, engine)
    past = PastRuns(store)
    for number in range(3):
        _finish(store, f"run-{number}", f"n{number}")
    asked = list[str]()

    def wanted(one: Asked) -> bool:
        asked.append(one.cohort)
        return False

    assert past(wanted) == ()
    assert asked == ["c1"] * 3
    assert _programmes(read) == 1
    _finish(store, "run-3", "n3")
    assert past(lambda _: False) == ()
    assert past(lambda _: False) == ()
    assert _programmes(read) == 2
    engine.dispose()


def _programmes(read: list[str]) -> int:
    return sum("signed_programme" in statement and statement.startswith("SELECT") for statement in read)


def _finish(store: Store, run: str, name: str) -> None:
    asked = signed_programme(planned().model_copy(update={"programme": heading(id=name)}))
    store.open_run(RunRecord(run, asked.digest, asked.to_bytes(), OPEN, OPEN, State.COMPLETE))
    store.put_results(run, 1, {"AA": ResultBytes("0" * 64, b"result")})
