"""One cell to one whole number: clamping, grid, codes and missing, exactly."""

import numpy as np
import pytest

from node.importing.cells import TextColumn
from node.importing.values import clean
from tests.importing import CODEBOOK

GONE = -1


def _read(name: str, text: str) -> tuple[int, list[str]]:
    column = TextColumn(np.array([0], np.int32), (text,))
    cleaned = clean(column, CODEBOOK.variables[name], CODEBOOK.columns[name])
    return int(cleaned.index[0]), sorted(cleaned.counts)


@pytest.mark.parametrize(
    ("text", "index", "rules"),
    [
        ("0", 0, []),
        ("825", 825, []),
        ("+7", 7, []),
        ("7.0", 7, []),
        ("7,0", 7, []),
        ("7e1", 70, []),
        ("", GONE, []),
        ("999", GONE, []),
        ("999,00", GONE, []),
        ("NaN", GONE, []),
        ("inf", GONE, ["unreadable"]),
        ("-Infinity", GONE, ["unreadable"]),
        ("abc", GONE, ["unreadable"]),
        ("1_0", GONE, ["unreadable"]),
        ("١", GONE, ["unreadable"]),
        ("1.234,5", GONE, ["unreadable"]),
        ("1e9999999", GONE, ["unreadable"]),
        ("9" * 2000, GONE, ["unreadable"]),
        ("826", 825, ["clamped"]),
        ("-1", 0, ["clamped"]),
        ("1e308", 825, ["clamped"]),
        ("-1e999999", 0, ["clamped"]),
        ("1e-999999", 0, []),
        ("0.5", 1, ["snapped"]),
        ("0.49999999999999999999999999", 0, ["snapped"]),
        ("824.5", 825, ["snapped"]),
        ("825.0000000000000000000000001", 825, ["clamped"]),
    ],
)
def test_import_reads_whole_numbers(text: str, index: int, rules: list[str]) -> None:
    assert _read("incidents", text) == (index, rules)


@pytest.mark.parametrize(
    ("name", "text", "index", "rules"),
    [
        ("grade", "7.5", 75, []),
        ("grade", "7,5", 75, []),
        ("grade", ",5", 5, []),
        ("grade", "7.55", 76, ["snapped"]),
        ("grade", "7.549", 75, ["snapped"]),
        ("grade", "7.500000000000001", 75, ["snapped"]),
        ("grade", "99", GONE, []),
        ("change", "-5", 0, []),
        ("change", "-4.75", 1, ["snapped"]),
        ("change", "-4.76", 0, ["snapped"]),
        ("change", "0", 10, []),
        ("change", "-0.25", 10, ["snapped"]),
        ("change", "5.1", 20, ["clamped"]),
    ],
)
def test_import_rounds_half_up_to_the_grid(name: str, text: str, index: int, rules: list[str]) -> None:
    assert _read(name, text) == (index, rules)


@pytest.mark.parametrize(
    ("name", "text", "index", "rules"),
    [
        ("profile", "1", 0, []),
        ("profile", "2.0", 1, []),
        ("profile", "2,00", 1, []),
        ("profile", "9", GONE, []),
        ("profile", "9.0", GONE, []),
        ("profile", "", GONE, []),
        ("profile", "nan", GONE, []),
        ("profile", "3", GONE, ["unknown_code"]),
        ("profile", "1.5", GONE, ["unknown_code"]),
        ("severe", "yes", 1, []),
        ("severe", "Yes", GONE, ["unknown_code"]),
        ("help", "none", 0, []),
    ],
)
def test_import_reads_codes(name: str, text: str, index: int, rules: list[str]) -> None:
    assert _read(name, text) == (index, rules)
