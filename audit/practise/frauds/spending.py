"""Cheating about money: debits, answers and totals."""

from __future__ import annotations

from collections.abc import Iterable

from audit.practise.fraud import Forger, Fraud, Tale, lived
from audit.practise.log import Log, charge_of
from audit.practise.papers import COHORT, OTHER_COHORT, Values


def debit_after_answer(log: Log) -> Iterable[int]:
    asked = log.study.programme("paid_late")
    log.ask(asked)
    log.look()
    answered = log.answer(asked, log.size + 1)
    log.look()
    debit = log.debit(asked)
    log.look()
    return answered, debit


def answer_without_debit(log: Log) -> Iterable[int]:
    asked = log.study.programme("never_paid")
    asked_at = log.ask(asked)
    log.look()
    answered = log.answer(asked, asked_at)
    log.look()
    return (answered,)


def two_answers_to_one_debit(log: Log) -> Iterable[int]:
    asked = log.study.programme("answered_twice")
    log.ask(asked)
    debit = log.debit(asked)
    log.look()
    log.answer(asked, debit)
    second = log.answer(asked, debit)
    log.look()
    return (second,)


def two_debits_merged(log: Log) -> Iterable[int]:
    """Two programmes are asked, one is charged, both are answered."""
    one, two = log.study.programme("merged_one"), log.study.programme("merged_two")
    log.ask(one)
    log.ask(two)
    debit = log.debit(one)
    log.look()
    log.answer(one, debit)
    second = log.answer(two, debit)
    log.look()
    return (second,)


def answered_under_two_debits(log: Log) -> Iterable[int]:
    """The same programme from the same snapshot twice: two draws of noise, to be averaged."""
    asked = log.study.programme("drawn_twice")
    log.ask(asked)
    log.spend(asked)
    debit = log.debit(asked)
    log.look()
    second = log.answer(asked, debit)
    log.look()
    return debit, second


def other_snapshot(log: Log) -> Iterable[int]:
    """Charged for a snapshot that is no longer in force."""
    old = log.snapshot
    log.load()
    asked = log.study.programme("old_snapshot")
    log.ask(asked)
    debit = log.debit(asked, wrong={"snapshot": old})
    log.look()
    answered = log.write("answered", programme=asked.digest, snapshot=old, debit=debit, answer=log.reply(asked).digest)
    log.look()
    return debit, answered


def not_asked(log: Log) -> Iterable[int]:
    asked = log.study.programme("nobody_asked")
    log.cite(asked)
    debit = log.debit(asked)
    log.look()
    log.answer(asked, debit)
    log.look()
    return (debit,)


def _charged(name: str, less: int) -> Tale:
    """A tale in which one debit, and the totals with it, is `less` than the price."""

    def tale(log: Log) -> Iterable[int]:
        asked = log.study.programme(name)
        log.ask(asked)
        debit = log.debit(asked, charge_of(asked) - less)
        log.look()
        log.answer(asked, debit)
        log.look()
        return (debit,)

    return tale


def _total(field: str) -> Tale:
    """A tale in which one total is one nano-rho too low, and goes on from there."""

    def tale(log: Log) -> Iterable[int]:
        asked = log.study.programme("total_too_low")
        log.ask(asked)
        cohort, lifetime = log.cohorts["c1"] + charge_of(asked), log.lifetime + charge_of(asked)
        debit = log.debit(asked, wrong={field: str((cohort if field == "cohort_total" else lifetime) - 1)})
        log.look()
        log.answer(asked, debit)
        log.look()
        return (debit,)

    return tale


def entry_alone(log: Log) -> Iterable[int]:
    """The charge of one entry is lower, its totals are right."""
    asked = log.study.programme("entry_alone")
    log.ask(asked)
    debit = log.debit(asked, wrong={"charge": str(charge_of(asked) - 1)})
    log.look()
    log.answer(asked, debit)
    log.look()
    return (debit,)


def to_the_last(log: Log) -> list[int]:
    """Asks until the next one would go beyond the cohort's cap, and then once more."""
    debits: list[int] = []
    while log.cohorts["c1"] <= 1_200_000_000:
        asked = log.study.programme(f"until_{len(debits)}")
        log.ask(asked)
        debits.append(log.spend(asked))
    return debits


def over_the_cap(log: Log) -> Iterable[int]:
    return (to_the_last(log)[-1],)


def over_the_lifetime(log: Log) -> Iterable[int]:
    """By a policy that is generous with the cohort and not with the lifetime."""
    log.adopt("policy", "7", log.study.policy(log.region, 7, "1.2", "0.15"))
    asked = log.study.programme("over_the_lifetime")
    log.ask(asked)
    return (log.spend(asked),)


