"""Verbs that make a folder an independent witness of a federation: init, enrol, adopt."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from audit.cli.options import HomeOption, JsonOption

# Each verb loads what it needs when it runs: `rondgang --help` waits for none of it.
if TYPE_CHECKING:
    from rondgang.canonical import Json
    from rondgang.keys import PublicKey

    from audit.home import Home
    from audit.study import Kept


def init(
    name: Annotated[str, typer.Option(help="What the witness is called in the roster.")],
    consortium_key: Annotated[str, typer.Option(help="The consortium's file consortium.pub, or its 64 digits.")],
    listen: Annotated[
        str, typer.Option(help="Where the witness listens, host:port; port 0 is any free one.")
    ] = "0.0.0.0:443",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Makes keys and a request for the consortium in a new folder; overwrites nothing.

    Example: rondgang audit init --name "Court of Audit" --listen 0.0.0.0:443 --consortium-key consortium.pub
    --home witness
    """
    import secrets

    from audit.cli.output import faults, say
    from audit.home import Home, WitnessConfig

    with faults(as_json):
        config = WitnessConfig(role="witness", name=name, listen=listen)
        pinned = _pinned(consortium_key)
        made = Home.create(Home.find(home).folder, config, pinned, secrets.token_bytes(32))
        key = made.signing_key().public
    say(
        as_json,
        {
            "home": str(made.folder),
            "request": str(made.request),
            "signing_fingerprint": key.fingerprint,
            "consortium_fingerprint": pinned.fingerprint,
        },
        f"The witness's folder is {made.folder}.",
        f"Send {made.request} to the consortium, with the host names under which nodes reach you, and compare by "
        "telephone:",
        f"  our signing key     {key.fingerprint}",
        f"  the consortium key  {pinned.fingerprint}",
        "Then take in what comes back: rondgang audit enrol CERT --ca FILE --roster FILE",
    )


def enrol(
    certificate: Annotated[Path, typer.Argument(help="Our certificate.", exists=True, dir_okay=False)],
    ca: Annotated[Path, typer.Option(help="The root certificate, ca.pem.", exists=True, dir_okay=False)],
    roster: Annotated[Path | None, typer.Option(help="The signed roster.", exists=True, dir_okay=False)] = None,
    calendar: Annotated[
        Path | None, typer.Option(help="The signed calendar; a witness can do without.", exists=True, dir_okay=False)
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Takes in our certificate and the roster that the consortium signed.

    Example: rondgang audit enrol witness.pem --ca ca.pem --roster roster.json --home witness
    """
    import time

    from audit.cli.output import REFUSED, faults, say, stop
    from policies.study.certified import check_certificate, unfit_roster
    from policies.study.enrolment import EnrolmentRequest
    from policies.study.roster import Roster

    with faults(as_json):
        place = _existing(home)
        request = EnrolmentRequest.read(place.request.read_bytes())
        own, root = certificate.read_bytes(), ca.read_bytes()
        refused = check_certificate(own, root, request, int(time.time()))
        if refused is not None:
            stop(as_json, REFUSED, refused.reason.value, refused.sentence)
        place.keep_certificates(own, root)
        kept = [_adopt(place, path, as_json) for path in (roster, calendar) if path is not None]
        for _, taken in kept:
            unfit = unfit_roster(taken.document, own, int(time.time())) if isinstance(taken.document, Roster) else None
            if unfit is not None:
                typer.echo(unfit.sentence, err=True)
    say(as_json, {"home": str(place.folder), "adopted": _facts(kept)}, "Our certificate is in place.", *_lines(kept))


def adopt(
    files: Annotated[list[Path], typer.Argument(help="Signed documents.", exists=True, dir_okay=False)],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Takes over a newer roster, or a calendar. A running witness works by it at once.

    Example: rondgang audit adopt roster.json --home witness
    """
    from audit.cli.output import faults, say

    with faults(as_json):
        place = _existing(home)
        kept = [_adopt(place, path, as_json) for path in files]
    say(as_json, {"home": str(place.folder), "adopted": _facts(kept)}, *_lines(kept))


def _pinned(given: str) -> PublicKey:
    from audit.home import pinned_key

    path = Path(given)
    return pinned_key(path.read_text(encoding="ascii", errors="replace") if path.is_file() else given)


def _existing(home: Path | None) -> Home:
    from audit.errors import BadHome
    from audit.home import Home

    place = Home.find(home)
    if not place.request.is_file():
        raise BadHome(f"{place.folder} was not made by `rondgang audit init`. Do that first.")
    return place


def _adopt(place: Home, path: Path, as_json: bool) -> Kept:
    from audit.cli.output import REFUSED, stop
    from audit.study import adopt_file
    from policies.study.adoption import NotAdopted

    kept = adopt_file(place, path.read_bytes())
    if isinstance(kept, NotAdopted):
        stop(as_json, REFUSED, "not_adopted", f"{path}: {kept.sentence}")
    return kept


def _facts(kept: list[Kept]) -> list[Json]:
    return [{"kind": kind, "hash": taken.digest} for kind, taken in kept]


def _lines(kept: list[Kept]) -> list[str]:
    return [f"Adopted the {kind} {taken.digest}." for kind, taken in kept]
