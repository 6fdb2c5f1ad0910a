"""Cheating about attempts: vectors that nobody paid for, groups that protect nobody, sums that were never asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rondgang.canonical import Json
from rondgang.signed import Signed

from audit.practise import papers
from audit.practise.fraud import Forger, Fraud, Tale, lived
from audit.practise.log import Log, charge_of
from audit.practise.papers import Values, paper


def _begun(log: Log, name: str) -> Signed:
    """A programme with national sums, of which the region has given its own answer."""
    asked = log.study.national(name)
    log.ask(asked)
    log.spend(asked)
    return asked


def without_debit(log: Log) -> Iterable[int]:
    """The debit that the vector names is that of the region's own answer."""
    asked = log.study.national("masked_free")
    log.ask(asked)
    debit = log.debit(asked)
    log.look()
    log.order(asked)
    attempt = log.vector(asked, debit)
    log.look()
    return (attempt,)


def no_debit_at_all(log: Log) -> Iterable[int]:
    asked = log.study.national("masked_for_nothing")
    asked_at = log.ask(asked)
    log.look()
    log.order(asked)
    attempt = log.vector(asked, asked_at)
    log.look()
    return (attempt,)


def not_witnessed(log: Log) -> Iterable[int]:
    """The vector left with the debit in one go."""
    asked = _begun(log, "masked_at_once")
    log.order(asked)
    attempt = log.vector(asked, log.debit(asked, number=1))
    log.look()
    return (attempt,)


def two_vectors(log: Log) -> Iterable[int]:
    """One debit pays for two vectors: two draws of noise on the same sums."""
    asked = _begun(log, "masked_twice")
    debit = log.attempt(asked)
    second = log.vector(asked, debit)
    log.look()
    return (second,)


def number_again(log: Log) -> Iterable[int]:
    asked = _begun(log, "numbered_again")
    log.attempt(asked)
    debit = log.debit(asked, number=1)
    log.look()
    log.vector(asked, debit)
    log.look()
    return (debit,)


def beyond(log: Log) -> Iterable[int]:
    """A third attempt of a programme that allows two."""
    asked = _begun(log, "tried_too_often")
    return [log.attempt(asked, number) for number in (1, 2, 3)][-1:]


def after_the_sum(log: Log) -> Iterable[int]:
    """The sums were there, and the region let another vector go."""
    asked = _begun(log, "summed_and_tried")
    log.attempt(asked)
    log.keep_sum(asked)
    return (log.attempt(asked, 2),)


def nobody_asked(log: Log) -> Iterable[int]:
    kept = log.keep_sum(log.study.national("never_asked"))
    log.look()
    return (kept,)


def kept_two(log: Log) -> Iterable[int]:
    asked = _begun(log, "kept_twice")
    log.attempt(asked)
    log.keep_sum(asked)
    second = log.keep_sum(asked, hashed=log.study.draw(64))
    log.look()
    return (second,)


def another_sum(log: Log) -> Iterable[int]:
    """The region was given another sum than everybody else."""
    asked = _begun(log, "given_another")
    log.attempt(asked)
    kept = log.keep_sum(asked, hashed=log.study.draw(64))
    log.look()
    return (kept,)


def another_list(log: Log) -> Iterable[int]:
    """The region masked for a list that the coordinator never showed to anybody else."""
    asked = _begun(log, "other_list")
    log.order(asked)
    debit = log.debit(asked, number=1)
    log.look()
    vector = log.vector(asked, debit, participants=log.study.draw(64))
    log.look()
    return (vector,)


def _under(**rule: Json) -> Tale:
    """A tale in which the region takes part against its own policy, which allows no sums where no rule is given."""

    def tale(log: Log) -> Iterable[int]:
        policy = papers.policy(log.region, 7, "1.2", "1.5")
        policy.pop("secure")
        if rule:
            policy["secure"] = dict(rule)
        log.adopt("policy", "7", paper("policy", policy, log.who.keys["steward"]))
        asked = log.study.national("against_the_rules")
        log.ask(asked)
        log.spend(asked)
        return (log.attempt(asked),)

    return tale


def no_room(log: Log) -> Iterable[int]:
    """What is left pays for the answer and one attempt, not for two."""
    asked = log.study.national("no_room")
    whole = charge_of(asked) + charge_of(asked, 1)
    left = log.cohorts["c1"] + whole + 1_000_000
    log.adopt("policy", "7", log.study.policy(log.region, 7, f"0.{left:09d}", "1.5"))
    log.ask(asked)
    debit = log.spend(asked)
    log.attempt(asked)
    return (debit,)


Twist = Callable[[Values, list[Values]], None]


def _asked(name: str, twist: Twist) -> Tale:
    """A tale in which researcher and node agree on a wrong programme with national sums."""

    def tale(log: Log) -> Iterable[int]:
        body = papers.nationally(log.study.programme_body(name))
        blocks = [dict(one) for one in _list(body["blocks"]) if isinstance(one, dict)]
        twist(body, blocks)
        asked = paper("programme", body | {"blocks": list[Json](blocks)}, log.study.people.researcher.signing)
        log.ask(asked)
        log.spend(asked)
        return (log.attempt(asked),)

    return tale


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def nano_less(body: Values, blocks: list[Values]) -> None:
    """The part of an attempt, and the whole with it, is one nano-rho lower."""
    right = papers.charges(blocks)
    body["charge"] = {key: str(int(str(nano)) - 1) for key, nano in right.items()}


def moved(body: Values, blocks: list[Values]) -> None:
    """A nano-rho is charged with the answer that belongs to each attempt: a second attempt is cheaper by it."""
    right = papers.charges(blocks)
    body["charge"] = right | {"national": str(int(str(right["national"])) - 1)}


