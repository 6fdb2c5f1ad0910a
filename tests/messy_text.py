"""Messy CSV: encodings, delimiters, quotes, lines, names, ids and values."""

from __future__ import annotations

from collections.abc import Callable

from tests.deliveries import COLUMNS
from tests.messy import CANARY, Case, Mess, Refused, Right, lost

CASES: dict[str, Case] = {}
MAPPING = """
mapping: {codebook: small@1}
text: {decimal: comma}
parts:
  - table: household
    file: household.csv
    household: hh_id
    wave: {column: wave, values: {"0": T0, "1": T1, T0: T0, T1: T1}}
    others: <name>
"""


def case(one: Case) -> Case:
    CASES[one.__name__] = one
    return one


def _written(name: str, change: Callable[[str], str | bytes], *words: str) -> None:
    """The household file as CSV, changed as a whole; it must give the truth."""

    def write(mess: Mess) -> Right:
        mess.write(change(mess.text()))
        return Right(mess.only("household"), words)

    CASES[name] = write


def _spelled(name: str, column: str, change: Callable[[str], str], *told: str) -> None:
    """One column spelled otherwise; it must give the truth."""

    def write(mess: Mess) -> Right:
        mess.csv(mess.changed(column, change))
        return Right(mess.rows, told=told)

    CASES[name] = write


def _gone(name: str, column: str, change: Callable[[str], str], rule: str) -> None:
    """One column spelled so that it is not a value; all of it is missing, and the report says so."""

    def write(mess: Mess) -> Right:
        mess.csv(mess.changed(column, change))
        return Right(lost(mess.rows, column), told=(rule,))

    CASES[name] = write


def _refused(name: str, change: Callable[[str], str | bytes], reason: str, *words: str) -> None:
    def write(mess: Mess) -> Refused:
        mess.write(change(mess.text()))
        return Refused(reason, words)

    CASES[name] = write


def _lines(text: str, change: Callable[[int, str], str]) -> str:
    return "".join(change(number, line) + "\n" for number, line in enumerate(text.splitlines()))


def _with_note(text: str, note: Callable[[int], str]) -> str:
    """Another column at the end, with free text."""
    return _lines(text, lambda number, line: f"{line};{'toelichting' if number == 0 else note(number)}")


def _quoted(line: str) -> str:
    return '"' + line.replace(";", '";"') + '"'


def _more(front: str) -> str:
    return "".join(f";{front}{number}" for number in range(10_000))


