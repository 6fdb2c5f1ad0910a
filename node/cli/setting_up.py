"""`rondgang node init` and `enrol`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from node.cli.terminal import BAD_INPUT, REFUSED, HomeOption, JsonOption, LangOption, Terminal, faults, open_home

if TYPE_CHECKING:
    from rondgang.keys import PublicKey

    from node.enrolling import Founded


def init(
    region: Annotated[str | None, typer.Option(help="The region's code in the calendar, such as FR.")] = None,
    coordinator: Annotated[str | None, typer.Option(help="Where the desk listens, as host:port.")] = None,
    consortium_key: Annotated[
        str | None, typer.Option(help="The consortium's public key: 64 hex digits, or their file.")
    ] = None,
    witness: Annotated[
        list[str] | None, typer.Option(help="Where an independent witness listens, as host:port; repeatable.")
    ] = None,
    home: HomeOption = None,
    name: Annotated[str, typer.Option(help="What people call this region.")] = "",
    ask: Annotated[bool, typer.Option("--ask", help="Ask for everything, as on a terminal without options.")] = False,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Makes the node's folder, its keys and an enrolment request; overwrites nothing. Without options it asks.

    Example: rondgang node init

    Example: rondgang node init --home fr --region FR --coordinator desk.example.org:443 --consortium-key consortium.pub
    """
    from node.cli.asking import Answers, conversation
    from node.enrolling import found, read_key
    from node.home import VARIABLE, parse_config

    terminal = Terminal("nl" if lang is None else lang.value, as_json)
    folder = home or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
    given = Answers(region, coordinator, consortium_key, tuple(witness or ()), folder, name)
    with faults(terminal):
        if ask or (not as_json and not given.whole and sys.stdin.isatty()):
            given = conversation(terminal, given)
        if given.home is None:
            detail = f"--home DIR, {VARIABLE}?"
            terminal.stop(BAD_INPUT, "bad_home", "node.fault.home", detail=detail)
        if given.region is None or given.coordinator is None or given.consortium_key is None:
            terminal.stop(BAD_INPUT, "missing_options", "getin.init.missing")
        config = parse_config(given.region, given.coordinator, None, terminal.lang, given.witnesses)
        pinned = read_key(given.consortium_key)
        made = found(given.home, config, pinned, given.name or f"Veilig Thuis {given.region}")
        letter = _letter(made, terminal)
    _tell(terminal, made, pinned, letter)


def _letter(made: Founded, terminal: Terminal) -> Path:
    """The request to the network's administrator, as a file to send."""
    from node.files import write_private
    from node.perimeter import FILE, firewall_request

    path = made.home.root / FILE
    write_private(path, firewall_request(made.home.config(), terminal.lang).encode("utf-8"))
    return path


def _tell(terminal: Terminal, made: Founded, pinned: PublicKey, letter: Path) -> None:
    terminal.say("node.init.done", region=made.home.config().region, home=str(made.home.root))
    terminal.say("node.init.request", request=str(made.home.request_file))
    for purpose, fingerprint in made.fingerprints.items():
        terminal.say("node.init.key", purpose=purpose, fingerprint=fingerprint)
    terminal.say("node.init.pinned", fingerprint=pinned.fingerprint)
    terminal.say("getin.init.letter", path=str(letter))
    terminal.say("getin.init.next")
    terminal.result(
        {
            "home": str(made.home.root),
            "request": str(made.home.request_file),
            "fingerprints": made.fingerprints,
            "consortium": pinned.fingerprint,
            "firewall": str(letter),
        }
    )


def enrol(
    certificate: Annotated[Path, typer.Argument(help="The certificate from the consortium.", dir_okay=False)],
    ca: Annotated[Path | None, typer.Option(help="The consortium's ca.pem; may be left out to renew.")] = None,
    roster: Annotated[Path | None, typer.Option(help="The signed roster.")] = None,
    calendar: Annotated[Path | None, typer.Option(help="The signed calendar.")] = None,
    codebook: Annotated[list[Path] | None, typer.Option(help="A signed codebook; repeatable.")] = None,
    home: HomeOption = None,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Takes the certificate and the documents that come back from the consortium; also a renewed one, at any time.

    A running node keeps its connection and uses a renewed certificate from the next time it dials.

    Example: rondgang node enrol FR.pem --ca ca.pem --roster roster.json --calendar calendar.json --codebook c.json
    """
    from node.cli.adopting import adopt_files
    from node.enrolling import NotOurs, check_certificate, take_certificate

    found, terminal = open_home(home, lang, as_json)
    with faults(terminal):
        checked = check_certificate(found, certificate, ca or found.certs / "ca.pem")
        if isinstance(checked, NotOurs):
            terminal.stop(REFUSED, checked.key.removeprefix("node.enrol."), checked.key, **checked.fields)
        files = [path for path in (roster, calendar, *(codebook or ())) if path is not None]
        adopted = adopt_files(found, terminal, files)
        kept = take_certificate(found, *checked)
        until = _until(kept)
    region = found.config().region
    terminal.say("node.enrol.done", region=region, path=str(kept))
    terminal.say("getin.enrol.until", date=until)
    told = [one.model_dump() for one in adopted]
    terminal.result({"region": region, "certificate": str(kept), "valid_until": until, "adopted": told})


def _until(path: Path) -> str:
    """The last day of a certificate that was just checked."""
    from cryptography import x509

    return x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc.strftime("%Y-%m-%d")
