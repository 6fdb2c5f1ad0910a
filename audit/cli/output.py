"""How the witness's verbs speak: people get lines, programs get one JSON object, and every end has its exit code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from pydantic import ValidationError
from rondgang.canonical import Json
from rondgang.errors import ContractError

from audit.errors import BadHome, BrokenStore
from policies.documents import BadDocument

REFUSED, BAD_INPUT, LATER = 1, 2, 75


@contextmanager
def faults(as_json: bool) -> Iterator[None]:
    """Ends a verb with the exit code of what went wrong, and with what to do next."""
    try:
        yield
    except BadDocument as error:
        stop(as_json, BAD_INPUT, "bad_document", *error.places)
    except (BadHome, BrokenStore, ContractError) as error:
        stop(as_json, BAD_INPUT, "bad_input", str(error))
    except ValidationError as error:
        told = (one["msg"].removeprefix("Value error, ") for one in error.errors(include_input=False))
        stop(as_json, BAD_INPUT, "bad_input", *told)
    except OSError as error:
        stop(as_json, BAD_INPUT, "file", f"{error.filename}: {error.strerror}")


def stop(as_json: bool, code: int, reason: str, *sentences: str) -> NoReturn:
    """Says why and ends the verb."""
    if as_json:
        kind = {REFUSED: "refused", LATER: "later"}.get(code, "error")
        typer.echo(json.dumps({kind: reason, "sentences": list(sentences)}, ensure_ascii=False))
    else:
        for sentence in sentences:
            typer.echo(sentence, err=True)
    raise typer.Exit(code)


def say(as_json: bool, facts: dict[str, Json], *lines: str) -> None:
    """One JSON object, or lines for people."""
    if as_json:
        typer.echo(json.dumps(facts, ensure_ascii=False))
    else:
        for line in lines:
            typer.echo(line)