# ---- how the file is written
_written("plain", str)
_written("commas", lambda text: text.replace(";", ","))
_written("tabs", lambda text: text.replace(";", "\t"))
_written("bom", lambda text: b"\xef\xbb\xbf" + text.encode())
_written("utf16_le", lambda text: b"\xff\xfe" + text.encode("utf-16-le"), "--encoding", "utf-16")
_written("utf16_be", lambda text: b"\xfe\xff" + text.encode("utf-16-be"), "--encoding", "utf-16")
_written("latin1", lambda text: _with_note(text, lambda _n: "één").encode("latin-1"), "--encoding", "latin-1")
_written("windows1252", lambda text: _with_note(text, lambda _n: "€ ‘x’").encode("cp1252"), "--encoding", "cp1252")
_written("crlf", lambda text: text.replace("\n", "\r\n"))
_written("mixed_line_ends", lambda text: _lines(text, lambda number, line: line + ("\r" if number % 2 else "")))
_written("no_last_line_end", lambda text: text.removesuffix("\n"))
_written("empty_lines", lambda text: text.replace("\n", "\n\n"))
_written("empty_crlf_lines", lambda text: text.replace("\n", "\r\n\r\n"))
_written("empty_lines_at_the_end", lambda text: text + "\n" * 50)
_written("all_quoted", lambda text: _lines(text, lambda _n, line: _quoted(line)))
_written("a_delimiter_in_quotes", lambda text: _with_note(text, lambda _n: f'"{CANARY}; en; meer"'))
_written("a_line_break_in_quotes", lambda text: _with_note(text, lambda _n: f'"{CANARY}\n\nen ""meer"""'))
_written("delimiters_at_the_end", lambda text: _lines(text, lambda _n, line: line + ";;"))
_written("spaces_around", lambda text: _lines(text, lambda _n, line: ";".join(f"  {c} " for c in line.split(";"))))
_written("hard_spaces", lambda text: _lines(text, lambda n, line: line if n == 0 else line.replace(";", "\u00a0;")))
_written("upper_case_names", lambda text: _lines(text, lambda n, line: line.upper() if n == 0 else line))
_written("names_in_quotes", lambda text: _lines(text, lambda n, line: line if n else _quoted(line)))
_written("lower_case_waves", lambda text: text.replace(";T", ";t"))
_written("other_columns", lambda text: _with_note(text, lambda number: f"{CANARY} {number}"))
_written("dates_beside", lambda text: _with_note(text, lambda number: f"{1 + number % 28}-02-2021"))
_written("two_columns_of_one_name_beside", lambda text: _with_note(_with_note(text, str), str))
_written("ten_thousand_columns", lambda text: _lines(text, lambda n, line: line + _more("" if n else "x")))
_written("a_cell_of_a_megabyte", lambda text: _with_note(text, lambda number: "x" * (1 << 20) if number == 3 else ""))
_written("formulas_beside", lambda text: _with_note(text, lambda _n: "=cmd|' /C calc'!A0"))
_written("tsv_by_name", lambda text: text.replace(";", "\t"), "--delimiter", "tab")
_refused("utf16_unsaid", lambda text: b"\xff\xfe" + text.encode("utf-16-le"), "not_utf8")
_refused("latin1_unsaid", lambda text: _with_note(text, lambda _n: "één").encode("latin-1"), "not_utf8")
_refused("another_encoding_said", lambda text: text.encode() + b"\n" * (1 - len(text.encode()) % 2), "encoding_differs",
         "--encoding", "utf-16")  # fmt: skip
_refused("an_open_quote", lambda text: text.replace(CANARY, f'"{CANARY}', 1), "quotes")
_refused("a_name_twice", lambda text: text.replace("severe", "incidents", 1), "twice")
_refused("no_names", lambda text: text.split("\n", 1)[1], "no_column")
_refused("no_household_column", lambda text: text.replace("hh_id", "nummer", 1), "no_column")
_refused("no_wave_column", lambda text: text.replace(";wave", ";meting", 1), "no_column")
_refused("sep_line", lambda text: "sep=;\n" + text, "no_column")
_refused("a_title_above", lambda text: f"Levering {CANARY}\n\n" + text, "no_column")
_refused("old_mac_line_ends", lambda text: text.replace("\n", "\r"), "no_column")
_refused("pipes", lambda text: text.replace(";", "|"), "no_column")
_refused("zero_bytes", lambda _text: b"", "empty")
_refused("white_space_alone", lambda _text: b" \n\r\n\t\n", "empty")
_refused("noughts", lambda _text: bytes(4096), "no_column")
_refused("garbage", lambda _text: bytes(range(256)) * 16, "not_utf8")
_refused("delimiters_at_the_end_of_rows", lambda text: _lines(text, lambda n, line: line + ";" * (n > 0)), "no_rows")
_refused("a_web_page", lambda text: f"<html><table><tr><td>{text}</td></tr></table></html>", "no_column")
_refused("waves_as_numbers", lambda text: text.replace(";T0;", ";0;").replace(";T1;", ";1;"), "no_rows")
_refused("the_other_delimiter_said", str, "no_column", "--delimiter", "comma")

