"""One entry explained, and what happened between two visits."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from math import ceil

import pytest

from audit.diff import Difference, NotComparable, diff
from audit.explain import Explanation, NotFound, decimal, explain, moment
from audit.practise.story import World, tell
from audit.verify import verify
from tests.made_up import honest, honest_files, people, study

FILES = list(honest_files().items())
PINNED = people().consortium.public
FR, GR = verify(FILES, PINNED).regions


def first(event: str, *others: str) -> str:
    """The place of the first entry of a kind, in either region."""
    entries = (*FR.entries, *GR.entries)
    return next(
        entry.place for entry in entries if entry.event == event and all(one in str(entry.body) for one in others)
    )


def explained(place: str) -> Explanation:
    found = explain(place, FILES, PINNED)
    assert isinstance(found, Explanation)
    return found


def test_the_price_of_a_debit_is_worked_out_from_bounds_and_noise() -> None:
    spend = FR.spends[0]
    found = explained(spend.entry.place)
    blocks = found.facts["blocks"]
    assert isinstance(blocks, list)
    exact = Fraction(0)
    for block in blocks:
        assert isinstance(block, dict)
        persons, waves, multiplier = int(str(block["persons"])), int(str(block["waves"])), int(str(block["multiplier"]))
        bound = persons * waves * int(str(block["most"]))
        assert str(bound) == block["bound"]
        rho = (bound * multiplier / Fraction(str(block["sigma"]))) ** 2 / 2
        assert str(rho) == block["rho"]
        exact += rho
    assert found.facts["price_exact"] == str(exact)
    assert found.facts["price"] == found.facts["charge"] == str(ceil(exact * 10**9)) == str(spend.charge)
    text = "\n".join(found.lines)
    assert f"rounded up: {spend.charge:,} nano-rho." in text
    assert "They agree." in text
    assert found.findings == ()


def test_a_debit_says_who_asked_what_for_and_who_knew_of_it() -> None:
    found = explained(FR.spends[0].entry.place)
    text = "\n".join(found.lines)
    assert "signed by Made-up researcher" in text
    assert "for: To have something to practise on" in text
    assert "cohort c1: 0.109951128 of 1.2 rho with this debit" in text
    assert "the policy asks for no approval" in text
    assert "Before rows were read: a checkpoint of" in text
    assert "Before the answer left: a checkpoint of" in text
    assert text.count("cosigned by Made-up auditor at 2027-") == 2


def test_a_debit_that_waited_for_the_steward_says_so() -> None:
    approved = next(spend for spend in FR.spends if "approved_one" in str(spend.programme))
    decision = next(entry for entry in FR.entries if entry.event == "approved")
    assert f"  the steward approved it at {decision.place}" in explained(approved.entry.place).lines


def test_a_dead_debit_is_called_so() -> None:
    dead = next(spend for spend in FR.spends if spend.answered is None)
    assert "It was never answered: charged, and dead." in explained(dead.entry.place).lines


def blocks_of(found: Explanation) -> list[str]:
    blocks = found.facts["blocks"]
    assert isinstance(blocks, list)
    return [str(block["id"]) for block in blocks if isinstance(block, dict)]


def test_an_attempt_is_explained_by_its_own_blocks_and_what_came_of_it() -> None:
    answer, tried = (explained(spend.entry.place) for spend in FR.spends[-2:])
    assert answer.facts["attempt"] == 0
    assert tried.facts["attempt"] == 1
    assert tried.facts["attempted"] == first("attempted")
    assert [blocks_of(found) for found in (answer, tried)] == [["n1", "helped", "n2"], ["safe", "n3"]]
    for found in (answer, tried):
        assert found.facts["price"] == found.facts["charge"]
        assert found.findings == ()
    text = "\n".join(tried.lines)
    assert "This pays for attempt 1 of at most 2 at the national sums" in text
    assert "a household is left with 0.04398045 rho" in text
    assert "times 1 (the heaviest region)" in text
    assert f"A masked vector left at {first('attempted')}" in text
    assert "of FR, GR: in it." in text
    assert f"were stored at {first('summed')}." in text
    assert "with all 2 attempts the programme comes to 0.153931578 rho" in "\n".join(answer.lines)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (first("opened"), "The ledger of region FR begins here."),
        (first("adopted", "roster"), "Signed by the consortium."),
        (first("adopted", "policy"), "  cap of cohort c1: 1.2 rho"),
        (first("imported"), "How many households it holds is written nowhere."),
        (first("asked"), "Signed by Made-up researcher."),
        (first("refused"), "A refusal reads no data and charges nothing."),
        (first("approved"), "The steward agreed to programme "),
        (first("declined"), "The steward declined (purpose) programme "),
        (first("answered"), "The coordinator has this answer: coordinator.bundle, record "),
        (first("adopted", "policy"), "  national sums: at most 0.2 rho with its own noise alone, 3 attempts"),
        (first("attempted"), "A masked vector left for the debit at entry "),
        (first("summed"), "It is of FR, GR."),
        (first("summed"), f"The region's own part left at {first('attempted')}."),
        (first("reset"), "  the lifetime counts as 0.8 rho spent"),
    ],
)
def test_every_other_entry_says_what_it_is(place: str, said: str) -> None:
    found = explained(place)
    assert any(line.startswith(said) for line in found.lines) or any(said in line for line in found.lines), found.lines
    assert found.lines[0].startswith(place)
    assert found.findings == ()


def test_findings_at_the_entry_come_with_its_explanation() -> None:
    def cheaper(world: World) -> None:
        entries = world.sheaves["FR.bundle"].entries[1]
        at = FR.spends[0].entry.index
        body = entries[at]["body"]
        assert isinstance(body, dict)
        world.sheaves["FR.bundle"].rewrite(
            1, [*entries[:at], entries[at] | {"body": body | {"charge": "1"}}, *entries[at + 1 :]]
        )

    found = explain(FR.spends[0].entry.place, list(changed(cheaper).items()), PINNED)
    assert isinstance(found, Explanation)
    assert {"price.charge", "money.total"} <= {one.code for one in found.findings}
    assert "too little." in "\n".join(found.lines)


def changed(change: Callable[[World], None], label: str = "study") -> dict[str, bytes]:
    world = tell(study(label))
    change(world)
    return world.sealed()


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("FR", "is not how an entry is called"),
        ("FR/0#1", "is not how an entry is called"),
        ("FR/1#99999", "none with that number"),
        ("FR/7#0", "has 0 entries"),
        ("DR/1#0", "No file of region DR"),
    ],
)
def test_what_is_not_there_cannot_be_explained(place: str, said: str) -> None:
    found = explain(place, FILES, PINNED)
    assert isinstance(found, NotFound)
    assert said in found.sentence


def test_numbers_are_shown_exactly_or_cut_off_and_said_to_be() -> None:
    assert decimal(Fraction(1, 8)) == "0.125"
    assert decimal(Fraction(5)) == "5"
    assert decimal(Fraction(2, 3)) == "0.666666666666..."
    assert moment(0) == "1970-01-01 00:00:00Z"
    assert moment(2**53 - 1) == f"second {2**53 - 1}"


# ---- between two visits


def earlier(world: World, entries: int) -> bytes:
    """What FR would have exported when its log had this many entries."""
    sheaf = world.sheaves["FR.bundle"]
    sheaf.entries = {1: sheaf.entries[1][:entries]}
    sheaf.notes = [note for note in sheaf.notes if note.checkpoint.size <= entries]
    return sheaf.sealed()


def compared(old: bytes, new: bytes) -> Difference:
    found = diff(("old.bundle", old), ("new.bundle", new))
    assert isinstance(found, Difference)
    return found


def test_the_newer_file_begins_with_the_older_and_says_what_is_new() -> None:
    old = earlier(tell(study()), 9)
    found = compared(old, honest_files()["FR.bundle"])
    fresh = FR.entries[9:]
    debits = [entry.money("charge") for entry in fresh if entry.event == "debited"]
    assert found.sound
    assert found.facts["extends"] is True
    assert found.facts["spent"] == {"c1": str(sum(debits))}
    assert found.facts["policies"] == [e.place for e in fresh if e.event == "adopted" and e.text("kind") == "policy"]
    assert found.facts["refusals"] == {"over_programme_cap": 1, "declined": 1}
    assert found.facts["resets"] == []
    counts = found.facts["entries"]
    assert isinstance(counts, dict)
    assert counts["debited"] == len(debits)
    assert found.lines[0] == f"Region FR: 9 entries then, {len(fresh):,} more now."
    assert found.lines[-1] == "The newer log begins with the older one."
    assert json.dumps(dict(found.facts))


def test_a_reset_between_two_visits_is_told() -> None:
    world = tell(study())
    sheaf = world.sheaves["GR.bundle"]
    del sheaf.entries[2]
    sheaf.notes = [note for note in sheaf.notes if note.checkpoint.epoch == 1]
    found = compared(sheaf.sealed(), honest_files()["GR.bundle"])
    assert (found.sound, found.facts["resets"]) == (True, ["GR/2#0"])


def test_the_same_file_twice_has_nothing_new() -> None:
    for data in honest_files().values():
        found = compared(data, data)
        assert (found.sound, found.findings) == (True, ())


def test_a_change_in_the_past_names_the_first_entry_that_differs() -> None:
    def other_reason(world: World) -> None:
        entries = world.sheaves["FR.bundle"].entries[1]
        at = next(e.index for e in FR.entries if e.event == "refused")
        body = entries[at]["body"]
        assert isinstance(body, dict)
        entries[at] = entries[at] | {"body": body | {"reason": "late"}}

    found = compared(honest_files()["FR.bundle"], changed(other_reason)["FR.bundle"])
    assert not found.sound
    assert [(one.code, one.entry) for one in found.findings] == [("diff.changed", first("refused"))]
    assert found.lines[-1] == "The newer log does NOT begin with the older one."


def test_entries_that_are_gone_name_the_first_of_them() -> None:
    found = compared(honest_files()["FR.bundle"], earlier(tell(study()), 20))
    assert [(one.code, one.entry) for one in found.findings] == [("diff.shorter", "FR/1#20")]


def test_a_coordinator_still_holds_what_it_held() -> None:
    def fewer(world: World) -> None:
        sheaf = world.sheaves["coordinator.bundle"]
        sheaf.replies, sheaf.notes = sheaf.replies[:-2], sheaf.notes[:-1]
        sheaf.papers = [one for one in sheaf.papers if one.kind != "national_sum"]

    before, now = changed(fewer)["coordinator.bundle"], honest_files()["coordinator.bundle"]
    grown = compared(before, now)
    assert (grown.sound, grown.facts["checkpoints"]) == (True, 1)
    assert "  2 new answers of GR" in grown.lines
    assert "  1 new national sums" in grown.lines
    shrunk = compared(now, before)
    assert [one.code for one in shrunk.findings] == ["diff.gone", "diff.gone", "diff.gone"]
    assert not shrunk.sound


def test_files_of_two_makers_are_not_compared() -> None:
    files = honest_files()
    for old, new, said in (
        ("FR.bundle", "GR.bundle", "of one maker"),
        ("FR.bundle", "auditor.bundle", "of one maker"),
    ):
        found = diff((old, files[old]), (new, files[new]))
        assert isinstance(found, NotComparable)
        assert said in found.sentence
    found = diff(("FR.bundle", files["FR.bundle"]), ("cut.bundle", files["FR.bundle"][:-1]))
    assert isinstance(found, NotComparable)
    assert [one.code for one in found.findings] == ["file.broken"]


def test_another_story_of_the_same_region_differs_from_its_first_entry_on() -> None:
    other = tell(study("another"))
    assert other.logs["FR"].entries[1] != honest().logs["FR"].entries[1]
    found = compared(honest_files()["FR.bundle"], other.sheaves["FR.bundle"].sealed())
    assert [one.code for one in found.findings] == ["diff.changed"]
