"""Whether everything that a user installs may be used as freely as this project: the licences of the runtime locks.

    python -m compose.ci.licences      every lock in requirements/ but the developers' own

Each locked distribution is looked up where it is installed, so nothing is fetched. Its licence is read from the SPDX
expression of its metadata (PEP 639), else from its classifiers, else from the old licence field. One that is neither
permissive nor on the list of exceptions, or says nothing that can be read, ends the check with 1.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parents[2] / "requirements"
OURS_ALONE = frozenset({"dev"})
"""Locks of what never leaves a developer's machine."""

PERMISSIVE = frozenset(
    {
        "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "ISC", "MIT", "MIT-0", "PSF-2.0",
        "Python-2.0", "Unlicense", "Zlib",
    }
)  # fmt: skip
"""SPDX identifiers that ask for no more than a notice."""

EXCEPTIONS: Mapping[str, str] = {
    "psycopg": "LGPL-3.0-only: used unmodified through its public interface, as a package of its own that anyone may "
    "replace; only a desk on PostgreSQL and an import from one load it",
    "psycopg-binary": "LGPL-3.0-only: as psycopg",
    "pathspec": "MPL-2.0, file by file: unmodified, and used by the build backend alone",
}
"""Distributions that are not permissive, and why they may be used."""

_CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
_FIELDS = {"3-Clause BSD License": "BSD-3-Clause", "Apache 2.0": "Apache-2.0", "BSD": "BSD-3-Clause", "PSFL": "PSF-2.0"}
_ENTRY = re.compile(r"^([a-z0-9][a-z0-9.-]*)==\S+( *;)?", re.MULTILINE)
_WORD = re.compile(r"\(|\)|[A-Za-z0-9.+-]+")


def locked(texts: Iterable[str]) -> dict[str, bool]:
    """The distributions of some locks, and whether each is for certain machines only."""
    return {match[1]: match[2] is not None for text in texts for match in _ENTRY.finditer(text)}


def permissive(expression: str) -> bool:
    """Whether an SPDX expression can be met with permissive licences alone. With OR one side is enough.

    An exception (WITH) only ever allows more. Raises ValueError for what is no expression.
    """
    words = _WORD.findall(expression)
    if not words or "".join(words) != re.sub(r"\s+", "", expression):
        raise ValueError(f"not an SPDX expression: {expression!r}")
    met, rest = _either(words)
    if rest:
        raise ValueError(f"not an SPDX expression: {expression!r}")
    return met


def _either(words: list[str]) -> tuple[bool, list[str]]:
    met, words = _both(words)
    while words[:1] == ["OR"]:
        more, words = _both(words[1:])
        met = met or more
    return met, words


def _both(words: list[str]) -> tuple[bool, list[str]]:
    met, words = _one(words)
    while words[:1] == ["AND"]:
        more, words = _one(words[1:])
        met = met and more
    return met, words


def _one(words: list[str]) -> tuple[bool, list[str]]:
    if not words or words[0] in (")", "AND", "OR", "WITH"):
        raise ValueError("not an SPDX expression")
    if words[0] == "(":
        met, words = _either(words[1:])
        if words[:1] != [")"]:
            raise ValueError("not an SPDX expression: a bracket is open")
        return met, words[1:]
    met, words = words[0] in PERMISSIVE, words[1:]
    return (met, words[2:]) if words[:1] == ["WITH"] else (met, words)


def licence_of(name: str) -> str:
    """The SPDX expression of an installed distribution; empty where its metadata say nothing that can be read.

    Raises PackageNotFoundError where it is not installed.
    """
    told = metadata(name)
    if "License-Expression" in told:
        return str(told["License-Expression"])
    classified = [line for line in told.get_all("Classifier") or () if line.startswith("License ::")]
    if found := [_CLASSIFIERS.get(line.rpartition(" :: ")[2], "") for line in classified]:
        return " AND ".join(found) if all(found) else ""
    field = str((told.get_all("License") or ("",))[0]).strip()
    return _FIELDS.get(field, field if field in PERMISSIVE else "")


def problem(name: str, elsewhere: bool) -> str | None:
    """What is wrong with a distribution, in a sentence; None where nothing is, or it is not for this machine."""
    try:
        expression = licence_of(name)
    except PackageNotFoundError:
        return None if elsewhere else f"{name} is locked and not installed here. Set up .venv anew: make check"
    if name in EXCEPTIONS:
        return None
    try:
        met = permissive(expression)
    except ValueError:
        return f"{name} does not say its licence in words that are known here. Look it up, and add them."
    return None if met else f"{name} is under {expression}. Use another part, or say in EXCEPTIONS why it may stay."


def main() -> int:
    """Tells of every distribution that may not stay. 0 where there is none."""
    texts = [path.read_text(encoding="utf-8") for path in REQUIREMENTS.glob("*.lock") if path.stem not in OURS_ALONE]
    names = locked(texts)
    problems = [said for name in sorted(names) if (said := problem(name, names[name])) is not None]
    problems += [
        f"{name} is an exception that no lock needs any more." for name in sorted(set(EXCEPTIONS) - set(names))
    ]
    for said in problems:
        print(said)
    print(f"{len(names)} distributions, {len(EXCEPTIONS)} exceptions, {len(problems)} problems")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