# ---- how values are written
_spelled("decimal_commas", "change", lambda cell: cell.replace(".", ","))
_spelled("whole_numbers_as_floats", "incidents", lambda cell: f"{cell}.0")
_spelled("whole_numbers_as_float_commas", "incidents", lambda cell: f"{cell},00")
_spelled("plus_signs", "incidents", lambda cell: f"+{cell}")
_spelled("powers_of_ten", "incidents", lambda cell: f"{cell}E0")
_spelled("leading_noughts", "incidents", lambda cell: cell.zfill(6))
_spelled("codes_as_floats", "profile", lambda cell: f"{cell}.0")
_spelled("ages_as_floats", "incidents", lambda cell: f"{cell}.000000")
_gone("words_for_numbers", "incidents", lambda _cell: CANARY, "unreadable")
_gone("thousands_points", "incidents", lambda _cell: "1.234", "unreadable")
_gone("thousands_commas", "incidents", lambda _cell: "12,345", "unreadable")
_gone("units_with_numbers", "incidents", lambda cell: f"{cell} x", "unreadable")
_gone("euros", "incidents", lambda cell: f"€ {cell}", "unreadable")
_gone("spss_dots", "incidents", lambda _cell: ".", "unreadable")
_gone("not_available", "incidents", lambda _cell: "#N/A", "unreadable")
_gone("long_minus", "change", lambda cell: "\u2212" + cell.lstrip("-"), "unreadable")
_gone("infinity", "incidents", lambda _cell: "inf", "unreadable")
_gone("not_a_number", "incidents", lambda _cell: "NaN", "missing")
_gone("the_codebooks_missing_code", "incidents", lambda _cell: "999", "missing")
_gone("the_missing_code_as_float", "incidents", lambda _cell: "999,0", "missing")
_gone("a_missing_category", "profile", lambda _cell: "9", "missing")
_gone("other_codes", "severe", lambda _cell: CANARY, "unknown_code")
_gone("capitals_in_codes", "severe", str.upper, "unknown_code")
_gone("labels_for_codes", "help", lambda _cell: "geen", "unknown_code")
_gone("a_number_of_a_thousand_signs", "incidents", lambda _cell: "9" * 5000, "unreadable")


@case
def values_below_and_above_the_bounds(mess: Mess) -> Right:
    high = {"0": "-3", "825": "826"}
    mess.csv(mess.changed("incidents", lambda cell: high.get(cell, cell)))
    return Right(mess.rows, told=("clamped",))


@case
def system_missing_beside_missing_codes(mess: Mess) -> Right:
    drop = mess.rng.choice(["7", "8"])
    found = mess.changed("incidents", lambda cell: mess.rng.choice(["999", "999.0", " "]) if cell == drop else cell)
    mess.csv(found)
    return Right(mess.changed("incidents", lambda cell: "" if cell == drop else cell))


# ---- rows
@case
def rows_in_any_order(mess: Mess) -> Right:
    shuffled = {table: mess.rng.shuffled(found) for table, found in mess.rows.items()}
    mess.csv(shuffled)
    return Right(mess.rows)


@case
def rows_twice(mess: Mess) -> Right:
    mess.csv({table: [*found, *found] for table, found in mess.rows.items()})
    return Right(mess.rows, told=("duplicate_row",))


@case
def rows_that_contradict_each_other(mess: Mess) -> Right:
    mess.csv({**mess.rows, "household": [*mess.rows["household"], (f"{CANARY}-99", "T0", "11", "no", "1", "", "0.5")]})
    return Right(mess.changed("incidents", lambda cell: "" if cell == "7" else cell), told=("conflict",))


@case
def rows_without_a_household(mess: Mess) -> Right:
    mess.csv({**mess.rows, "household": [*mess.rows["household"], ("", "T0", "5", "no", "1", "", "")]})
    return Right(mess.rows, told=("no_household_id",))


@case
def rows_of_an_unknown_wave(mess: Mess) -> Right:
    mess.csv({**mess.rows, "household": [*mess.rows["household"], (f"{CANARY}-98", "T9", "5", "no", "1", "", "")]})
    return Right(mess.rows, told=("unknown_wave",))


@case
def rows_of_other_lengths(mess: Mess) -> Right:
    mess.csv(mess.only("household"))
    path = mess.folder / "household.csv"
    path.write_text(path.read_text("utf-8") + f"{CANARY};T0\n{CANARY};T0;1;2;3;4;5;6;7;8\n", encoding="utf-8")
    return Right(mess.only("household"), told=("ragged_row",))


