"""The page of one decision, to print and file: what was asked, what was decided, and where that stands.

Pure: what it shows is given. Public facts, and the steward's own note only where the steward wants it there.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path

from node.approving import Heard, Proposal
from node.pages.explained import cohort_words, explain
from node.status import Amount
from node.understanding import Understood
from policies.pages.dates import clock, date
from policies.pages.numbers import at_most, exact
from policies.pages.templates import environment
from policies.pages.words import say
from policies.rules.approval import DeclineReason
from policies.study.text import Language


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision. `moment` is in unix seconds, `before` what was left of the cohort and of all before the answer.

    `one` is the question as it stood when it was decided on, `note` empty where it stays out.
    """

    region: str
    one: Proposal
    heard: Heard
    reason: DeclineReason | None
    moment: int
    fingerprint: str
    before: tuple[Amount, Amount]
    understood: Understood | None
    note: str = ""


def page(told: Decided, lang: Language) -> str:
    """The page as HTML. The same arguments give the same text."""
    words = partial(say, lang=lang)
    one, approved = told.one, told.reason is None
    entry = "-" if told.heard.entry is None else str(told.heard.entry)
    remarks = [] if approved else [words("decide.page.not_spent")]
    remarks += [words("decide.page.charged")] if told.heard.charged else []
    return (
        environment(Path(__file__).parent)
        .get_template("decision.html")
        .render(
            lang=lang,
            title=words("decide.page.title"),
            lead=words("decide.page.lead", region=told.region, date=date(told.moment, lang)),
            banners=_banners(one, lang),
            every_page=" ".join(_banners(one, lang)),
            parts=_parts(told, entry, lang),
            remarks=remarks,
            asked=explain(one, told.understood, lang),
            note=told.note,
            proof=words("decide.page.proof", region=told.region, entry=entry),
            words=words,
        )
    )


def _banners(one: Proposal, lang: Language) -> list[str]:
    marks = {"node.pending.synthetic": one.data == "synthetic", "node.pending.test_only": one.test_only}
    return [say(key, lang) for key, marked in marks.items() if marked]


def _parts(told: Decided, entry: str, lang: Language) -> list[tuple[str, list[tuple[str, str]]]]:
    words, one = partial(say, lang=lang), told.one
    verdict = words("decide.page.approved")
    if told.reason is not None:
        verdict = words("decide.page.declined", reason=words(f"node.decide.reason.{told.reason}"))
    decision = [
        (words("decide.page.what"), verdict),
        (words("decide.page.when"), f"{date(told.moment, lang)} {clock(told.moment)} UTC"),
        (words("decide.page.key"), told.fingerprint),
        (words("decide.page.entry"), entry),
        (words("decide.page.leaf"), told.heard.leaf),
    ]
    question = [
        (words("decide.page.title_of"), f"{one.title.in_language(lang)} ({one.id})"),
        (words("node.pending.hash"), one.hash),
        (words("node.pending.purpose"), one.purpose),
        (words("node.pending.asked_by"), _who(one, lang)),
        (
            words("node.pending.cohort"),
            cohort_words(one, lang),
        ),
        (words("node.pending.came"), f"{date(one.came, lang)} {clock(one.came)} UTC"),
        (words("node.pending.deadline"), f"{date(one.deadline, lang)} {clock(one.deadline)} UTC"),
    ]
    of_cohort, of_all = told.before
    budget = [
        (words("decide.page.price"), amount_words(one.price, lang)),
        (words("decide.page.before", cohort=one.cohort), amount_words(of_cohort, lang)),
        (words("decide.page.after", cohort=one.cohort), amount_words(one.left_cohort, lang)),
        (words("decide.page.before_all"), amount_words(of_all, lang)),
        (words("decide.page.after_all"), amount_words(one.left_lifetime, lang)),
    ]
    headings = (("decision", decision), ("question", question), ("budget", budget))
    return [(words(f"decide.page.{name}"), facts) for name, facts in headings]


def _who(one: Proposal, lang: Language) -> str:
    return say("node.pending.signed_by", lang, requester=one.requester, researcher=one.researcher)


def amount_words(one: Amount, lang: Language) -> str:
    """An amount in both currencies; epsilon rounded up."""
    rho, epsilon = exact(Decimal(one.rho), lang), at_most(Decimal(one.epsilon), 2, lang)
    return say("node.pending.amount", lang, rho=rho, epsilon=epsilon)
