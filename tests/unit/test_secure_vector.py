"""What is in a vector and beside it: the commitment and its opening, and the moment at which others hear of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from rondgang.canonical import digest

from node.home import Home
from node.secure.openings import opening_file, read_opening
from policies.documents import to_canonical
from policies.rules.entries import Attempted
from policies.secure.lanes import unpack
from policies.secure.messages import Send, Unmask
from policies.statistics.blocks import Block
from tests.node_notes import Notes
from tests.node_world import RUN, SNAPSHOT, World
from tests.secure_node import PROGRAMME, Attempt, Numbered, bodies, make_secure_home, own


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_secure_home(tmp_path_factory.mktemp("homes") / "aa").root


@pytest.fixture
def world(tmp_path: Path, template: Path) -> Iterator[World]:
    shutil.copytree(template, tmp_path / "aa")
    made = World(Home(tmp_path / "aa"), rows=Numbered(), journal=Notes())
    assert made.witnesses.watch() is None
    yield made
    made.region.close()


def test_the_commitment_opens_to_what_was_summed_and_only_at_home(world: World) -> None:
    attempt = Attempt(world.attempts(), number=2)
    attempt.through()
    (logged,) = bodies(world, Attempted)
    assert isinstance(logged, Attempted)
    opening = read_opening(world.home, RUN, 2)
    assert opening is not None
    assert logged.commitment == opening.commitment == digest(to_canonical(opening))
    assert [value for block in opening.sums for value in block.numbers()] == own()
    assert [len(part) for part in opening.parts] == [len(PROGRAMME.of_mode("national"))] * 2
    assert len(opening.salt) == 64
    assert (opening.snapshot, opening.participants) == (SNAPSHOT, logged.participants)
    path = opening_file(world.home, RUN, 2)
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0


def test_no_reply_shows_the_sums_or_the_noise_that_stays(world: World) -> None:
    attempt = Attempt(world.attempts())
    attempt.through("send")
    masked = unpack(attempt.server.vectors["AA"])
    assert not {*masked} & {*own()}
    assert "1000" not in str(world.journal)


def test_a_reply_for_which_rows_may_have_been_read_leaves_on_a_tick(world: World) -> None:
    attempt = Attempt(world.attempts())
    attempt.through("share")
    sharing = attempt.server.name_sharing()
    told = attempt.attempts.take(RUN, 1, Send(sharing, attempt.server.boxes_for("AA")))
    assert told.tick is not None
    again = attempt.attempts.take(RUN, 1, Send(sharing, attempt.server.boxes_for("AA")))
    assert again.tick == told.tick
    assert attempt.attempts.take(RUN, 1, Unmask(())).tick is None


class Slow(Numbered):
    """Rows that take as long as the test says, and break in the end if it says so."""

    def __init__(self, world: World, ms: float, *, breaks: bool = False) -> None:
        super().__init__()
        self._world, self._ms, self._breaks = world, ms, breaks

    def sums(self, snapshot: str, blocks: tuple[Block, ...]) -> dict[str, list[int]]:
        self._world.pace.at_s += self._ms / 1000
        if self._breaks:
            raise OSError
        return super().sums(snapshot, blocks)


@pytest.mark.parametrize("breaks", [False, True])
@pytest.mark.parametrize(("ms", "ticks"), [(0, 1), (24.9, 1), (25.1, 2)])
def test_what_comes_after_rows_were_read_comes_on_a_tick(world: World, ms: float, ticks: int, breaks: bool) -> None:
    attempt = Attempt(world.attempts(rows=Slow(world, ms, breaks=breaks)))
    attempt.through("share")
    before = world.pace.at_s
    attempt.send()
    assert world.pace.at_s - before == pytest.approx(ticks * 0.025)
