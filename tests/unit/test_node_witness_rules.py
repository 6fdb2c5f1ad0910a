"""Who must cosign, what proves that a ledger is behind or forked, and what regions tell about each other: the rules."""

from pathlib import Path
from typing import get_args

import pytest
from rondgang.keys import SigningKey
from rondgang.notes import Checkpoint, Note
from rondgang.roles import Role
from typer.testing import CliRunner

from node.cli import app
from node.home import Home
from node.status import Trouble
from node.witnessing.contradiction import contradicted, own_checkpoint
from node.witnessing.gossip import hear
from node.witnessing.rule import SKEW_S, count, least_sound, unsound
from node.witnessing.watcher import Problem
from policies.pages.words import say
from policies.rules.region_policy import WitnessRule
from policies.study.roster import Roster
from policies.study.text import Language
from tests.applicants import signing_key
from tests.node_world import (
    CHECKPOINT,
    CONSORTIUM,
    DESK,
    REGION,
    WITNESS,
    member,
    roster,
)
from tests.small_study import OPEN
from tests.witnessed_world import STRANGER, TREE, checkpoint_at, note

RULE = WitnessRule()
MORE = (signing_key("witness 2"),)


def test_enough_have_cosigned_when_so_many_live_ones_did_and_one_is_independent() -> None:
    two_desks = roster(member(Role.COORDINATOR, {"signing": MORE[0]}, name="another desk"))
    assert count(note(9, DESK, WITNESS), roster(), RULE, OPEN).enough
    assert not count(note(9, DESK), roster(), RULE, OPEN).enough
    assert not count(note(9, DESK, STRANGER), roster(), RULE, OPEN).enough
    assert not count(note(9, DESK, MORE[0]), two_desks, RULE, OPEN).enough
    gone = member(Role.WITNESS, {"signing": MORE[0]}, name="gone", revoked=True)
    assert not count(note(9, DESK, MORE[0]), roster(gone), RULE, OPEN).enough


def test_a_cosignature_counts_only_near_the_nodes_own_time() -> None:
    for away, fits in ((0, True), (SKEW_S, True), (-SKEW_S, True), (SKEW_S + 1, False), (-SKEW_S - 1, False)):
        assert count(note(9, DESK, WITNESS, time=OPEN + away), roster(), RULE, OPEN).enough is fits


@pytest.mark.parametrize(
    ("independent", "need", "faulty", "says"),
    [
        (0, 2, 1, "enrol one"),
        (1, 2, 1, None),
        (1, 2, 2, "allows for fewer liars"),
        (1, 3, 1, "need: 2"),
        (2, 2, 1, "need: 3"),
        (3, 2, 1, "need: 3"),
        (3, 3, 1, None),
        (1, 1, 0, "need: 2"),
    ],
)
def test_a_rule_that_protects_nothing_says_what_to_change(
    independent: int, need: int, faulty: int, says: str | None
) -> None:
    keys = [signing_key(f"w{number}") for number in range(independent)]
    more = [member(Role.WITNESS, {"signing": key}, name=f"w{n}") for n, key in enumerate(keys)]
    without = tuple(one for one in roster().members if one.role is not Role.WITNESS)
    found = unsound(Roster(serial=1, issued=0, members=(*without, *more)), WitnessRule(need=need, faulty=faulty), OPEN)
    assert (found is None) is (says is None)
    assert found is None or (says is not None and says in found.sentence)


@pytest.mark.parametrize("faulty", range(4))
@pytest.mark.parametrize("witnesses", range(1, 12))
def test_the_least_sound_number_is_sound_and_one_less_is_not(witnesses: int, faulty: int) -> None:
    least = least_sound(witnesses, faulty)
    assert WitnessRule(need=least, faulty=faulty).sound(witnesses) is (least <= witnesses)
    assert least == 2 or not WitnessRule(need=least - 1, faulty=faulty).sound(witnesses)


def test_only_our_own_signature_proves_that_we_are_behind_or_forked() -> None:
    keys = [CHECKPOINT.public]
    assert own_checkpoint(note(9), REGION, keys) == checkpoint_at(9)
    assert own_checkpoint(note(9, by=STRANGER), REGION, keys) is None
    assert own_checkpoint(note(9, origin="BB/1"), REGION, keys) is None
    assert own_checkpoint(Note("text\n", note(9).signatures), REGION, keys) is None
    assert contradicted(checkpoint_at(9), TREE, checkpoint_at(11)) == "behind"
    assert contradicted(checkpoint_at(9), TREE, checkpoint_at(3, "AA/2")) == "reset"
    assert contradicted(checkpoint_at(9), TREE, Checkpoint("AA/1", 9, b"\x07" * 32)) == "forked"
    assert [contradicted(checkpoint_at(9), TREE, checkpoint_at(size)) for size in range(10)] == [None] * 10
    assert contradicted(checkpoint_at(9, "AA/2"), TREE, checkpoint_at(11)) is None


def test_gossip_takes_in_what_is_newer_signed_and_cosigned() -> None:
    bb = signing_key("BB checkpoint")
    region = member(Role.REGION, {"checkpoint": bb, "steward": signing_key("BB steward")}, name="BB", region="BB")
    known = roster(region)

    def of(size: int, *keys: SigningKey, origin: str = "BB/1", by: SigningKey = bb) -> Note:
        return note(size, *keys, origin=origin, by=by)

    seen = [of(5, WITNESS)]
    good = [of(7, DESK), of(1, WITNESS, origin="BB/2")]
    bad = [of(8), of(8, WITNESS, by=STRANGER), of(4, WITNESS), of(5, WITNESS), note(9, WITNESS), of(3, DESK)]
    heard = hear([*bad, *good], seen, REGION, known, OPEN)
    assert heard.news == good
    assert heard.two == []


@pytest.mark.parametrize("lang", ["nl", "en"])
def test_whatever_is_wrong_has_its_sentence_for_the_steward(lang: Language) -> None:
    kinds = get_args(Trouble.model_fields["kind"].annotation)
    fields = {name: 1 for name in Trouble.model_fields if name not in ("kind", "sentence")}
    sentences = {say(f"node.trouble.{kind}", lang, **fields) for kind in (*kinds, "over")}
    assert len(sentences) == len(kinds) + 1
    assert all(say(f"node.witness.{problem}", lang) for problem in get_args(Problem) if problem)


def test_the_settings_name_witnesses(tmp_path: Path) -> None:
    key, home = CONSORTIUM.public.hex, tmp_path / "home"
    command = ["init", "--region", "FR", "--coordinator", "desk.example.org:443", "--consortium-key", key]
    command += ["--witness", "one.example.org:443", "--witness", "127.0.0.1:8443", "--home", str(home)]
    assert CliRunner().invoke(app, command).exit_code == 0
    config = Home(home).config()
    assert [one.address for one in config.watchers] == [
        "desk.example.org:443", "one.example.org:443", "127.0.0.1:8443",
    ]  # fmt: skip
    assert [one.loopback for one in config.watchers] == [False, False, True]
    assert CliRunner().invoke(app, [*command[:-1], str(tmp_path / "b"), "--witness", "nowhere"]).exit_code == 2
