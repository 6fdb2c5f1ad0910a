"""`rondgang consortium`: the offline authority's verbs. Printing, files, clock and exit codes stand here only."""

from __future__ import annotations

import datetime as dt
import json
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from pydantic import ValidationError
from rondgang.canonical import Json
from rondgang.errors import ContractError
from rondgang.keys import PublicKey

from compose.consortium.authority import found
from compose.consortium.documents import kind_of, reference, sign_roster, sign_study
from compose.consortium.enrolment import Enrolled, Terms, enrol
from compose.consortium.home import BadHome, Home, write
from compose.consortium.register import Refusal
from policies.documents import BadDocument, load_yaml
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook
from policies.study.enrolment import EnrolmentRequest
from policies.study.history import changes
from policies.study.roster import Member

REFUSED, BAD_INPUT = 1, 2

app = typer.Typer(
    help="The offline authority of a federation: certificates, roster, calendar, codebook. Keep its folder off the "
    "coordinator's machine.\n\nExample: rondgang consortium init --home consortium",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

HomeOption = Annotated[
    Path, typer.Option("--home", envvar="RONDGANG_HOME", help="The consortium's folder.", file_okay=False)
]
OutOption = Annotated[Path, typer.Option("--out", help="File to write; replaced if it is there.", dir_okay=False)]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")]
FileArgument = Annotated[Path, typer.Argument(help="The YAML file.", exists=True, dir_okay=False)]


@app.command()
def init(
    home: HomeOption,
    name: Annotated[str, typer.Option(help="What the consortium is called.", min=1)] = "Rondgang consortium",
    as_json: JsonOption = False,
) -> None:
    """Makes the authority's keys in a new folder; overwrites nothing.

    Example: rondgang consortium init --home consortium
    """
    with _faults(as_json):
        authority = found(secrets.token_bytes(32), name, _now())
        if home.exists() and (not home.is_dir() or any(home.iterdir())):
            _refuse(
                Refusal("exists", f"{home} is there already. Keys are never overwritten; choose a new folder."), as_json
            )
        made = Home.create(home, authority)
    public = authority.signing.public
    _say(
        as_json,
        {
            "home": str(made.folder),
            "ca": str(made.folder / "certs" / "ca.pem"),
            "public_key": public.hex,
            "fingerprint": public.fingerprint,
        },
        f"The consortium's folder is {made.folder}.",
        "Everyone pins these two files: certs/ca.pem and consortium.pub.",
        f"Fingerprint of the document key, to compare by telephone: {public.fingerprint}",
    )


@app.command()
def sign(
    request: Annotated[Path, typer.Argument(help="The applicant's enrolment request.", exists=True, dir_okay=False)],
    out: OutOption,
    home: HomeOption,
    days: Annotated[int, typer.Option(help="Days that the certificate is valid.", min=1, max=7305)] = 825,
    host: Annotated[
        list[str] | None, typer.Option(help="Host name or IP address of a coordinator; repeatable.")
    ] = None,
    renew: Annotated[bool, typer.Option("--renew", help="Extend a certificate that is in force.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Issues a certificate for an enrolment request and enters the party in the register.

    Compare the fingerprints it prints with the applicant by telephone before you hand the certificate out.

    Example: rondgang consortium sign FR.request.json --out FR.pem --home consortium
    """
    with _faults(as_json):
        _check_folder(out)
        asked = EnrolmentRequest.read(request.read_bytes())
        place = Home(home)
        with place.locked():
            terms = Terms(_now(), days, tuple(host or ()), renew)
            outcome = enrol(place.authority(), place.register(), place.calendar(), asked, terms)
            if isinstance(outcome, Refusal):
                _refuse(outcome, as_json)
            # The register first: a certificate that is not in it would be valid, and unknown to `revoke`.
            place.keep(outcome.register)
            kept = place.keep_certificate(outcome.certificate, f"{outcome.member.tls[:16]}-{outcome.member.valid_from}")
        write(out, outcome.certificate)
    _say_enrolled(outcome, out, kept, as_json)


@app.command()
def revoke(
    who: Annotated[str, typer.Argument(help="Region code, whole name, or first digits of the TLS fingerprint.")],
    home: HomeOption,
    as_json: JsonOption = False,
) -> None:
    """Marks a party's certificates as revoked. It takes effect where the next roster is adopted.

    Example: rondgang consortium revoke FR --home consortium
    """
    with _faults(as_json):
        place = Home(home)
        with place.locked():
            outcome = place.register().revoke(who)
            if isinstance(outcome, Refusal):
                _refuse(outcome, as_json)
            register, marked = outcome
            place.keep(register)
    told = [f"Revoked: {_line(member)}" for member in marked]
    _say(
        as_json,
        {"revoked": [_facts(one) for one in marked]},
        *told,
        "Now sign and send a roster: rondgang consortium roster",
    )


@app.command()
def members(home: HomeOption, as_json: JsonOption = False) -> None:
    """Lists the register.

    Example: rondgang consortium members --home consortium
    """
    with _faults(as_json):
        register = Home(home).register()
    facts: list[Json] = [_facts(member) for member in register.members]
    _say(as_json, {"serial": register.serial, "members": facts}, *(_line(member) for member in register.members))


@app.command()
def roster(out: OutOption, home: HomeOption, as_json: JsonOption = False) -> None:
    """Signs the next roster; every call takes the next serial.

    Example: rondgang consortium roster --out roster.json --home consortium
    """
    with _faults(as_json):
        _check_folder(out)
        place = Home(home)
        with place.locked():
            register, made = place.register().roster(_now())
            signed = sign_roster(made, place.authority().signing)
            # The serial is spent before the roster exists: two rosters never share one, whatever fails in between.
            place.keep(register)
        write(out, signed.to_bytes())
    facts: dict[str, Json] = {
        "serial": made.serial,
        "members": len(made.members),
        "hash": signed.digest,
        "out": str(out),
    }
    _say(as_json, facts, f"Roster {made.serial} with {len(made.members)} members: {out}", f"Hash: {signed.digest}")


@app.command()
def calendar(
    file: FileArgument,
    out: OutOption,
    home: HomeOption,
    rewrite: Annotated[
        bool, typer.Option("--rewrite", help="Sign even where it alters what has happened already.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Signs the rotation calendar and says what it changes. Regions can enrol once a calendar lists them.

    Plans may change. What has happened may not (a region's group, whom a cohort recruited and when, what a closed
    region had spent): such a calendar is refused, unless it corrects a mistake and you say --rewrite.

    Example: rondgang consortium calendar rotation.yaml --out calendar.json --home consortium
    """
    with _faults(as_json):
        held = Home(home).calendar()
        found = () if held is None else changes(held, load_yaml(Calendar, file), _now())
        if not rewrite and (history := [f"{one.subject} {one.what}." for one in found if one.rewrites]):
            advice = "Give regions and cohorts back what they had, or sign with --rewrite if that was a mistake."
            _stop(as_json, REFUSED, "rewrites_history", "It alters what has happened already:", *history, advice)
    told: list[Json] = [{"subject": one.subject, "what": one.what, "rewrites": one.rewrites} for one in found]
    lines = [f"{one.subject} {one.what}.{' ALTERS HISTORY' if one.rewrites else ''}" for one in found]
    _sign_study(Calendar, file, out, home, as_json, {"changes": told}, lines)


@app.command()
def codebook(file: FileArgument, out: OutOption, home: HomeOption, as_json: JsonOption = False) -> None:
    """Signs a codebook. A version that was signed never changes its content.

    A draft from the study's own DDI documentation: rondgang node codebook studie.xml --out codebook.yaml

    Example: rondgang consortium codebook cohort3.codebook.yaml --out cohort3@1.json --home consortium
    """
    _sign_study(Codebook, file, out, home, as_json)


def _sign_study(
    model: type[Calendar] | type[Codebook],
    file: Path,
    out: Path,
    home: Path,
    as_json: bool,
    more: dict[str, Json] | None = None,
    lines: Sequence[str] = (),
) -> None:
    """`more` facts for programs, and `lines` for people, about what is signed."""
    with _faults(as_json):
        _check_folder(out)
        document: Calendar | Codebook = load_yaml(model, file)
        place = Home(home)
        with place.locked():
            outcome = sign_study(document, place.signed(document), place.authority().signing)
            if isinstance(outcome, Refusal):
                _refuse(outcome, as_json)
            place.keep_signed(document, outcome)
        write(out, outcome.to_bytes())
    kind, name = kind_of(document), reference(document)
    facts: dict[str, Json] = {"kind": kind, "name": name, "hash": outcome.digest, "out": str(out), **(more or {})}
    _say(as_json, facts, f"Signed {kind} {name}: {out}", f"Hash: {outcome.digest}", *lines)


def _say_enrolled(outcome: Enrolled, out: Path, kept: Path, as_json: bool) -> None:
    member = outcome.member
    prints = {purpose: PublicKey.from_hex(key).fingerprint for purpose, key in sorted(member.keys.items())}
    facts = _facts(member)
    facts |= {
        "out": str(out),
        "kept": str(kept),
        "fingerprints": {str(purpose): text for purpose, text in prints.items()},
    }
    _say(
        as_json,
        facts,
        f"Certificate for {_line(member)}: {out}",
        f"Fingerprint of the TLS key: {member.tls}",
        *(f"Fingerprint of the {purpose} key: {text}" for purpose, text in prints.items()),
        "Compare these with the applicant by telephone. Then sign a new roster: rondgang consortium roster",
    )


def _line(member: Member) -> str:
    last = dt.datetime.fromtimestamp(member.valid_to, dt.UTC).date().isoformat()
    where = f" {member.region}" if member.region else ""
    state = "revoked" if member.revoked else f"until {last}"
    return f"{member.role}{where} {member.name!r} ({state}, TLS {member.tls[:16]})"


def _facts(member: Member) -> dict[str, Json]:
    return {
        "role": str(member.role),
        "region": member.region,
        "name": member.name,
        "tls": member.tls,
        "valid_from": member.valid_from,
        "valid_to": member.valid_to,
        "revoked": member.revoked,
    }


@contextmanager
def _faults(as_json: bool) -> Iterator[None]:
    """Bad input ends with exit code 2 and sentences; anything else is a fault of ours and shows its trace."""
    try:
        yield
    except BadDocument as error:
        _stop(as_json, BAD_INPUT, "bad_document", *error.places)
    except (BadHome, ContractError) as error:
        _stop(as_json, BAD_INPUT, "bad_input", str(error))
    except ValidationError as error:
        _stop(as_json, BAD_INPUT, "bad_input", *(problem["msg"] for problem in error.errors(include_input=False)))
    except OSError as error:
        _stop(as_json, BAD_INPUT, "file", f"{error.filename}: {error.strerror}")


def _refuse(refusal: Refusal, as_json: bool) -> NoReturn:
    _stop(as_json, REFUSED, refusal.reason, refusal.sentence)


def _stop(as_json: bool, code: int, reason: str, *sentences: str) -> NoReturn:
    if as_json:
        typer.echo(json.dumps({"refused" if code == REFUSED else "error": reason, "sentences": list(sentences)}))
    else:
        for sentence in sentences:
            typer.echo(sentence, err=True)
    raise typer.Exit(code)


def _say(as_json: bool, facts: dict[str, Json], *lines: str) -> None:
    if as_json:
        typer.echo(json.dumps(facts))
    else:
        for line in lines:
            typer.echo(line)


def _check_folder(out: Path) -> None:
    """Before anything is signed, so that a misspelt folder does not cost a serial or leave a party half enrolled."""
    if not out.parent.is_dir():
        raise BadHome(f"{out.parent} is no folder. Make it first, or give --out another place.")


def _now() -> int:
    return int(time.time())
