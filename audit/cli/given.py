"""What a verb that reads evidence is given: files, and the consortium's key; and how it tells what it found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:  # each verb loads what it needs when it runs
    from rondgang.canonical import Json
    from rondgang.keys import PublicKey

    from audit.findings import Finding

MOST_SHOWN = 100
BundlesArgument = Annotated[
    list[Path], typer.Argument(help="Bundles of evidence, of any makers.", metavar="BUNDLE...", dir_okay=False)
]
KeyOption = Annotated[
    str | None,
    typer.Option(
        "--consortium-key", help="The consortium's file consortium.pub, or its 64 digits; got by another way."
    ),
]


def read_files(paths: Sequence[Path]) -> list[tuple[str, bytes]]:
    """The files by the shortest name that tells them apart. Raises OSError."""
    names = [path.name for path in paths]
    shown = names if len(set(names)) == len(names) else [str(path) for path in paths]
    return [(name, path.read_bytes()) for name, path in zip(shown, paths, strict=True)]


def consortium_key(text: str | None) -> PublicKey | None:
    """The key from a file or its digits. Raises BadHome for anything else, and OSError."""
    from audit.home import pinned_key

    if text is None:
        return None
    path = Path(text)
    return pinned_key((path.read_text(encoding="utf-8", errors="replace") if path.is_file() else text).strip())


def findings_facts(findings: Iterable[Finding]) -> list[Json]:
    """Findings for programs."""
    return [
        {
            "code": one.code,
            "severity": one.severity.value,
            "bundle": one.bundle,
            "region": one.region,
            "entry": one.entry,
            "what": one.what,
            "meaning": one.meaning,
            "ask": one.ask,
        }
        for one in findings
    ]


def findings_lines(findings: Sequence[Finding]) -> Iterator[str]:
    """Findings for people, the gravest first."""
    for number, one in enumerate(findings[:MOST_SHOWN], start=1):
        where = " in ".join(part for part in (one.entry, one.bundle) if part)
        yield f"{number}. {one.severity.value.upper()} {one.code}{f': {where}' if where else ''}"
        yield f"   {one.what}"
        yield f"   It means: {one.meaning}"
        if one.ask:
            yield f"   {one.ask}"
    if len(findings) > MOST_SHOWN:
        yield f"... and {len(findings) - MOST_SHOWN:,} more; --json tells all."
