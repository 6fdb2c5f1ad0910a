"""Honest histories: drawn operations on one real node. Each is something that happens to honest people."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import get_args

from rondgang.leaves import leaf_hash
from rondgang.notes import Checkpoint, sign_checkpoint
from rondgang.witnessing import Submission

from node import recovering
from node.authenticate import Ordered
from node.deciding import again
from node.ledger.book import Book
from node.ledger.ledger import Ask, Claim, Debit
from node.spending import Step
from node.witnessing import recovery
from policies.rules.decide import Granted
from policies.rules.entries import ResultEntry
from policies.rules.refusals import Refused
from policies.study.calendar import DAY_S
from tests.history_life import Life
from tests.history_world import COHORTS, OTHER_REGION, Rows, policy, programme, signed_roster, together
from tests.node_world import CHECKPOINT, REGION, RESEARCHER
from tests.witnesses import Fault, MemoryLine, Witness


class Ended(BaseException):
    """The process was killed here. No part of a node may catch it."""


def ask(life: Life, number: int) -> bool:
    (outcome,) = life.answered(life.order(life.new(number)))
    return isinstance(outcome, bytes)


def batch(life: Life, number: int) -> bool:
    """Several programmes at once, one of them in two runs."""
    orders = [life.order(life.new(number + more)) for more in range(2 + number % 2)]
    orders.append(life.again(orders[0].asked.signed))
    outcomes = life.answered(*orders)
    return all(isinstance(one, bytes) for one in outcomes) and outcomes[0] == outcomes[-1]


def repeat(life: Life, number: int) -> bool:
    """A programme that was asked before, in a new run: an answer again, or a retry of what failed."""
    if not life.asked:
        ask(life, number)
    (outcome,) = life.answered(life.again(life.asked[number % len(life.asked)]))
    return isinstance(outcome, bytes)


def retry(life: Life, number: int) -> bool:
    """A programme whose debit is dead is charged anew."""
    fault(life, number)
    before = life.world.spent
    (outcome,) = life.answered(life.again(life.asked[-1]))
    return isinstance(outcome, bytes) and life.world.spent > before


def refuse(life: Life, number: int) -> bool:
    """Too dear, for another group's cohort, or in a second where the deadline has passed."""
    dear = programme(f"p{len(life.asked)}", COHORTS[number % 2], "0.4")
    (outcome,) = life.answered(life.order(dear))
    return isinstance(outcome, Refused)


def killed(life: Life, number: int) -> bool:
    """The process ends at one of the steps; most of them are after the debit."""
    at = get_args(Step)[number % len(get_args(Step))]

    def stop(step: Step) -> None:
        if step == at:
            raise Ended

    order = life.order(life.new(number))
    try:
        life.answered(order, steps=stop)
    except Ended:
        life.kill()
        return at not in ("authenticated", "decided")
    return False


def fault(life: Life, number: int) -> bool:
    """Reading the rows breaks, after the debit."""
    before = life.world.spent
    (outcome,) = life.answered(life.order(life.new(number)), rows=Rows(broken=True))
    return isinstance(outcome, Refused) and life.world.spent > before


def outage_before(life: Life, number: int) -> bool:
    """Witnesses cannot be reached when the programme comes; it is asked again when they can."""
    life.befall("lost_request", number)
    order = life.order(life.new(number))
    (first,) = life.answered(order)
    life.well()
    life.answered(order)
    return isinstance(first, Refused)


def outage_during(life: Life, number: int) -> bool:
    """Witnesses go away after the debit: it stays in hand, and pays for the next try."""
    return _outage(life, number, "debited", "lost_request")


def outage_after(life: Life, number: int) -> bool:
    """Witnesses go away after the answer is stored: it leaves when they are back."""
    return _outage(life, number, "stored", "lost_request")


def reply_lost(life: Life, number: int) -> bool:
    """They cosign, and their word is lost on the way."""
    return _outage(life, number, "debited", "lost_reply")


def _outage(life: Life, number: int, at: Step, what: Fault) -> bool:
    def away(step: Step) -> None:
        if step == at:
            life.befall(what, number)

    order = life.order(life.new(number))
    (first,) = life.answered(order, steps=away)
    spent = life.world.spent
    life.well()
    life.clock.now += 30
    if number % 5 == 0:
        life.kill()
    (second,) = life.answered(order)
    return isinstance(first, Refused) and (isinstance(second, bytes) or number % 5 == 0) and spent > 0


