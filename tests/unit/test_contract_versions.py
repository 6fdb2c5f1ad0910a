"""Two builds agree on the highest version both speak, or say which side is behind; a build says which it is."""

import itertools
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
import rondgang
from rondgang.software import software_version
from rondgang.versions import SPOKEN, Agreed, NoCommonVersion, negotiate


def test_this_build_agrees_with_itself() -> None:
    assert negotiate(SPOKEN, SPOKEN) == Agreed(1)


@pytest.mark.parametrize(
    ("ours", "theirs", "agreed"),
    [((1,), (1, 2), 1), ((1, 2), (2, 3), 2), ((3, 1, 2), (2, 1), 2), ((1, 1), (1,), 1)],
)
def test_the_highest_common_version_is_taken(ours: tuple[int, ...], theirs: tuple[int, ...], agreed: int) -> None:
    assert negotiate(ours, theirs) == negotiate(theirs, ours) == Agreed(agreed)


@pytest.mark.parametrize(
    ("ours", "theirs", "behind"), [((1,), (2,), "ours"), ((3,), (2, 1), "theirs"), ((1,), (), "theirs")]
)
def test_without_a_common_version_one_side_is_behind(
    ours: tuple[int, ...], theirs: tuple[int, ...], behind: str
) -> None:
    refused = negotiate(ours, theirs)
    assert refused == NoCommonVersion(tuple(sorted(ours)), tuple(sorted(theirs)))
    assert isinstance(refused, NoCommonVersion)
    assert refused.behind == behind


def test_agreement_is_alike_from_both_sides_for_all_small_sets() -> None:
    subsets = [set(some) for size in range(4) for some in itertools.combinations((1, 2, 3), size)]
    for ours, theirs in itertools.product(subsets, subsets):
        outcome = negotiate(ours, theirs)
        assert isinstance(outcome, Agreed) == bool(ours & theirs)
        if isinstance(outcome, Agreed):
            assert outcome == negotiate(theirs, ours)


def test_the_software_says_its_version_or_that_it_runs_from_a_folder() -> None:
    assert software_version() == metadata.version("rondgang")
    root = str(Path(rondgang.__file__).parents[1])
    # Without site-packages nothing is installed.
    script = (
        f"import sys; sys.path.insert(0, {root!r}); from rondgang.software import software_version as version; "
        "print(version(), version('(nothing)'))"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["folder", "(nothing)"]
