"""A desk that has run for years holds as many finished runs in memory as on its first day, and forgets none."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path

from coordinator.admission import Admitted
from coordinator.attendance.lines import Lines
from coordinator.desk.runs import _DONE_KEPT, Runs
from coordinator.gather import State
from coordinator.store.store import open_store
from coordinator.study import Study
from tests.node_world import DESK, roster, signed_programme
from tests.secure_lines import adopted
from tests.small_study import OPEN, calendar, codebook, heading, planned


def test_finished_runs_beyond_the_newest_are_in_the_store_alone_and_read_when_somebody_asks(tmp_path: Path) -> None:
    numbers, study = itertools.count(), Study(adopted("roster", roster()), adopted("calendar", calendar()), {})

    async def work() -> None:
        with open_store(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
            clock = OPEN + 1_000
            runs = Runs(
                store,
                Lines(),
                lambda: study,
                DESK,
                lambda: clock,
                lambda: f"run-{next(numbers):016x}",
                lambda: 0.0,
                1.0,
            )
            opened = []
            for number in range(_DONE_KEPT + 4):
                # Its deadline has passed, so it is closed as soon as it is open.
                asked = planned().model_copy(update={"programme": heading(id=f"n{number}", deadline=OPEN)})
                signed = signed_programme(asked)
                opened.append((await runs.submit(Admitted(signed, asked, codebook(), "Research"), again=False)).run)
                assert len(runs._runs) <= _DONE_KEPT + 1
            assert len(runs._runs) > _DONE_KEPT - 2
            assert opened[0] not in runs._runs
            assert (await runs.answered(opened[0])).state is State.CLOSED
            assert len(runs._runs) <= _DONE_KEPT + 1
            assert runs.load.asking == 0
            await runs.stop()

    asyncio.run(work())
