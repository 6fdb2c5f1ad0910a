"""One region's tables as researchers keep them: one wide SPSS file, a row per household, with its mapping beside it.

Upper-case names, a suffix per wave, a column group per adult and child, categories as numbers with labels, one of them
as letters, missing codes declared, and for households a column that says who took part.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat
from numpy.typing import NDArray

from compose.demo.generator.tables import ANSWERED, CODED, Answers, Table, Tables
from policies.documents import load_yaml
from policies.study.codebook import Codebook

FILE, MAPPING = "gezinnen.sav", "mapping.yaml"
_CODEBOOK = Path(__file__).resolve().parents[3] / "policies" / "shipped" / "cohort3.codebook.yaml"
_SUFFIXES = {"T0": "_1", "T1": "_2"}
_FRONTS = {"household": "", "adult": "OUDER<person>_", "child": "KIND<person>_"}
_LETTERS = "relation"
"""Kept as its first letter, with the word as label."""
_MADE_AT, _MADE = 84 + 8, b"01 Jan 2600:00:00"
"""Where SPSS writes when a file was made: the same tables give the same bytes."""


def write_spss(folder: Path, tables: Tables, label: str) -> None:
    """gezinnen.sav and mapping.yaml in a folder that exists. `label` (at most 64 signs) stands in the file itself."""
    homes = {name: place for place, name in enumerate(dict.fromkeys(tables.household.ids["hh_id"].tolist()))}
    columns: dict[str, Any] = {"GEZIN": np.array(list(homes), np.object_)}
    labels: dict[str, dict[Any, str]] = {}
    missing: dict[str, list[Any]] = {}
    people: dict[str, int] = {}
    for kind, table in tables.by_name():
        place = np.array([homes[name] for name in table.ids["hh_id"].tolist()], np.int64)
        slot = _slots(table)
        people[kind] = int(slot.max(initial=0)) + 1
        for person in range(people[kind]):
            front = _FRONTS[kind].replace("<person>", str(person + 1))
            for wave, suffix in _SUFFIXES.items():
                rows = np.flatnonzero((slot == person) & (table.ids["wave"] == wave))
                took_part = np.zeros(len(homes))
                took_part[place[rows]] = 1
                columns[f"{front}DEEL{suffix}"] = took_part
                for name, answers in table.variables.items():
                    waves = _codebook().variables[name].waves
                    if waves and wave not in waves:
                        continue
                    column = f"{front}{name.upper()}{suffix if waves else ''}"
                    own = columns.setdefault(column, _blank(name, len(homes)))
                    own[place[rows]] = _cells(name, answers.at(rows))
                    labels[column] = _labels(name, answers)
                    missing[column] = [float(answers.missing_code)] if answers.missing_code else []
    path = folder / FILE
    pyreadstat.write_sav(
        pd.DataFrame(columns),
        path,
        file_label=label,
        row_compress=True,
        variable_value_labels={name: found for name, found in labels.items() if found},
        missing_ranges={name: found for name, found in missing.items() if found},
    )
    with path.open("r+b") as file:
        file.seek(_MADE_AT)
        file.write(_MADE)
    (folder / MAPPING).write_text(_mapping(people), encoding="utf-8", newline="\n")


@cache
def _codebook() -> Codebook:
    return load_yaml(Codebook, _CODEBOOK)


def _slots(table: Table) -> NDArray[np.int64]:
    """The place of each row's person in its household, from 0: the number that ends the person's id."""
    if "person_id" not in table.ids:
        return np.zeros(len(table.ids["hh_id"]), np.int64)
    return np.array([int(name.rpartition("-")[2][1:]) - 1 for name in table.ids["person_id"].tolist()], np.int64)


def _blank(name: str, rows: int) -> Any:
    return np.full(rows, "", np.object_) if name == _LETTERS else np.full(rows, np.nan)


def _numbers(name: str, answers: Answers) -> list[Any]:
    """What stands in the file for each code: digits for themselves, one letter, or 1, 2, ..."""
    if name == _LETTERS:
        return [code[0] for code in answers.codes]
    return [float(code) if code.isdigit() else place + 1.0 for place, code in enumerate(answers.codes)]


def _cells(name: str, answers: Answers) -> Any:
    own: Any = np.array(_numbers(name, answers), np.object_ if name == _LETTERS else np.float64)
    values = own[answers.values] if answers.codes else answers.values / 10**answers.decimals
    if name == _LETTERS:
        return np.where(answers.gaps == ANSWERED, values, "")
    coded = float(answers.missing_code or "nan")
    return np.where(answers.gaps == ANSWERED, values, np.where(answers.gaps == CODED, coded, np.nan))


def _labels(name: str, answers: Answers) -> dict[Any, str]:
    """Value labels in Dutch, with the odd space that real files have."""
    words = {category.code: category.label.nl for category in _codebook().variables[name].categories}
    numbers = _numbers(name, answers)
    return {number: f" {words[code]} " for number, code in zip(numbers, answers.codes, strict=True)}


def _mapping(people: dict[str, int]) -> str:
    parts = []
    for kind, front in _FRONTS.items():
        persons = "" if kind == "household" else f"\n    persons: {list(range(1, people[kind] + 1))}"
        # Value labels tell what the other codes mean.
        listed = "\n    columns: {severe_act: {column: SEVERE_ACT<wave>, codes: {1: no, 2: yes}}}"
        parts.append(f"""
  - table: {kind}
    file: {FILE}
    household: GEZIN{persons}
    wave: {{suffixes: {{T0: {_SUFFIXES["T0"]}, T1: {_SUFFIXES["T1"]}}}}}
    present: {{column: {front}DEEL<wave>, values: [1]}}{listed if kind == "household" else ""}
    others: {front}<name><wave>
""")
    head = f"# SYNTHETIC: how {FILE} becomes the codebook's tables.\nmapping: {{codebook: {_codebook().label}}}\nparts:"
    return head + "".join(parts)
