"""Verbs that make a folder part of a federation: init, enrol, adopt."""

from __future__ import annotations

import secrets
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rondgang.keys import PublicKey
from rondgang.roles import Role

from coordinator.cli.options import HomeOption, JsonOption
from coordinator.cli.output import REFUSED, faults, say, stop
from coordinator.errors import BadHome
from coordinator.home import CoordinatorConfig, Home, ResearcherConfig, pinned_key
from coordinator.prices import Plain
from coordinator.study import Kept, adopt_file
from policies.rules.refusals import Refused
from policies.study.adoption import NotAdopted
from policies.study.certified import check_certificate, unfit_roster
from policies.study.enrolment import EnrolmentRequest
from policies.study.roster import Roster


class Kind(StrEnum):
    """Whose folder it is."""

    COORDINATOR = "coordinator"
    RESEARCHER = "researcher"


FileOption = Annotated[Path | None, typer.Option(exists=True, dir_okay=False)]


def init(
    name: Annotated[str, typer.Option(help="What the party is called in the roster.")],
    consortium_key: Annotated[str, typer.Option(help="The consortium's file consortium.pub, or its 64 digits.")],
    role: Annotated[Kind, typer.Option(help="coordinator: the desk itself. researcher: who asks.")] = Kind.COORDINATOR,
    listen: Annotated[str, typer.Option(help="Where the desk listens, host:port; port 0 is any free one.")] = "",
    database: Annotated[
        str | None, typer.Option(help="The desk's store, a SQLAlchemy URL; a SQLite file in its folder when left out.")
    ] = None,
    coordinator: Annotated[str, typer.Option(help="The desk that a researcher asks, host:port.")] = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Makes keys and a request for the consortium in a new folder; overwrites nothing.

    Example: rondgang coordinator init --role researcher --name "Research desk" --coordinator desk.example.org:443
    --consortium-key consortium.pub --home researcher
    """
    with faults(as_json):
        config = _config(role, name, listen, coordinator, database)
        place = Home.find(home, Role(role.value))
        pinned = _pinned(consortium_key)
        made = Home.create(place.folder, config, pinned, secrets.token_bytes(32))
        key = made.signing_key().public
    say(
        as_json,
        {
            "home": str(made.folder),
            "request": str(made.request),
            "signing_fingerprint": key.fingerprint,
            "consortium_fingerprint": pinned.fingerprint,
        },
        f"The {role} folder is {made.folder}.",
        f"Send {made.request} to the consortium, and compare by telephone:",
        f"  our signing key     {key.fingerprint}",
        f"  the consortium key  {pinned.fingerprint}",
        "Then take in what comes back: rondgang coordinator enrol CERT --ca FILE --roster FILE --calendar FILE ...",
    )


def enrol(
    certificate: Annotated[Path, typer.Argument(help="Our certificate.", exists=True, dir_okay=False)],
    ca: Annotated[Path, typer.Option(help="The root certificate, ca.pem.", exists=True, dir_okay=False)],
    roster: FileOption = None,
    calendar: FileOption = None,
    codebook: Annotated[list[Path] | None, typer.Option(exists=True, dir_okay=False, help="Repeatable.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Takes in our certificate and the documents that the consortium signed.

    Example: rondgang coordinator enrol researcher.pem --ca ca.pem --roster roster.json --calendar calendar.json
    --codebook codebook.json --home researcher
    """
    with faults(as_json):
        place = _existing(home)
        request = EnrolmentRequest.read(place.request.read_bytes())
        own, root = certificate.read_bytes(), ca.read_bytes()
        refused = check_certificate(own, root, request, int(time.time()))
        if refused is not None:
            stop(as_json, REFUSED, refused.reason.value, refused.sentence)
        place.keep_certificates(own, root)
        given = [path for path in (roster, calendar, *(codebook or ())) if path is not None]
        kept = [_adopt(place, path, as_json) for path in given]
        for _, document in kept:
            if isinstance(document.document, Roster):
                _warn(unfit_roster(document.document, own, int(time.time())))
    say(as_json, {"home": str(place.folder), "adopted": _facts(kept)}, "Our certificate is in place.", *_lines(kept))


def adopt(
    files: Annotated[list[Path], typer.Argument(help="Signed documents.", exists=True, dir_okay=False)],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Takes over a newer roster, calendar or codebook. A running desk works by it at once.

    Example: rondgang coordinator adopt roster.json --home desk
    """
    with faults(as_json):
        place = _existing(home)
        kept = [_adopt(place, path, as_json) for path in files]
    say(as_json, {"home": str(place.folder), "adopted": _facts(kept)}, *_lines(kept))


def _config(
    role: Kind, name: str, listen: str, coordinator: str, database: str | None
) -> CoordinatorConfig | ResearcherConfig:
    if role is Kind.COORDINATOR:
        if coordinator:
            raise BadHome("--coordinator is for a researcher. Say with --listen where the desk listens.")
        return CoordinatorConfig(role="coordinator", name=name, listen=listen or "0.0.0.0:443", database=database)
    if listen or database or not coordinator:
        raise BadHome("A researcher's folder needs --coordinator HOST:PORT, and neither --listen nor --database.")
    return ResearcherConfig(role="researcher", name=name, coordinator=coordinator)


def _pinned(given: str) -> PublicKey:
    path = Path(given)
    return pinned_key(path.read_text(encoding="ascii", errors="replace") if path.is_file() else given)


def _existing(home: Path | None) -> Home:
    place = Home.find(home, Role.COORDINATOR)
    if not place.request.is_file():
        raise BadHome(f"{place.folder} was not made by `rondgang coordinator init`. Do that first.")
    return place


def _adopt(place: Home, path: Path, as_json: bool) -> Kept:
    kept = adopt_file(place, path.read_bytes())
    if isinstance(kept, NotAdopted):
        stop(as_json, REFUSED, "not_adopted", f"{path}: {kept.sentence}")
    return kept


def _warn(refused: Refused | None) -> None:
    if refused is not None:
        typer.echo(refused.sentence, err=True)


def _facts(kept: list[Kept]) -> list[Plain]:
    return [{"kind": kind, "hash": document.digest} for kind, document in kept]


def _lines(kept: list[Kept]) -> list[str]:
    return [f"Adopted the {kind} {document.digest}." for kind, document in kept]
