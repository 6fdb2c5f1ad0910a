"""The registry of who was in which cohort: whatever is lost or done at once, nobody gets into too many."""

from __future__ import annotations

import hmac
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.errors import BadHome, BadRegistry, DiskFault
from node.pseudonyms import Pseudonyms, pseudonyms
from node.registry import Entering, Full, enter

NONE: frozenset[bytes] = frozenset()
ANNA, BRAM, CARO = (bytes([number]) * 32 for number in (1, 2, 3))
KEY = "a" * 32


def entering(cohort: str, number: int = 1, most: int | None = 2, before: Sequence[Entering] = ()) -> Entering:
    """An import, after those that came into force before."""
    imported = [(one.cohort, one.snapshot) for one in before]
    return Entering(f"{number:032x}", cohort, KEY, imported, (), most)


C3, C4, C5 = (entering(cohort, number) for number, cohort in enumerate(("c3", "c4", "c5")))


def test_a_household_that_is_in_as_many_others_is_refused_and_the_rest_enters(tmp_path: Path) -> None:
    assert enter(tmp_path, C3, [ANNA, BRAM]) == NONE
    assert enter(tmp_path, entering("c4", 2, before=[C3]), [ANNA, CARO]) == NONE
    third = entering("c5", 3, before=[C3, entering("c4", 2)])
    assert enter(tmp_path, third, [ANNA, BRAM, CARO]) == frozenset({ANNA})
    assert enter(tmp_path, replace(third, snapshot="9" * 32), [ANNA, BRAM]) == frozenset({ANNA})
    assert enter(tmp_path, entering("c3", 4, before=[C3]), [ANNA, BRAM, CARO]) == frozenset({CARO}), (
        "it is in c4 and c5 by now"
    )
    assert stat.S_IMODE((tmp_path / "registry.sqlite").stat().st_mode) == 0o600


def test_the_same_cohort_may_be_imported_again_and_who_left_stays_known(tmp_path: Path) -> None:
    assert enter(tmp_path, entering("c3", 1, 1), [ANNA, BRAM]) == NONE
    assert enter(tmp_path, entering("c3", 2, 1), [ANNA]) == NONE
    assert enter(tmp_path, entering("c4", 3, 1), [ANNA, BRAM, CARO]) == frozenset({ANNA, BRAM})


def test_a_cohort_of_which_nobody_knows_who_was_in_it_counts_for_all(tmp_path: Path) -> None:
    """Imported without a rule, by an older version, or before the registry was lost."""
    assert enter(tmp_path, entering("c4", 2, before=[C3]), [ANNA]) == NONE
    found = enter(tmp_path, entering("c5", 3, before=[C3, entering("c4", 2)]), [ANNA, BRAM])
    assert found == frozenset({ANNA})
    assert enter(tmp_path, entering("c6", 4, before=[C3, C5]), [CARO]) == Full(("c3", "c5"))
    assert enter(tmp_path, entering("c3", 5, before=[C3, C5]), [CARO]) == NONE, "its own cohort counts for none"


def test_cohorts_of_regions_that_were_merged_count_for_all(tmp_path: Path) -> None:
    assert enter(tmp_path, replace(C5, inherited=("c3", "c4")), [ANNA]) == Full(("c3", "c4"))
    assert enter(tmp_path, replace(C5, inherited=("c3",)), [ANNA]) == NONE


def test_an_older_copy_or_another_key_never_lets_anybody_in(tmp_path: Path) -> None:
    assert enter(tmp_path, C3, [ANNA]) == NONE
    shutil.copy(tmp_path / "registry.sqlite", tmp_path / "old")
    fourth = entering("c4", 2, before=[C3])
    assert enter(tmp_path, fourth, [ANNA]) == NONE
    later = entering("c5", 3, before=[C3, fourth])
    shutil.copy(tmp_path / "old", tmp_path / "registry.sqlite")
    assert enter(tmp_path, later, [ANNA, BRAM]) == frozenset({ANNA}), "c4 counts for everybody now"
    assert enter(tmp_path, replace(later, key="b" * 32), [ANNA]) == Full(("c3", "c4"))