def attempt(life: Life, number: int) -> bool:
    """Masked vectors of a secure aggregation leave, each for a debit of its own; now and then a process ends first."""
    asked = together(f"t{len(life.desk.papers)}", COHORTS[number % 2], "0.01")
    order = life.attempt(asked, 1)
    charged = _charged(life, order)
    if charged is None:
        return False
    if number % 3 == 0:
        life.kill()
        order = life.attempt(asked, 2, order.order.run)
        charged = _charged(life, order)
    if charged is None or life.world.witnesses.cosign() is not None:
        return False
    ledger = life.world.region.ledger
    ledger.begin(charged)
    ledger.log_attempt(charged, f"{number % 16:x}" * 64, f"{number % 7:x}" * 64)
    return life.world.witnesses.cosign() is None


def _charged(life: Life, order: Ordered) -> Debit | None:
    region, asked, number = life.world.region, order.asked.programme, order.order.attempt
    if life.world.witnesses.ready() is not None:
        return None
    cohort = asked.programme.cohort
    snapshot = region.ledger.book.snapshots[cohort].snapshot
    claim = Claim(order.asked.digest, order.order.run, RESEARCHER.public.hex, cohort, snapshot, number)

    def decide(book: Book) -> Granted | Refused:
        return again(region, asked, book, attempt=number)

    (made,) = region.ledger.debit([Ask(claim, order.asked.signed, order.signed_order, decide)])
    return made if isinstance(made, Debit) else None


def approve(life: Life, number: int) -> bool:
    """The steward says yes, perhaps after a no, and the programme is answered."""
    order = _waiting(life, number)
    if number % 3 == 0:
        life.say(order.asked.signed, "price")
    said = life.say(order.asked.signed)
    (outcome,) = life.answered(order)
    return said and isinstance(outcome, bytes)


def decline(life: Life, number: int) -> bool:
    """The steward says no, perhaps after a yes, and the programme is refused."""
    order = _waiting(life, number)
    if number % 3 == 0:
        life.say(order.asked.signed)
    said = life.say(order.asked.signed, "timing")
    (outcome,) = life.answered(order)
    return said and isinstance(outcome, Refused)


def _waiting(life: Life, number: int) -> Ordered:
    """A programme that waits for the steward, by a policy that asks for that."""
    if not life.steward:
        life.steward = True
        life.adopt_policy()
    order = life.order(life.new(number))
    life.answered(order)
    return order


def policy_changed(life: Life, number: int) -> bool:
    """Wider or narrower caps, and perhaps without the steward's yes."""
    life.steward = number % 4 == 0
    caps = ("0.5", "0.7", "0.9", "0.06")[number % 4]
    return life.adopt_policy(cohorts={"c1": {"rho": caps}, "c3": {"rho": "0.6"}}, lifetime={"rho": "1.6"})


def roster_changed(life: Life, number: int) -> bool:
    """A researcher leaves, or is back."""
    life.left = not life.left
    return life.adopt_roster()


def witness_joins(life: Life, number: int) -> bool:
    """A third witness on the roster, and a rule that is sound with it."""
    if life.third:
        return False
    life.third = True
    third = Witness("third", lambda: life.rosters[-1], life.clock)
    life.watching = (*life.watching, third)
    done = life.adopt_roster() and life.adopt_policy()
    life.world.region.close()
    life.open()
    return done


def imported(life: Life, number: int) -> bool:
    return life.load(COHORTS[number % 2])


def restarted(life: Life, number: int) -> bool:
    life.world.region.close()
    life.open()
    return life.world.witnesses.watch() is None


def copied(life: Life, number: int) -> bool:
    """Somebody makes a backup of the folder."""
    life.copy = life.folder / f"backup-{sum(life.done.values())}-{number}"
    if life.copy.exists():
        return False
    life.world.region.ledger.flush()
    shutil.copytree(life.home.root, life.copy)
    return True


