"""What a researcher is told of national sums on the way, and when `--wait` leaves a run to its stewards."""

from __future__ import annotations

import pytest
from rondgang.v1 import attend_pb2

from coordinator.cli.following import follow, progress_facts
from coordinator.client import Desk
from coordinator.desk.views import NationalProgress, Progress, RegionProgress
from coordinator.desk.wire import progress_from_wire, progress_to_wire
from coordinator.gather import Asked, State
from coordinator.secure.messages import BoxesSaid, SharesSaid
from coordinator.secure.national import Where
from coordinator.secure.wire import reply_from_wire
from policies.rules.refusals import Reason, Refused

AWAITING = Refused(Reason.AWAITING_APPROVAL, "Its steward decides.")


def _progress(national: NationalProgress, *states: Asked) -> Progress:
    regions = tuple(
        RegionProgress(f"A{chr(65 + place)}", state, AWAITING if state is Asked.PENDING else None)
        for place, state in enumerate(states)
    )
    ended = national.where in (Where.SUMMED, Where.FAILED)
    return Progress("run-1", State.COMPLETE if ended else State.ASKING, regions, 2_000, national)


class _Told(Desk):
    """A desk that tells these changes of a run."""

    def __init__(self, *changes: Progress) -> None:
        self.changes = list(changes)

    def watch(self, run: str, timeout_s: float | None = None):  # type: ignore[no-untyped-def]
        yield from self.changes


SENT = (Asked.SENT,) * 4
STEPS = {
    "national sums, attempt 2 of 3 waits for regions, 1 of 3 (Missing: AA.)": NationalProgress(
        Where.WAITING, 2, 3, 1, 3, "Missing: AA.", alone=True
    ),
    "attempt 2 of 3: regions charge, read and send masked sums, 2 did, it takes 3": NationalProgress(
        Where.VECTORS, 2, 3, 2, 3, alone=True
    ),
    "national sums of 4 regions are there": NationalProgress(Where.SUMMED, 2, 3, 4, 3, alone=True),
    "NO NATIONAL SUMS: Missing: AA.": NationalProgress(Where.FAILED, 3, 3, 0, 3, "Missing: AA.", alone=True),
}


@pytest.mark.parametrize("line", STEPS)
def test_each_step_has_a_line_and_facts(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    progress = _progress(STEPS[line], *SENT)
    assert follow(_Told(progress), "run-1", None) == progress
    assert line in capsys.readouterr().err
    national = progress_facts(progress)["national"]
    assert isinstance(national, dict)
    assert (national["state"], national["attempts"]) == (STEPS[line].where.value, 3)
    assert progress_from_wire(progress_to_wire(progress)) == progress


def test_a_run_is_left_to_its_stewards_only_while_no_round_goes_on() -> None:
    waiting = NationalProgress(Where.WAITING, 1, 1, 2, 3, alone=True)
    going = NationalProgress(Where.SHARING, 1, 1, 2, 3, alone=True)
    done = NationalProgress(Where.SUMMED, 1, 1, 3, 3, alone=True)
    pending = (Asked.SENT, Asked.SENT, Asked.PENDING, Asked.PENDING)
    left = _progress(waiting, *pending)
    assert follow(_Told(left, _progress(done, *SENT)), "run-1", None) == left
    last = _progress(done, *SENT)
    assert follow(_Told(_progress(going, *pending), last), "run-1", None) == last
    both = NationalProgress(Where.WAITING, 1, 1, 2, 3)
    assert follow(_Told(_progress(both, *pending), last), "run-1", None) == last


def test_where_a_run_ends_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    """`watch` prints the end itself, as its result; what came before it is told on the way."""
    going = _progress(NationalProgress(Where.VECTORS, 1, 1, 2, 3), *SENT)
    done = _progress(NationalProgress(Where.SUMMED, 1, 1, 4, 3), *SENT)
    left = _progress(NationalProgress(Where.WAITING, 1, 1, 2, 3), *(Asked.PENDING,) * 4)
    assert follow(_Told(going, done), "run-1", None, tell_end=False) == done
    assert "2 did" in (told := capsys.readouterr().err)
    assert "complete" not in told
    assert follow(_Told(going, left), "run-1", None, tell_end=False) == left
    assert "awaiting approval" not in capsys.readouterr().err
    assert follow(_Told(left, done), "run-1", None, stay=True, tell_end=False) == done
    assert "awaiting approval" in capsys.readouterr().err
    assert follow(_Told(going, done), "run-1", None) == done
    assert capsys.readouterr().err.count("complete") == 1


def test_a_region_that_stands_twice_in_a_message_stands_there_not_at_all() -> None:
    box = attend_pb2.SecureBox(region="AA", box=b"one")
    twice = attend_pb2.SecureReply(boxes=attend_pb2.SecureBoxes(boxes=[box, box]))
    assert reply_from_wire(twice) == BoxesSaid({})
    shares = attend_pb2.SecureReply(shares=attend_pb2.SecureShares(own=[box], lost=[box, box], taken_back=[b"x"]))
    assert reply_from_wire(shares) == SharesSaid({"AA": b"one"}, {}, (b"x",))
    assert reply_from_wire(attend_pb2.SecureReply()) is None
