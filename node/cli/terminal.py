"""What all verbs of a node share: language, JSON, exit codes. Printing happens here and in the verbs, nowhere below."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:  # the verbs load what they need themselves: a command line starts in a blink
    from pydantic import BaseModel

    from node.errors import BadHome
    from node.home import Home
    from policies.study.text import Language

REFUSED, BAD_INPUT, LATER = 1, 2, 75


class Lang(StrEnum):
    """The languages of `--lang`."""

    nl = "nl"
    en = "en"


HomeOption = Annotated[
    Path | None, typer.Option("--home", help="The node's folder; without it $RONDGANG_HOME.", file_okay=False)
]
LangOption = Annotated[Lang | None, typer.Option("--lang", help="nl or en; without it what config.yaml says.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object for programs, never translated.")]


@dataclass(slots=True)
class Terminal:
    """Where one verb speaks: to a person in a language, or to a program in JSON."""

    lang: Language
    as_json: bool

    def say(self, key: str, **fields: str | int) -> None:
        """A sentence of the catalogue, for people only."""
        if not self.as_json:
            print(self.words(key, **fields), flush=True)

    def words(self, key: str, **fields: str | int) -> str:
        from policies.pages.words import say

        return say(key, self.lang, **fields)

    def result(self, result: BaseModel | Mapping[str, object]) -> None:
        """The result, for programs only."""
        if self.as_json:
            told = dict(result) if isinstance(result, Mapping) else result.model_dump(mode="json")
            print(json.dumps(told, ensure_ascii=False, sort_keys=True), flush=True)

    def stop(self, code: int, reason: str, key: str, **fields: str | int) -> NoReturn:
        """Says why it ends, on standard error, and ends with this exit code. `reason` is for programs."""
        sentence = self.words(key, **fields)
        if self.as_json:
            print(json.dumps({"refused": reason, "sentence": sentence}, ensure_ascii=False, sort_keys=True))
        else:
            print(sentence, file=sys.stderr)
        raise typer.Exit(code)


def open_home(home: Path | None, lang: Lang | None, as_json: bool) -> tuple[Home, Terminal]:
    """The home and the terminal in its language. Raises typer.Exit with 2 when there is no such home."""
    from node.errors import BadHome
    from node.home import find_home

    terminal = Terminal("nl" if lang is None else lang.value, as_json)
    try:
        found = find_home(home)
        if lang is None:
            terminal.lang = found.config().lang
    except BadHome as error:
        _bad_home(terminal, error)
    return found, terminal


def _bad_home(terminal: Terminal, error: BadHome) -> NoReturn:
    if error.key is not None:
        terminal.stop(BAD_INPUT, "bad_home", error.key, **error.fields)
    terminal.stop(BAD_INPUT, "bad_home", "node.fault.home", detail=str(error))


@contextmanager
def faults(terminal: Terminal) -> Iterator[None]:
    """Turns the node's faults into a sentence and an exit code."""
    from node import errors
    from node.region import NotReady
    from policies.documents import BadDocument

    try:
        yield
    except errors.BadHome as error:
        _bad_home(terminal, error)
    except BadDocument as error:
        terminal.stop(BAD_INPUT, "bad_document", "node.fault.file", detail=str(error))
    except (errors.HomeBusy, errors.Unreachable):
        terminal.stop(LATER, "busy", "node.fault.busy")
    except errors.BrokenLedger as error:
        terminal.stop(REFUSED, "broken_ledger", "node.fault.ledger", detail=str(error))
    except errors.DiskFault as error:
        terminal.stop(REFUSED, "disk", "node.fault.disk", detail=str(error))
    except errors.BadDelivery as error:
        terminal.stop(REFUSED, "bad_delivery", "node.fault.delivery", detail=str(error))
    except NotReady as error:
        missing = ", ".join(terminal.words(f"node.missing.{kind}") for kind in error.missing)
        terminal.stop(REFUSED, "not_ready", "node.fault.not_ready", missing=missing)
    except errors.NodeError as error:
        terminal.stop(REFUSED, "fault", "node.fault.other", detail=str(error))


def read_file(path: Path) -> bytes:
    """The bytes of a file that a person named. Raises BadDocument."""
    from policies.documents import BadDocument

    try:
        return path.read_bytes()
    except OSError as error:
        raise BadDocument(str(path), (f"{path}: {error.strerror or type(error).__name__}",)) from error