def restored(life: Life, number: int) -> bool:
    """The backup is put back: nothing can be spent until the ledger is reset."""
    if life.copy is None:
        copied(life, number)
        ask(life, number)
    assert life.copy is not None
    life.world.region.ledger._log.connection.close()
    shutil.rmtree(life.home.root)
    shutil.copytree(life.copy, life.home.root)
    life.open()
    life.copy = None
    life.version += 10
    before = life.world.spent
    life.answered(life.order(life.new(number)))
    behind = life.world.witnesses.contradiction is not None
    assert not behind or life.world.spent == before
    done = _reset_done(life, life.recover() if behind else False)
    life.world.region.adopt(signed_roster(life.rosters[-1]).to_bytes())
    return done


def lost(life: Life, number: int) -> bool:
    """The ledger's file is gone, or damaged beyond reading."""
    if life.world.region.ledger.cosigned == 0:
        return False
    life.world.region.close()
    if number % 2:
        life.home.ledger_file.unlink()
    else:
        data = life.home.ledger_file.read_bytes()
        life.home.ledger_file.write_bytes(data[:100] + bytes(len(data) - 100))
    return _reset_done(life, _recovered_without(life))


def _recovered_without(life: Life) -> bool:
    lines = [MemoryLine(one, REGION) for one in life.watching]
    rule = policy(1, **({"witnesses": {"need": 3}} if life.third else {})).witnesses
    who = recovering.roster(life.home, life.clock)
    last = recovery.ask_all(
        lines, recovery.Asking(REGION, frozenset({CHECKPOINT.public}), who, rule, life.clock.now), 1.0
    )
    assert isinstance(last, recovering.Last)
    outcome = recovering.reset(life.home, life.clock, last.checkpoint)
    life.open()
    for cohort in COHORTS:
        life.load(cohort)
    return isinstance(outcome, recovering.Plan)


def _reset_done(life: Life, done: bool) -> bool:
    """After a reset nothing is left to spend, until the steward signs wider caps."""
    if done:
        before = life.world.spent
        (outcome,) = life.answered(life.order(life.new(1)))
        assert isinstance(outcome, Refused)
        assert life.world.spent == before
        life.steward = False
        rho = {"rho": f"{life.world.spent / 10**9 + 1:.9f}"}
        life.adopt_policy(cohorts={"c1": rho, "c3": rho}, lifetime=rho)
    return done


def gossiped(life: Life, number: int) -> bool:
    """Another region's log grows, and this node hears of it from the witnesses."""
    old, size = life.others.size, life.others.size + 1 + number % 3
    for place in range(old, size):
        life.others.append(bytes.fromhex(leaf_hash(f"entry {place}".encode())))
    note = sign_checkpoint(Checkpoint("BB/1", size, life.others.root()), OTHER_REGION)
    for one in life.watching:
        held = one.size("BB")
        one.add_checkpoint("BB", Submission(note, held, life.others.consistency(held)))
    return life.world.witnesses.compare() is None and bool(life.world.region.ledger.seen())


def came_back(life: Life, number: int) -> bool:
    """A result of a run that was answered here comes back."""
    book = life.world.region.ledger.book
    runs = [paper for paper in life.desk.answers if book.answered]
    if not runs or not book.programmes_answered:
        return False
    answered = min(book.programmes_answered)
    event = ResultEntry(event="result", run=runs[-1], programme=answered, hash=f"{number % 16:x}" * 64)
    life.world.region.ledger.log_result(event)
    return True


def waited(life: Life, number: int) -> bool:
    """A while passes; or the clock is set back a little."""
    life.clock.now += (-100, 600, 3600, DAY_S)[number % 4]
    return True


Operation = Callable[[Life, int], bool]
OPERATIONS: Mapping[str, Operation] = {
    operation.__name__: operation
    for operation in (
        ask, batch, repeat, retry, refuse, killed, fault, outage_before, outage_during, outage_after, reply_lost,
        attempt, approve, decline, policy_changed, roster_changed, witness_joins, imported, restarted, copied, restored,
        lost, gossiped, came_back, waited,
    )
}  # fmt: skip


def live(folder: Path, template: Path, drawn: Sequence[tuple[str, int]]) -> Life:
    """Lives through the drawn operations, in order, in a new folder."""
    life = Life(folder, template)
    for name, number in drawn:
        life.clock.now += 1 + number % 50
        if OPERATIONS[name](life, number):
            life.done[name] += 1
    return life