def attempt_and_answer(log: Log) -> Iterable[int]:
    """One debit pays for a masked vector and for an answer."""
    asked = log.study.national("masked_and_answered")
    log.ask(asked)
    debit = log.attempt(asked)
    answered = log.answer(asked, debit)
    log.look()
    return (answered,)


def to_another_cohort(log: Log) -> Iterable[int]:
    """The charge is put on a cohort that this programme does not ask."""
    asked = log.study.programme("other_pocket")
    log.ask(asked)
    charge = charge_of(asked)
    log.cohorts[OTHER_COHORT] = charge
    wrong: Values = {"cohort": OTHER_COHORT, "cohort_total": str(charge)}
    before = log.cohorts[COHORT]
    debit = log.debit(asked, wrong=wrong)
    log.cohorts[COHORT] = before
    log.look()
    log.answer(asked, debit)
    log.look()
    return (debit,)


def for_nothing(log: Log) -> Iterable[int]:
    asked = log.study.programme("for_nothing")
    log.ask(asked)
    debit = log.debit(asked, 0)
    log.look()
    log.answer(asked, debit)
    log.look()
    return (debit,)


def result_of_nothing(log: Log) -> Iterable[int]:
    """Figures came back of a programme that was refused here."""
    asked = log.study.programme("never_answered")
    log.ask(asked)
    log.refuse(asked, "over_programme_cap")
    run = log.study.run(asked.digest)
    seq = log.write("result", run=run, programme=asked.digest, hash=log.study.draw(64))
    log.look()
    return (seq,)


def unknown_event(log: Log) -> Iterable[int]:
    """An entry of a kind that no node writes."""
    seq = log.write("refunded", programme=log.study.programme("outcomes").digest, charge="-109951128")
    log.look()
    return (seq,)


def _fraud(name: str, what: str, codes: set[str], tale: Tale, behind: str = "first") -> Fraud:
    return Fraud(name, what, Forger.NODE, frozenset(codes), lived(tale, behind=behind))


FRAUDS = (
    _fraud(
        "debit-after-answer",
        "The answer was logged first, its debit afterwards.",
        {"answer.no_debit"},
        debit_after_answer,
    ),
    _fraud(
        "answer-without-debit",
        "A programme was answered, and never charged.",
        {"answer.no_debit"},
        answer_without_debit,
    ),
    _fraud(
        "two-answers-to-one-debit",
        "One debit paid for two answers.",
        {"answer.second_of_debit"},
        two_answers_to_one_debit,
    ),
    _fraud(
        "two-debits-merged",
        "Two programmes were answered on the debit of one.",
        {"answer.other_debit"},
        two_debits_merged,
    ),
    _fraud(
        "answered-under-two-debits",
        "One programme was answered twice from one snapshot.",
        {"debit.repeat", "answer.second_of_programme"},
        answered_under_two_debits,
    ),
    _fraud("old-snapshot", "A debit names a snapshot that was replaced before.", {"snapshot.other"}, other_snapshot),
    _fraud("nobody-asked", "A programme was charged and answered that nobody asked.", {"debit.not_asked"}, not_asked),
    _fraud(
        "nano-rho-off-entry",
        "One charge is one nano-rho below the price; the totals are right.",
        {"price.charge"},
        entry_alone,
    ),
    _fraud(
        "nano-rho-off-totals",
        "One charge is one nano-rho below the price, and the totals with it.",
        {"price.charge"},
        _charged("nano_less", 1),
    ),
    _fraud(
        "cohort-total-off", "The total of the cohort is one nano-rho too low.", {"money.total"}, _total("cohort_total")
    ),
    _fraud(
        "lifetime-total-off", "The lifetime total is one nano-rho too low.", {"money.total"}, _total("lifetime_total")
    ),
    _fraud("over-the-cap", "More was spent than the policy allows for the cohort.", {"money.cohort_cap"}, over_the_cap),
    _fraud(
        "over-the-lifetime-cap",
        "More was spent than the policy allows over the lifetime.",
        {"money.lifetime_cap"},
        over_the_lifetime,
    ),
    _fraud(
        "attempt-and-answer",
        "The debit of a masked vector paid for an answer too.",
        {"answer.other_debit"},
        attempt_and_answer,
    ),
    _fraud(
        "charged-to-another-cohort",
        "A programme about one cohort was charged to another.",
        {"calendar.cohort"},
        to_another_cohort,
    ),
    _fraud(
        "charged-nothing",
        "A programme was answered for a charge of zero.",
        {"money.nothing", "price.charge"},
        for_nothing,
    ),
    _fraud(
        "result-of-nothing",
        "Figures came back of a programme that was never answered.",
        {"result.no_answer"},
        result_of_nothing,
    ),
    _fraud(
        "refund", "The log holds an entry of a kind that no node writes: a refund.", {"entry.malformed"}, unknown_event
    ),
)
