"""How the verbs speak: people get lines and tables, programs get one JSON object, and every end has its exit code."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table
from rondgang.errors import ContractError
from sqlalchemy.exc import SQLAlchemyError

from coordinator.errors import (
    BadBackup,
    BadHome,
    CallFailed,
    DeskRefused,
    NotFound,
    NotPermitted,
    StoreTooNew,
    Unreachable,
)
from coordinator.prices import Plain
from policies.documents import BadDocument
from policies.statistics.compile import BadStatistic
from policies.statistics.plan import BadPlan, NoPrivacy

REFUSED, BAD_INPUT, LATER = 1, 2, 75


@contextmanager
def faults(as_json: bool) -> Iterator[None]:
    """Ends a verb with the exit code of what went wrong, and with what to do next."""
    try:
        yield
    except BadDocument as error:
        stop(as_json, BAD_INPUT, "bad_document", *error.places)
    except DeskRefused as error:
        regions: dict[str, Plain] = {
            region: {"reason": why.reason.value, "sentence": why.sentence} for region, why in error.regions.items()
        }
        told = [f"{region}: {why.sentence} ({why.reason.value})" for region, why in error.regions.items()]
        stop(as_json, REFUSED, error.refused.reason.value, error.refused.sentence, *told, facts={"regions": regions})
    except NotPermitted as error:
        stop(as_json, REFUSED, error.reason.value, str(error))
    except (BadPlan, BadStatistic) as error:
        stop(as_json, *_badly_asked(error), str(error))
    except Unreachable as error:
        stop(as_json, LATER, "unreachable", str(error))
    except (BadBackup, BadHome, StoreTooNew, NotFound, ContractError) as error:
        stop(as_json, BAD_INPUT, "bad_input", str(error))
    except CallFailed as error:
        stop(as_json, LATER, "desk_fault", str(error))
    except ValidationError as error:
        stop(as_json, BAD_INPUT, "bad_input", *(_problem(one["msg"]) for one in error.errors(include_input=False)))
    except SQLAlchemyError as error:
        # Its text may quote the database's address with a password in it.
        stop(as_json, LATER, "store", f"The store cannot be used ({type(error).__name__}). Look at `database`.")
    except OSError as error:
        stop(as_json, BAD_INPUT, "file", f"{error.filename}: {error.strerror}")


def _badly_asked(error: BadPlan | BadStatistic) -> tuple[int, str]:
    """Exit code and reason: a price without privacy is refused, all else is to be written otherwise."""
    if isinstance(error, BadPlan):
        return (REFUSED if isinstance(error, NoPrivacy) else BAD_INPUT), "bad_plan"
    return BAD_INPUT, "unknown_variable" if error.unknown_name else "bad_statistic"


def stop(as_json: bool, code: int, reason: str, *sentences: str, facts: dict[str, Plain] | None = None) -> NoReturn:
    """Says why and ends the verb."""
    if as_json:
        kind = {REFUSED: "refused", LATER: "later"}.get(code, "error")
        typer.echo(json.dumps({kind: reason, "sentences": list(sentences), **(facts or {})}, ensure_ascii=False))
    else:
        for sentence in sentences:
            typer.echo(sentence, err=True)
    raise typer.Exit(code)


def say(as_json: bool, facts: dict[str, Plain], *lines: str) -> None:
    """One JSON object, or lines for people."""
    if as_json:
        typer.echo(json.dumps(facts, ensure_ascii=False))
    else:
        for line in lines:
            typer.echo(line)


def told(line: str) -> None:
    """A remark beside the result: on stderr, so that a pipe gets the result alone."""
    typer.echo(line, err=True)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A drawn table on a terminal, plain aligned columns in a pipe."""
    if sys.stdout.isatty():
        drawn = Table(*headings)
        for row in rows:
            drawn.add_row(*row)
        Console().print(drawn)
        return
    widths = [max(len(row[place]) for row in (headings, *rows)) for place in range(len(headings))]
    for row in (headings, *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())


def _problem(message: str) -> str:
    return message.removeprefix("Value error, ")