def test_without_a_rule_everybody_enters(tmp_path: Path) -> None:
    for number, cohort in enumerate(("c3", "c4", "c5")):
        assert enter(tmp_path, entering(cohort, number, None), [ANNA]) == NONE
    assert enter(tmp_path, entering("c6", 9, before=[C3, C4, C5]), [ANNA, BRAM]) == frozenset({ANNA})


IMPORTS = st.tuples(st.sampled_from(["c1", "c2", "c3", "c4"]), st.sets(st.sampled_from("abcd")), st.booleans())


@given(st.lists(IMPORTS, max_size=8), st.integers(1, 3))
@settings(max_examples=25, deadline=None)
def test_nobody_is_ever_in_more_cohorts_than_may_be(imports: list[tuple[str, set[str], bool]], most: int) -> None:
    """Some imports come into force, some break off behind the registry: by what is in force nobody is in too many."""
    with tempfile.TemporaryDirectory(prefix="rondgang-registry-") as folder:
        inside: dict[str, set[str]] = {name: set() for name in "abcd"}
        force: list[Entering] = []
        for number, (cohort, names, breaks_off) in enumerate(imports):
            now = entering(cohort, number, most, force)
            found = enter(Path(folder), now, [name.encode() for name in sorted(names)])
            assert not isinstance(found, Full), "all that is in force is known"
            if breaks_off:
                continue
            force.append(now)
            for name in names - {one.decode() for one in found}:
                inside[name].add(cohort)
        assert max((len(cohorts) for cohorts in inside.values()), default=0) <= most


def test_of_two_imports_at_once_one_sees_the_other(tmp_path: Path) -> None:
    households = [bytes([one, other]) * 16 for one in range(20) for other in range(20)]
    with ThreadPoolExecutor(2) as pool:
        given_ = [entering("c3", 1, 1), entering("c4", 2, 1)]
        first, second = pool.map(lambda one: enter(tmp_path, one, households), given_)
    assert not isinstance(first, Full)
    assert not isinstance(second, Full)
    assert first | second == set(households)
    assert not first & second


def test_a_file_that_is_no_registry_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "registry.sqlite").write_bytes(b"not a registry, and longer than a hundred bytes" * 10)
    with pytest.raises(BadRegistry, match="take the file away"):
        enter(tmp_path, C3, [ANNA])
    (tmp_path / "registry.sqlite").unlink()
    enter(tmp_path, C3, [ANNA])
    connection = sqlite3.connect(tmp_path / "registry.sqlite")
    connection.execute("PRAGMA user_version = 9")
    connection.close()
    with pytest.raises(BadRegistry, match="newer version"):
        enter(tmp_path, C3, [ANNA])


def test_a_folder_that_cannot_be_written_is_the_disks_fault(tmp_path: Path) -> None:
    (tmp_path / "registry.sqlite").mkdir()
    with pytest.raises((DiskFault, BadRegistry)):
        enter(tmp_path, C3, [ANNA])


def test_the_key_is_made_once_private_and_never_shown(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = set(pool.map(lambda _: pseudonyms(tmp_path).key, range(8)))
    (key,) = made
    path = tmp_path / "keys" / "pseudonyms.key"
    assert (len(key), path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (32, key, 0o600)
    assert [one.name for one in path.parent.iterdir()] == ["pseudonyms.key"]
    assert key.hex() not in repr(pseudonyms(tmp_path))
    path.write_bytes(key[:-1])
    with pytest.raises(BadHome, match="32 bytes"):
        pseudonyms(tmp_path)


def test_pseudonyms_of_different_ids_kinds_parts_and_keys_differ() -> None:
    names, other = Pseudonyms(bytes(32)), Pseudonyms(bytes([1]) * 32)
    found = [
        names.of("household", "c3", "1"),
        names.of("household", "c4", "1"),
        names.of("household", "c31", ""),
        names.of("household", "c3", "", "1"),
        names.of("stable", "c3", "1"),
        other.of("household", "c3", "1"),
    ]
    assert len(set(found)) == len(found)
    assert {len(one) for one in found} == {32}
    assert names.of("household", "c3", "1") == found[0]
    assert names.check != other.check
    # Pinned, so that a later version knows the same households again.
    message = bytes(7) + b"\x06stable" + bytes(7) + b"\x011"
    assert names.of("stable", "1") == hmac.digest(bytes(32), message, "sha256")
