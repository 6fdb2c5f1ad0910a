"""The printable page of a result: one file of HTML with its style and pictures in it, nothing from outside.

Pure: what it shows is given. It is made by the verb that prints it, never by the serving node.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path

from node.pages.figures import tables
from node.status import Amount, amount
from policies.pages.dates import date
from policies.pages.numbers import at_most, exact
from policies.pages.templates import environment
from policies.pages.words import say
from policies.rules.result import NATIONAL, Result
from policies.study.codebook import Codebook
from policies.study.text import Language


@dataclass(frozen=True, slots=True)
class Facts:
    """What the page says beside the result. `received` is in unix seconds; what is left is left now.

    `test_only`: the region's policy is for tests alone. `codebook` is None where it is no longer adopted.
    """

    digest: str
    region_name: str
    received: int
    left_cohort: Amount
    left_lifetime: Amount
    test_only: bool
    codebook: Codebook | None


def page(result: Result, facts: Facts, lang: Language) -> str:
    """The page as HTML. The same arguments give the same text."""
    told = partial(say, lang=lang)
    heading = result.asked.programme
    banners = _banners(result, facts, lang)
    shown = tables(result, facts.codebook, lang, " ".join(banners))
    provisional = any(figure.provisional for table in shown for row in table.rows for figure in (row.national, row.own))
    return (
        environment(Path(__file__).parent)
        .get_template("result.html")
        .render(
            lang=lang,
            title=heading.title.in_language(lang),
            lead=told("page.lead", region=facts.region_name, date=date(facts.received, lang)),
            banners=banners,
            every_page=" ".join(banners),
            region=facts.region_name,
            words=lambda key: told(f"page.{key}"),
            asked=_asked(result, lang),
            reading=[told(f"page.reading.{key}") for key in ("interval", "overlap", "raw", "signs")],
            tables=shown,
            signs=[told("page.sign.provisional")] if provisional else [],
            budget=_budget(result, facts, lang),
            limits=[told(f"page.limits.{key}") for key in ("cause", "small", "noise", "withheld", "who", "several")],
            origin=(
                told("page.origin.signed", hash=facts.digest, programme=result.programme),
                told("page.origin.files"),
            ),
        )
    )


def _banners(result: Result, facts: Facts, lang: Language) -> list[str]:
    found = []
    if result.asked.programme.data == "synthetic":
        found.append(say("page.synthetic", lang))
    if facts.test_only or result.asked.programme.test_only:
        found.append(say("page.test_only", lang))
    final = not any(row.status == "provisional" for row in result.rows) and any(
        row.status == "ok" for row in result.rows if row.scope == NATIONAL
    )
    if away := [region for region in result.asked.regions if region not in result.regions]:
        found.append(say("page.without" if final else "page.provisional", lang, regions=", ".join(away)))
    direct = [row for row in result.rows if row.estimator == "direct"]
    summed = [row for row in direct if row.mode == "national" and row.scope == NATIONAL]
    if any(row.status == "missing" for row in summed):
        found.append(say("page.no_sum", lang))
    elif summed and (included := summed[0].regions_included) < (expected := summed[0].regions_expected):
        key = "page.smaller_sum" if final else "page.reduced_sum"
        found.append(say(key, lang, included=included, expected=expected))
    return found


def _asked(result: Result, lang: Language) -> list[tuple[str, str]]:
    heading = result.asked.programme
    included, expected = len(result.regions), len(result.asked.regions)
    regions = say("page.regions_of", lang, included=included, expected=expected, names=", ".join(result.regions))
    values = {
        "question": f"{heading.title.in_language(lang)} ({heading.id})",
        "requester": heading.requester,
        "purpose": heading.purpose,
        "cohort": heading.cohort,
        "codebook": heading.codebook,
        "regions": regions,
        "run": result.run,
    }
    return [(say(f"page.{key}", lang), value) for key, value in values.items()]


def _budget(result: Result, facts: Facts, lang: Language) -> list[tuple[str, str, str]]:
    secure = result.asked.secure
    question = "page.budget.question" if secure is None or secure.attempts == 1 else "page.budget.question_once"
    amounts = {
        say(question, lang): amount(result.asked.charge.amount),
        say("page.budget.cohort", lang, cohort=result.asked.programme.cohort): facts.left_cohort,
        say("page.budget.lifetime", lang): facts.left_lifetime,
    }
    return [
        (name, exact(Decimal(one.rho), lang), at_most(Decimal(one.epsilon), 2, lang)) for name, one in amounts.items()
    ]
