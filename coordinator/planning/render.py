"""What `plan` shows: a table and sentences for people, one object for programs, and a draft ready to submit."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence

from coordinator.planning.advice import Advice
from coordinator.planning.comparing import Asked, Comparison
from coordinator.planning.found import Found, Line, Reached
from coordinator.planning.noise import Unreached
from coordinator.prices import Plain
from policies.statistics.programme import Draft
from policies.study.calendar import DAY_S

HEADINGS = (
    "statistic",
    "mode",
    "of",
    "target",
    "margin",
    "at worst",
    "with dropouts",
    "rho",
    "share",
    "dropping saves",
)


def rows(found: Found) -> list[list[str]]:
    """A line for each target; what a statistic costs stands at its first."""
    shown = []
    for line in found.lines:
        for place, reached in enumerate(line.reached):
            head = [line.statistic, line.mode] if place == 0 else ["", ""]
            cost = [line.rho.text(), _share(found, line), line.saves.text()] if place == 0 else ["", "", ""]
            shown.append([*head, *_row(reached), *cost])
    return shown


def sentences(found: Found) -> Iterable[str]:
    """What stands above the table."""
    heading, charge = found.programme.programme, found.programme.charge
    yield (
        f"The cheapest programme costs each region {found.rho.text()} rho: epsilon {found.epsilon} at delta "
        f"{charge.delta:f}, at most {max(0.0, found.gap):.2%} more than the least there can be."
    )
    if found.most > found.rho:
        yield f"With every attempt at the national sums it comes to {found.most.text()} rho at most."
    if found.regionally is not None:
        yield f"With everything asked regionally it would cost {found.regionally.text()} rho."
    yield (
        "Margins are half a 95% interval: as `price` shows them (p = .5), and at worst, whatever the figure turns out "
        f"to be. Targets hold for the expected numbers of cohort {heading.cohort}, with every region there."
    )


def document(found: Found, advice: Sequence[Advice], file: str | None) -> dict[str, Plain]:
    """The plan for programs; prices in rho, margins in each statistic's own unit."""
    heading, charge = found.programme.programme, found.programme.charge
    facts: dict[str, Plain] = {
        "programme": heading.id,
        "rho": float(found.rho.text()),
        "epsilon": float(found.epsilon),
        "delta": float(charge.delta),
        "rho_most": float(found.most.text()),
        "rho_regionally": None if found.regionally is None else float(found.regionally.text()),
        "limit": None if found.limit is None else float(found.limit.text()),
        "gap": max(0.0, found.gap),
        "statistics": [_line(found, line) for line in found.lines],
        "advice": told(advice),
        "file": file,
    }
    return facts


def told(advice: Sequence[Advice]) -> list[Plain]:
    """Advice for programs."""
    return [{"text": one.text, "rho": one.price} for one in advice]


def unreached(missed: Sequence[Unreached]) -> list[Plain]:
    """Targets out of reach, for programs."""
    return [
        {
            "statistic": one.demand.statistic,
            "of": one.demand.scope,
            "target": one.demand.target,
            "without_noise": one.least,
        }
        for one in missed
    ]


def compared(found: Comparison) -> dict[str, Plain]:
    """Two programmes for programs; `null` where one does not have it, or where nobody knows."""
    statistics: list[Plain] = [
        {"statistic": name, "first": _side(one), "second": _side(other)}
        for name, (one, other) in found.statistics.items()
    ]
    regions: list[Plain] = [
        {
            "region": one.region,
            "left": None if one.left is None else float(one.left),
            "pays_first": one.first,
            "pays_second": one.second,
            "pays_both": one.both,
        }
        for one in found.regions
    ]
    sides: dict[str, Plain] = {
        key: {
            "programme": side.programme,
            "hash": side.hash,
            "rho": float(side.rho),
            "rho_most": float(side.most),
            "epsilon": side.epsilon,
        }
        for key, side in (("first", found.first), ("second", found.second))
    }
    return {**sides, "statistics": statistics, "regions": regions}


def compared_rows(found: Comparison) -> list[list[str]]:
    """A line for each statistic; blank where a programme does not have it."""
    shown = []
    for name, (one, other) in found.statistics.items():
        pairs = [
            (each.mode, f"{each.rho:g}", _short(each.national), _short(each.regional)) if each else ("", "", "", "")
            for each in (one, other)
        ]
        shown.append([name, *(part for both in zip(*pairs, strict=True) for part in both)])
    return shown


COMPARED = ("statistic", "mode A", "mode B", "rho A", "rho B", "national A", "national B", "regional A", "regional B")


def _side(one: Asked | None) -> Plain:
    if one is None:
        return None
    return {"mode": one.mode, "rho": one.rho, "margin_national": one.national, "margin_regional": one.regional}


def _short(number: float | None) -> str:
    return "" if number is None else f"{number:.3g}"


def draft_yaml(draft: Draft) -> bytes:
    """The draft as a file that `price` and `submit` take. Every value is written as JSON, which is YAML too."""
    plain = draft.model_dump(mode="json", exclude_defaults=True, by_alias=True)
    plain["programme"]["deadline"] = _written(draft.programme.deadline)
    lines = [
        "# Made by `rondgang coordinator plan`: the cheapest programme for its targets. `split` divides the price."
    ]
    for key, value in plain.items():
        if key == "statistics":
            lines += ["statistics:", *(f"  - {_flow(one)}" for one in value)]
        elif isinstance(value, dict):
            lines += [f"{key}:", *(f"  {name}: {_flow(part)}" for name, part in value.items())]
        else:
            lines.append(f"{key}: {_flow(value)}")
    return ("\n".join(lines) + "\n").encode("utf-8")


def _written(second: int) -> str:
    """A deadline as people write it: a date where it is the last second of one."""
    moment = dt.datetime.fromtimestamp(second, dt.UTC)
    whole = (second + 1) % DAY_S == 0
    return moment.strftime("%Y-%m-%d") if whole else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _row(reached: Reached) -> list[str]:
    place = "the country" if reached.region is None else f"every region ({reached.region})"
    dropouts = "" if reached.with_dropouts is None else f"{reached.with_dropouts:.3g}"
    return [place, f"{reached.target:g}", f"{reached.margin:.3g}", f"{reached.at_worst:.3g}", dropouts]


def _share(found: Found, line: Line) -> str:
    return f"{line.rho.nano / found.rho.nano:.1%}"


def _line(found: Found, line: Line) -> dict[str, Plain]:
    reached: list[Plain] = []
    for one in line.reached:
        facts: dict[str, Plain] = {
            "of": one.scope,
            "target": one.target,
            "margin": one.margin,
            "at_worst": one.at_worst,
        }
        facts |= {} if one.region is None else {"region": one.region}
        facts |= {} if one.with_dropouts is None else {"with_dropouts": one.with_dropouts}
        reached.append(facts)
    return {
        "statistic": line.statistic,
        "mode": line.mode,
        "targets": reached,
        "rho": float(line.rho.text()),
        "share": line.rho.nano / found.rho.nano,
        "dropping_saves": float(line.saves.text()),
    }


def _flow(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