@case
def children_without_a_number(mess: Mess) -> Right:
    mess.csv({**mess.rows, "child": [*mess.rows["child"], (f"{CANARY}-99", "", "T0", "5")]})
    return Right(mess.rows, told=("no_person_id",))


@case
def children_over_the_cap(mess: Mess) -> Right:
    more = [(f"{CANARY}-99", f"k{number}", "T0", "11") for number in range(2, 9)]
    mess.csv({**mess.rows, "child": [*reversed(more), *mess.rows["child"]]})
    return Right({**mess.rows, "child": [*mess.rows["child"], *more[:2]]}, told=("over_cap",))


@case
def children_of_unknown_households(mess: Mess) -> Right:
    mess.csv({**mess.rows, "child": [*mess.rows["child"], (f"{CANARY}-97", "k1", "T0", "5")]})
    return Right({**mess.rows, "child": [*mess.rows["child"], (f"{CANARY}-97", "k1", "T0", "5")]},
                 told=("household_without_row",))  # fmt: skip


@case
def a_persons_file_without_rows(mess: Mess) -> Right:
    mess.csv({**mess.rows, "child": []})
    return Right(mess.only("household"))


@case
def no_file_of_households(mess: Mess) -> Refused:
    mess.csv(mess.only("child"))
    return Refused("no_household")


@case
def two_files_of_households(mess: Mess) -> Refused:
    mess.csv()
    mess.write(mess.text(), "Household.txt")
    return Refused("two_files")


@case
def ids_that_spreadsheets_would_run(mess: Mess) -> Right:
    found = {table: [(f"={row[0]}", *row[1:]) for row in rows] for table, rows in mess.rows.items()}
    mess.csv(found)
    return Right(found)


@case
def an_id_of_a_megabyte(mess: Mess) -> Right:
    longer = [(CANARY * 100_000, "T0", "7", "no", "1", "", "0.5")]
    mess.csv({**mess.rows, "household": [*longer, *mess.rows["household"]]})
    return Right({**mess.rows, "household": [*longer, *mess.rows["household"]]})


# ---- mappings
@case
def waves_as_numbers_with_a_mapping(mess: Mess) -> Right:
    mess.write(mess.text().replace(";T0;", ";0;").replace(";T1;", ";1.0;").replace(".5", ",5"))
    mess.write(MAPPING, "mapping.yaml")
    return Right(mess.only("household"))


@case
def the_other_decimal_sign_than_the_mapping_says(mess: Mess) -> Right:
    mess.write("\n".join([";".join(COLUMNS["household"]), f"{CANARY};T0;7.0;no;1;;2.5"]) + "\n")
    mess.write(MAPPING, "mapping.yaml")
    return Right({"household": [(CANARY, "T0", "", "no", "1", "", "")]}, told=("unreadable",))


@case
def a_mapping_with_tabs(mess: Mess) -> Refused:
    mess.csv()
    mess.write(MAPPING.replace("    file", "\tfile"), "mapping.yaml")
    return Refused("mapping")


@case
def a_mapping_for_another_codebook(mess: Mess) -> Refused:
    mess.csv()
    mess.write(MAPPING.replace("small@1", "large@1"), "mapping.yaml")
    return Refused("mapping")


@case
def a_mapping_that_names_an_absent_file(mess: Mess) -> Refused:
    mess.csv()
    mess.write(MAPPING.replace("household.csv", "gezinnen.csv"), "mapping.yaml")
    return Refused("no_file")


@case
def a_mapping_that_names_an_absent_column(mess: Mess) -> Refused:
    mess.csv()
    mess.write(MAPPING.replace("others: <name>", "columns: {incidents: INCID}"), "mapping.yaml")
    return Refused("no_column")


@case
def two_mappings(mess: Mess) -> Refused:
    mess.csv()
    mess.write(MAPPING, "mapping.yaml")
    mess.write(MAPPING, "mapping.yml")
    return Refused("two_mappings")
