"""`rondgang node init` and `enrol`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from node.cli.terminal import BAD_INPUT, REFUSED, HomeOption, JsonOption, LangOption, Terminal, faults, open_home


def init(
    region: Annotated[str, typer.Option(help="The region's code in the calendar, such as FR.")],
    coordinator: Annotated[str, typer.Option(help="Where the desk listens, as host:port.")],
    consortium_key: Annotated[str, typer.Option(help="The consortium's public key: 64 hex digits, or their file.")],
    witness: Annotated[
        list[str] | None, typer.Option(help="Where an independent witness listens, as host:port; repeatable.")
    ] = None,
    home: HomeOption = None,
    name: Annotated[str, typer.Option(help="What people call this region.")] = "",
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Makes the node's folder, its keys and an enrolment request; overwrites nothing.

    Example: rondgang node init --home fr --region FR --coordinator desk.example.org:443 --consortium-key consortium.pub
    """
    import os

    from node.enrolling import found, read_key
    from node.home import VARIABLE, parse_config

    terminal = Terminal("nl" if lang is None else lang.value, as_json)
    with faults(terminal):
        folder = home or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
        if folder is None:
            detail = f"--home DIR, {VARIABLE}?"
            terminal.stop(BAD_INPUT, "bad_home", "node.fault.home", detail=detail)
        config = parse_config(region, coordinator, None, terminal.lang, witness or ())
        pinned = read_key(consortium_key)
        made = found(folder, config, pinned, name or f"Veilig Thuis {region}")
    terminal.say("node.init.done", region=region, home=str(made.home.root))
    terminal.say("node.init.request", request=str(made.home.request_file))
    for purpose, fingerprint in made.fingerprints.items():
        terminal.say("node.init.key", purpose=purpose, fingerprint=fingerprint)
    terminal.say("node.init.pinned", fingerprint=pinned.fingerprint)
    terminal.result(
        {
            "home": str(made.home.root),
            "request": str(made.home.request_file),
            "fingerprints": made.fingerprints,
            "consortium": pinned.fingerprint,
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
    """Takes the certificate and the documents that come back from the consortium.

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
    region = found.config().region
    terminal.say("node.enrol.done", region=region, path=str(kept))
    terminal.result({"region": region, "certificate": str(kept), "adopted": [one.model_dump() for one in adopted]})
