"""Whatever regions, lines and the desk itself do while sums are made: numbers go up, no region is shown two lists of
survivors in one attempt, a sum is exact, and once all is well again the run comes to its end."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from coordinator.gather import State
from coordinator.secure.national import Where
from policies.rules.refusals import Reason, Refused
from policies.secure.messages import Begin, Round, Send, Share, ShowList, Unmask, VectorSaid
from tests.national_study import codes
from tests.secure_lines import TIMEOUT_S, Say, World, is_exact, play, programme_of, silent

ALL: tuple[type[Round], ...] = (Begin, Share, Send, ShowList, Unmask)
ODD: dict[str, Say] = {
    "silent": silent,
    "not_yet": lambda _said: Refused(Reason.UNWITNESSED, ""),
    "rubbish": lambda _said: VectorSaid(b"rubbish"),
    "fault": lambda _said: Refused(Reason.FAULT, ""),
}
HAPPENS = st.one_of(
    st.tuples(st.sampled_from(sorted(ODD)), st.sampled_from(codes(4)), st.sampled_from(ALL)),
    st.tuples(st.sampled_from(("leave", "join", "crash", "well")), st.sampled_from(codes(4)), st.none()),
    st.tuples(st.sampled_from(("soon", "later", "restart")), st.none(), st.none()),
)


async def _happen(made: World, what: str, region: str | None, round_: type[Round] | None) -> None:
    if region is not None and round_ is not None:
        made.ends[region].says[round_] = ODD[what]
    elif region is not None:
        end = made.ends[region]
        if what == "join":
            await made.join(region)
        elif what == "well":
            end.says.clear()
        else:
            await made.leave(region)
            end.party = end.party if what == "leave" else None
    elif what == "restart":
        await made.restart()
    else:
        await made.wait(4 if what == "soon" else TIMEOUT_S)


def _check(made: World) -> None:
    records = made.attempts()
    assert [record.attempt for record in records] == list(range(1, len(records) + 1))
    assert len(records) <= 2
    assert sum(record.state in ("keys", "fixed") for record in records) <= 1
    for end in made.ends.values():
        begun = end.told(Begin)
        assert begun == sorted(begun)
        lists = [(attempt, said) for attempt, said in end.heard if isinstance(said, ShowList)]
        assert len({attempt for attempt, _ in lists}) == len(set(lists))
    found = made.sum()
    if found is not None:
        assert found.fits(made.programme)
        assert is_exact(made)
        assert records[-1].state == "summed"


@settings(max_examples=25, deadline=None)
@given(st.lists(HAPPENS, max_size=12))
def test_whatever_happens_a_sum_is_exact_and_the_run_comes_to_its_end(
    happens: list[tuple[str, str | None, type[Round] | None]],
) -> None:
    async def scenario(made: World) -> None:
        await made.join()
        for first in codes(2):
            made.ends[first].says[Share] = silent
        await made.submit()
        for what, region, round_ in happens:
            await _happen(made, what, region, round_)
            _check(made)
        for end in made.ends.values():
            end.says.clear()
        await made.join()
        for _ in range(6):
            await made.wait(60)
            _check(made)
        progress = await made.progress()
        assert progress.state is State.COMPLETE
        assert progress.national is not None
        assert progress.national.where in (Where.SUMMED, Where.FAILED)
        assert (made.sum() is not None) == (progress.national.where is Where.SUMMED)

    with TemporaryDirectory() as folder:
        play(Path(folder), scenario, programme_of())
