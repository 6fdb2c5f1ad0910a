"""Who must cosign, what is believed of a witness, and what it means for the node."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from rondgang.keys import SigningKey
from rondgang.notes import Checkpoint, Note, NoteSignature, cosign, sign_checkpoint
from rondgang.roles import Role
from rondgang.signed import sign
from rondgang.witnessing import Submission, Why

from node.home import Witnessing, write_config
from node.recovering import Last, Plan, TooFew, reset
from node.region import InForce
from node.status import trouble_of
from node.witnessing.recovery import Asking, ask_all
from node.witnessing.rule import SKEW_S
from node.witnessing.said import Cosigned, NotCosigned, SawOther, Told
from policies.documents import to_canonical
from policies.rules.refusals import Reason, Refused
from policies.rules.region_policy import WitnessRule
from policies.study.roster import Roster
from tests.applicants import signing_key
from tests.node_notes import Notes
from tests.node_world import (
    CHECKPOINT,
    CONSORTIUM,
    DESK,
    REGION,
    WITNESS,
    World,
    make_home,
    member,
    ordered,
    put_snapshot,
    roster,
)
from tests.small_study import OPEN, heading, planned
from tests.witnessed_world import STRANGER, TREE, note
from tests.witnesses import Lie, Witness

PRICE = planned().charge.amount.nano
RULE = WitnessRule()
MORE = tuple(signing_key(f"witness {number}") for number in (2, 3))


def four() -> Roster:
    """A roster with four witnesses, of which three must cosign."""
    more = (member(Role.WITNESS, {"signing": key}, name=f"witness {n}") for n, key in enumerate(MORE, 2))
    return roster(*more, serial=2)


def told(outcome: bytes | Refused) -> Refused:
    assert isinstance(outcome, Refused)
    return outcome


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    home = make_home(tmp_path / "home")
    put_snapshot(home)
    made = World(home, journal=Notes())
    yield made
    made.region.close()


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[World]:
    """A region with four witnesses, of which one may do what it likes."""
    home = make_home(tmp_path / "home", witnesses={"need": 3, "faulty": 1})
    put_snapshot(home)
    # Nobody waits long for a witness that is slow on purpose.
    write_config(home, home.config().model_copy(update={"witnessing": Witnessing(within_ms=250)}))
    made = World(home, journal=Notes())
    assert isinstance(made.region.adopt(sign("roster", to_canonical(four()), CONSORTIUM).to_bytes()), InForce)
    labels = ("desk", "witness", "witness 2", "witness 3")
    made.watching = tuple(Witness(label, four, made.clock) for label in labels)
    made.restart()
    yield made
    made.region.close()


def test_a_node_whose_rule_is_no_longer_sound_spends_nothing(world: World) -> None:
    """With four witnesses on the roster, two pairs could cosign two histories."""
    assert world.witnesses.watch() is None
    assert isinstance(world.region.adopt(sign("roster", to_canonical(four()), CONSORTIUM).to_bytes()), InForce)
    refused = told(world.ask())
    assert refused.reason is Reason.UNWITNESSED
    assert "need: 3" in refused.sentence
    assert (world.spent, world.rows.reads) == (0, [])
    quoted = world.answering().quote(ordered(planned()).asked)
    assert quoted.refused is not None
    assert quoted.refused.reason is Reason.UNWITNESSED
    assert world.witnesses.watch() is not None
    trouble = trouble_of(world.witnesses)
    assert trouble is not None
    assert trouble.kind == "unsound"


def _signature(told: Told, given: Submission) -> Told:
    if not isinstance(told, Cosigned):
        return told
    value = told.signature.value
    return Cosigned(replace(told.signature, value=value[:-1] + bytes([value[-1] ^ 1])))


def _of_another(told: Told, given: Submission) -> Told:
    return Cosigned(cosign(note(5), WITNESS, OPEN))


def _nobody(told: Told, given: Submission) -> Told:
    return Cosigned(NoteSignature("nobody", b"1234", b"5" * 72))


def _past(told: Told, given: Submission) -> Told:
    return Cosigned(cosign(given.note, WITNESS, OPEN - SKEW_S - 1))


def _sizes() -> Lie:
    sizes = iter(range(1000))
    return lambda told, given: SawOther(next(sizes) % 5, None)


LIES: dict[str, Callable[[], Lie]] = {
    "a cosignature that does not hold": lambda: _signature,
    "a cosignature of something else": lambda: _of_another,
    "a cosignature of nobody": lambda: _nobody,
    "a cosignature from the past": lambda: _past,
    "a larger log, without a note": lambda: lambda told, given: SawOther(10**6, None),
    "a larger log, that somebody else signed": lambda: lambda told, given: SawOther(11, note(11, WITNESS, by=STRANGER)),
    "a larger log, of another region": lambda: lambda told, given: SawOther(11, note(11, WITNESS, origin="BB/1")),
    "one size after another": _sizes,
    "a fork, without a note": lambda: lambda told, given: NotCosigned(Why.FORKED, None),
    "a fork, that somebody else signed": lambda: lambda told, given: NotCosigned(Why.FORKED, note(5, by=STRANGER)),
    "that our log was closed": lambda: lambda told, given: NotCosigned(Why.CLOSED, note(3, origin="AA/2", by=STRANGER)),
    "a fork, and our own note": lambda: lambda told, given: NotCosigned(Why.FORKED, given.note),
}


@pytest.mark.parametrize("name", LIES)
def test_a_witness_that_lies_is_one_less_and_stops_nobody_else(watched: World, name: str) -> None:
    watched.watching[1].lie = LIES[name]()
    assert isinstance(watched.ask(), bytes)
    assert watched.witnesses.contradiction is None
    held = watched.region.ledger.checkpoints()
    assert held
    # What goes into the evidence was cosigned by honest ones alone.
    for one in held:
        assert WITNESS.public not in {key.public for key in (DESK, WITNESS, *MORE) if _bears(one, key)}
    liar = watched.witnesses.watchers[1]
    assert liar.problem, "the steward sees that something is wrong with it"


def _bears(one: Note, key: SigningKey) -> bool:
    return any(signature.name == f"witness-{key.public.fingerprint[:16]}" for signature in one.signatures)


@pytest.mark.parametrize("name", LIES)
def test_where_it_is_needed_its_lie_costs_a_charge_at_most_and_that_is_used_later(world: World, name: str) -> None:
    honest = world.watching[1]
    world.answering()
    assert world.witnesses.ready() is None
    honest.lie = LIES[name]()
    refused = told(world.ask())
    assert refused.reason is Reason.UNWITNESSED
    assert (world.spent, world.rows.reads) == (PRICE, [])
    honest.lie = None
    assert isinstance(world.ask(), bytes)
    assert world.spent == PRICE


def test_a_clock_that_is_off_is_named(world: World) -> None:
    world.watching[0].clock = world.watching[1].clock = lambda: OPEN + 2 * SKEW_S
    assert "clock" in told(world.ask()).sentence
    assert world.spent == 0


def test_who_is_not_waited_for_is_heard_the_next_time(watched: World) -> None:
    """Three of four are enough; the fourth is neither called slow nor forgotten."""
    watched.watching[3].fault = "slow"
    assert isinstance(watched.ask(), bytes)
    slow = watched.witnesses.watchers[3]
    assert (slow.problem, slow.cosigned) == ("", None)
    for late in watched.lines[3].held_back:
        late()
    watched.watching[3].fault = "none"
    assert isinstance(watched.ask(planned().model_copy(update={"programme": heading(id="another")})), bytes)
    assert (slow.name, slow.problem) == ("witness 3", "")
    assert slow.cosigned is not None


def test_the_size_that_each_saw_is_learnt_from_them(world: World) -> None:
    assert isinstance(world.ask(), bytes)
    world.restart()
    before = [witness.calls for witness in world.watching]
    assert isinstance(world.ask(planned().model_copy(update={"programme": heading(id="another")})), bytes)
    # The head once, to see that they are there, and again from the size that they named; then twice without a detour.
    assert [witness.calls - earlier for witness, earlier in zip(world.watching, before, strict=True)] == [4, 4]


def test_comparing_tells_the_sizes_beforehand(world: World) -> None:
    assert isinstance(world.ask(), bytes)
    world.restart()
    assert world.witnesses.watch() is None
    before = world.watching[0].calls
    assert isinstance(world.ask(planned().model_copy(update={"programme": heading(id="another")})), bytes)
    assert world.watching[0].calls - before == 2
    assert [one.name for one in world.witnesses.watchers] == ["coordinator", "witness"]
    assert [one.cosigned for one in world.witnesses.watchers] == [world.region.ledger.head().size] * 2


def test_what_control_verbs_log_is_cosigned_when_time_comes(world: World) -> None:
    assert world.witnesses.watch() is None
    world.region.record_import("6" * 32, "c1", planned().codebook_hash)
    assert world.region.ledger.cosigned < world.region.ledger.head().size
    assert world.witnesses.watch() is None
    assert world.region.ledger.cosigned == world.region.ledger.head().size


def test_the_journal_tells_when_witnesses_go_and_come_back_and_not_each_time(world: World) -> None:
    notes = world.journal
    assert isinstance(notes, Notes)
    assert world.witnesses.watch() is None
    for _ in range(3):
        world.befall("lost_request", 1)
        told(world.ask(planned().model_copy(update={"programme": heading(id="unheard")})))
        assert world.witnesses.watch() is not None
    world.befall("none")
    assert world.witnesses.watch() is None
    found = [(event, reason) for event, reason in notes.events if event in ("witnessed", "unwitnessed")]
    assert [event for event, _ in found] == ["witnessed", "unwitnessed", "witnessed"]
    assert "witness: away unavailable" in str(found[1][1])
    assert found[-1] == ("witnessed", "2 of 2 cosigned: coordinator, witness")


def test_two_histories_of_another_region_are_kept_and_told_once(world: World) -> None:
    bb = signing_key("BB checkpoint")
    region = member(Role.REGION, {"checkpoint": bb, "steward": signing_key("BB steward")}, name="BB", region="BB")
    known = roster(region, serial=2)
    assert isinstance(world.region.adopt(sign("roster", to_canonical(known), CONSORTIUM).to_bytes()), InForce)
    others = [Checkpoint("BB/1", 4, TREE.root(4)), Checkpoint("BB/1", 4, b"\x07" * 32)]
    for witness, checkpoint in zip(world.watching, others, strict=True):
        witness.roster = lambda: known
        made = sign_checkpoint(checkpoint, bb)
        witness.memory.keep(made.with_signature(cosign(made, witness.key, OPEN)), OPEN)
    for _ in range(2):
        assert world.witnesses.watch() is None
    notes = world.journal
    assert isinstance(notes, Notes)
    assert [event for event, _ in notes.events].count("forked") == 1
    (file,) = world.home.forks.iterdir()
    kept = file.read_text(encoding="utf-8")
    assert all(checkpoint.text in kept for checkpoint in others)
    assert isinstance(world.ask(), bytes), "what another region did stops nobody here"


def test_witnesses_that_two_copies_split_are_no_whole_ledger(world: World, tmp_path: Path) -> None:
    assert isinstance(world.ask(), bytes)
    copy = world.copied(tmp_path / "copy")
    assert copy.witnesses.cosign() is None
    for one, name, away in ((world, "one", 1), (copy, "other", 0)):
        one.befall("lost_request", away)
        programme = planned().model_copy(update={"programme": heading(id=name)})
        assert told(one.ask(programme)).reason is Reason.UNWITNESSED
        one.befall("none")
    asking = Asking(REGION, frozenset({CHECKPOINT.public}), roster(), RULE, OPEN)
    found = ask_all(world.lines, asking, 0.05)
    assert isinstance(found, Last)
    assert found.split
    world.region.close()
    copy.region.close()
    plan = reset(world.home, world.clock, found.checkpoint, split=found.split)
    assert isinstance(plan, Plan)
    assert (plan.why, plan.epoch) == ("forked", 2)
    # Both witnesses follow, whichever history the reset rests on.
    renewed = World(world.home, world.clock, watching=world.watching)
    assert renewed.witnesses.cosign() is None
    renewed.region.close()


def test_a_reset_rests_on_what_most_independent_witnesses_saw_last(world: World) -> None:
    def asked(rule: WitnessRule = RULE) -> Last | TooFew:
        keys = frozenset({CHECKPOINT.public})
        return ask_all(world.lines, Asking(REGION, keys, roster(), rule, OPEN), 0.05)

    assert asked() == Last(None, ("desk:443", "witness:443"))
    assert isinstance(world.ask(), bytes)
    head = world.region.ledger.head()
    assert asked() == Last(head, ("coordinator", "witness"))
    world.befall("lost_request", 1)
    assert isinstance(told_too_few := asked(), TooFew)
    assert "1 of the roster's 2" in told_too_few.sentence
    # One that missed the end does not make it shorter.
    other = planned().model_copy(update={"programme": heading(id="another")})
    assert told(world.ask(other)).reason is Reason.UNWITNESSED
    seen = world.watching[0].size(REGION)
    world.befall("none")
    assert seen > head.size
    found = asked()
    assert isinstance(found, Last)
    assert found.checkpoint is not None
    assert found.checkpoint.size == seen
    # A rule that protects nothing is not taken at its word.
    world.befall("lost_request", 1)
    assert isinstance(asked(WitnessRule(need=1, faulty=0)), TooFew)
