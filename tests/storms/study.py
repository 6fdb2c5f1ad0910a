"""The study of the storms: thirteen regions, one small table of made-up households, programmes that are cheap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from compose.chaos import study as chaos
from compose.demo.federation import Documents
from policies.statistics.programme import Draft
from tests.storms.kinds import Mode

COHORT = chaos.COHORT
_POLICY = """
policy: {version: 1}
test_only: true
cohorts: {c1: {rho: "1000"}}
lifetime: {rho: "1000"}
programme: {rho: "1"}
witnesses: {need: 2, faulty: 0}
secure: {own_noise: {rho: "10"}, attempts: 3, colluders: 1}
tick_ms: 5
"""
"""For tests alone: of three witnesses two must cosign, so that one that is down does not stop everything."""
_ATTEMPTS = 3


def documents(folder: Path, regions: Sequence[str]) -> Documents:
    """The study's documents as files: the codebook of the other chaos, for these regions."""
    made = chaos.documents(folder)
    made.policy.write_text(_POLICY, encoding="utf-8")
    calendar = yaml.safe_load(made.calendar.read_text(encoding="utf-8"))
    expected = next(iter(calendar["cohorts"][COHORT]["expected"].values()))
    calendar["regions"] = {code: {"name": {"nl": code, "en": code}, "group": "A"} for code in regions}
    calendar["cohorts"][COHORT]["expected"] = {code: dict(expected) for code in regions}
    # YAML writes dates as it read them.
    made.calendar.write_text(yaml.safe_dump(calendar, sort_keys=False), encoding="utf-8")
    return made


def draft(name: str, regions: Sequence[str], mode: Mode, deadline: int) -> Draft:
    """A programme by this name, to be answered by a unix second: the share of households that were helped."""
    made = chaos.draft(name, regions).model_dump()
    (one,) = made["statistics"]
    modes = ("regional", "national") if mode is Mode.BOTH else (mode.value,)
    statistics: list[Mapping[str, object]] = [{**one, "id": f"helped_{way}", "mode": way} for way in modes]
    heading = {**made["programme"], "deadline": deadline, "data": "synthetic"}
    secure = {"colluders": 2, "dropouts": min(2, (len(regions) - 3) // 2), "attempts": _ATTEMPTS}
    more = {} if mode is Mode.REGIONAL else {"secure": secure}
    return Draft.model_validate({**made, **more, "programme": heading, "statistics": statistics})
