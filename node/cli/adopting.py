"""`rondgang node adopt`, `policy adopt` and `policy show`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from node.cli.terminal import REFUSED, HomeOption, JsonOption, LangOption, Terminal, faults, open_home, read_file

if TYPE_CHECKING:
    from node.home import Home
    from node.operations import Declined, Done

policy = typer.Typer(help="What may be asked of this region, and what it may cost.", no_args_is_help=True)


def adopt(
    files: Annotated[list[Path], typer.Argument(help="Signed rosters, calendars and codebooks.")],
    home: HomeOption = None,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Puts documents into force that the consortium signed; the ledger notes their hashes.

    Example: rondgang node adopt roster.json
    """
    found, terminal = open_home(home, lang, as_json)
    with faults(terminal):
        adopted = adopt_files(found, terminal, files)
    terminal.result({"adopted": [one.model_dump() for one in adopted]})


@policy.command("adopt")
def policy_adopt(
    file: Annotated[Path, typer.Argument(help="The policy, in YAML.", dir_okay=False)],
    home: HomeOption = None,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Signs a policy with the steward's key and puts it into force.

    Example: rondgang node policy adopt region.policy.yaml
    """
    from node.operations import adopt_policy
    from policies.documents import load_yaml
    from policies.rules.region_policy import RegionPolicy

    found, terminal = open_home(home, lang, as_json)
    with faults(terminal):
        policy = load_yaml(RegionPolicy, file)
        done = _tell(terminal, adopt_policy(found, policy))
    if policy.test_only:
        terminal.say("node.status.test_only")
    terminal.result(done)


@policy.command("show")
def policy_show(home: HomeOption = None, lang: LangOption = None, as_json: JsonOption = False) -> None:
    """Shows the policy in force, as YAML or JSON.

    Example: rondgang node policy show
    """
    import yaml
    from rondgang.signed import Signed

    from policies.documents import from_canonical
    from policies.rules.region_policy import RegionPolicy

    found, terminal = open_home(home, lang, as_json)
    path = found.adopted / "policy.json"
    if not path.is_file():
        terminal.stop(REFUSED, "no_policy", "node.policy.none")
    with faults(terminal):
        shown = from_canonical(RegionPolicy, Signed.from_bytes(read_file(path)).document)
    told = shown.model_dump(mode="json", exclude_defaults=True)
    terminal.result(told)
    if not as_json:
        print(yaml.safe_dump(told, sort_keys=False, allow_unicode=True), end="")


def adopt_files(home: Home, terminal: Terminal, files: list[Path]) -> list[Done]:
    """Adopts each file in turn and says so; stops with exit code 1 at the first that is declined."""
    from node.operations import adopt_document

    return [_tell(terminal, adopt_document(home, read_file(path))) for path in files]


def _tell(terminal: Terminal, outcome: Done | Declined) -> Done:
    from node.operations import Declined

    if isinstance(outcome, Declined):
        terminal.stop(REFUSED, "declined", "node.adopt.declined", detail=outcome.sentence)
    kind = terminal.words(f"node.kind.{outcome.kind}")
    terminal.say("node.adopt.done" if outcome.new else "node.adopt.same", kind=kind, name=outcome.name)
    return outcome
