"""A researcher who floods a real federation is refused, and starves no other: what `make soak` measures, in small."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.e2e.world import quiet
from tests.soak.load.asking import Crowd
from tests.soak.load.flood import flooding
from tests.soak.load.world import NATIONAL_EVERY, Asker, federation

pytestmark = pytest.mark.slow
PROGRAMMES = NATIONAL_EVERY + 2


def test_every_programme_of_a_researcher_ends_beside_a_flood_and_the_flood_is_refused(tmp_path: Path) -> None:
    """Regional ones and a national sum: before, the flood's attempts made the nodes forget that of the other."""
    made = federation(tmp_path, 4, ("flooder",))
    made.set_up(quiet)
    try:
        made.start(quiet)
        asker = Asker.of(made.researcher, made.regions)
        crowd, enough = Crowd([asker], 2, "victim", len(made.regions)), threading.Event()
        with flooding(made.researchers[1], made.regions, "flood") as flood, crowd.asking():
            while crowd.finished < PROGRAMMES and not crowd.tally.faults:
                enough.wait(0.2)
    finally:
        made.stop()
    assert crowd.tally.faults == []
    assert any(one.national for one in crowd.tally.done)
    assert flood.said["RESOURCE_EXHAUSTED"]
    assert flood.taken