def no_colluders(body: Values, _blocks: list[Values]) -> None:
    body["secure"] = {"colluders": 0, "dropouts": 0, "attempts": 2}


def nothing_assumed(body: Values, _blocks: list[Values]) -> None:
    del body["secure"]


def one_drops_out(body: Values, _blocks: list[Values]) -> None:
    """Of two regions one may collude and one drop out: nobody is left."""
    body["secure"] = {"colluders": 1, "dropouts": 1, "attempts": 2}


def light(body: Values, blocks: list[Values]) -> None:
    """GR weighs three times as much as FR, and the bounds are those of FR."""
    body["weights"] = {"FR": 1000, "GR": 3000}
    body["charge"] = papers.charges(blocks)


def sharp(body: Values, blocks: list[Values]) -> None:
    """Five regions share the noise, so that the part of each is below eight steps."""
    body["weights"] = dict.fromkeys(("DR", "FR", "GR", "UT", "ZE"), 1000)
    for one in blocks[3:]:
        one |= {"multiplier": 1, "bound_squared": "4", "sigma": [15 * 2**20, 20]}
    body["charge"] = papers.charges(blocks)


def shared(_body: Values, blocks: list[Values]) -> None:
    """One denominator is summed nationally and paid for as each region's own."""
    del blocks[4]["mode"]
    _body["charge"] = papers.charges(blocks)


def _fraud(name: str, what: str, codes: set[str], tale: Tale, forger: Forger = Forger.NODE) -> Fraud:
    return Fraud(name, what, forger, frozenset(codes), lived(tale, behind="first"))


def _priced(name: str, what: str, codes: set[str], twist: Twist) -> Fraud:
    return _fraud(name, what, codes, _asked(name.replace("-", "_"), twist), Forger.NODE_AND_RESEARCHER)


FRAUDS = (
    _fraud(
        "vector-on-an-answer",
        "A masked vector left on the debit of the region's own answer.",
        {"answer.other_debit"},
        without_debit,
    ),
    _fraud("vector-without-debit", "A masked vector left without a debit.", {"answer.no_debit"}, no_debit_at_all),
    _fraud(
        "vector-unwitnessed",
        "A masked vector left before anybody knew of its debit.",
        {"witness.missing"},
        not_witnessed,
    ),
    _fraud("two-vectors-to-one-debit", "One debit paid for two vectors.", {"answer.second_of_debit"}, two_vectors),
    _fraud(
        "attempt-number-again",
        "The same attempt was made twice, each time charged.",
        {"attempt.again"},
        number_again,
    ),
    _fraud(
        "attempt-too-many",
        "A third attempt was made of a programme that allows two.",
        {"attempt.beyond"},
        beyond,
    ),
    _fraud(
        "attempt-after-the-sum",
        "The sums of a run were there, and another attempt was made.",
        {"debit.repeat"},
        after_the_sum,
    ),
    _fraud(
        "sum-nobody-asked",
        "The log holds a sum of a programme that was never asked.",
        {"sum.not_asked"},
        nobody_asked,
    ),
    _fraud("two-sums-kept", "The region keeps two different sums of one run.", {"sum.second"}, kept_two),
    _fraud(
        "another-sum-kept",
        "The region was given another sum than the coordinator shows.",
        {"sum.differs"},
        another_sum,
        Forger.NODE_AND_DESK,
    ),
    _fraud(
        "masked-for-another-list",
        "A vector was masked for other participants than the coordinator shows.",
        {"attempt.other_list"},
        another_list,
        Forger.NODE_AND_DESK,
    ),
    _fraud(
        "national-sums-forbidden",
        "The region took part in national sums, which its policy does not allow.",
        {"secure.forbidden"},
        _under(),
    ),
    _fraud(
        "own-noise-too-dear",
        "With its own noise alone a household pays more than the policy allows.",
        {"secure.own_noise"},
        _under(own_noise={"rho": "0.02"}),
    ),
    _fraud(
        "attempts-over-the-policy",
        "The programme allows more attempts than the policy.",
        {"secure.attempts"},
        _under(own_noise={"rho": "0.2"}, attempts=1),
    ),
    _fraud(
        "too-few-distrusted",
        "The policy wants two colluders to be assumed, the programme assumes one.",
        {"secure.colluders"},
        _under(own_noise={"rho": "0.2"}, colluders=2),
    ),
    _fraud(
        "no-room-for-attempts",
        "A programme was begun whose second attempt could not be paid for.",
        {"money.room"},
        no_room,
        Forger.NODE_AND_STEWARD,
    ),
    _priced(
        "national-nano-rho-off",
        "An attempt is charged one nano-rho less than the national blocks cost.",
        {"price.charge", "price.stated"},
        nano_less,
    ),
    _priced(
        "national-part-moved",
        "A nano-rho of each attempt is charged with the answer, once.",
        {"price.charge", "price.stated"},
        moved,
    ),
    _priced("nobody-distrusted", "A sum is protected only while no region tells.", {"secure.group"}, no_colluders),
    _priced(
        "nothing-assumed",
        "National sums are asked without a word on who stands behind them.",
        {"secure.group"},
        nothing_assumed,
    ),
    _priced("group-too-small", "A group of two in which one tells and one drops out.", {"secure.group"}, one_drops_out),
    _priced(
        "weights-forgotten",
        "A region's sums are multiplied by three, and the bound is not.",
        {"price.bound"},
        light,
    ),
    _priced(
        "noise-part-too-small",
        "Each region's part of the noise is less than eight steps of its grid.",
        {"price.sigma"},
        sharp,
    ),
    _priced(
        "denominator-of-two-kinds",
        "A block that is summed nationally is priced as a regional one.",
        {"price.blocks"},
        shared,
    ),
)
