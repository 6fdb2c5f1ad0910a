"""`rondgang node policy check`, `diff`, `sign`, `adopt` and `show`: what may be asked here, and what it may cost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from node.cli.adopting import tell_adopted
from node.cli.deciding import KeyOption, steward_key
from node.cli.questions import plain
from node.cli.terminal import (
    BAD_INPUT,
    REFUSED,
    HomeOption,
    JsonOption,
    LangOption,
    Terminal,
    faults,
    open_home,
    read_file,
)

if TYPE_CHECKING:
    from node.policy_file import PolicyFile
    from node.reviewing import Changed, Reviewed
    from policies.rules.region_policy import RegionPolicy

policy = typer.Typer(help="What may be asked of this region, and what it may cost.", no_args_is_help=True)

FileArgument = Annotated[Path, typer.Argument(help="The policy, in YAML.", dir_okay=False)]
EitherArgument = Annotated[Path, typer.Argument(help="The policy, in YAML or signed.", dir_okay=False)]


@policy.command("check")
def policy_check(
    file: EitherArgument, home: HomeOption = None, lang: LangOption = None, as_json: JsonOption = False
) -> None:
    """Says in words what a policy means here, and what stands against adopting it. Changes nothing.

    Ends with 1 where it would not be adopted.

    Example: rondgang node policy check region.policy.yaml
    """
    from node.operations import review_policy

    found, terminal = open_home(home, lang, as_json)
    with faults(terminal):
        written = _read(file).policy
        reviewed = review_policy(found, written)
    told = reviewed.model_dump(mode="json", exclude={"policy", "labels", "changes"})
    terminal.result(told | {"adoptable": reviewed.adoptable, "policy": written.model_dump(mode="json")})
    if not as_json:
        _print_meaning(terminal, written, reviewed)
        _print_remarks(terminal, reviewed)
        if reviewed.adoptable:
            terminal.say("node.policy.adoptable", file=str(file))
    if not reviewed.adoptable:
        raise typer.Exit(REFUSED)


@policy.command("diff")
def policy_diff(
    file: EitherArgument, home: HomeOption = None, lang: LangOption = None, as_json: JsonOption = False
) -> None:
    """Shows each field that differs from the policy in force, and whether that loosens or tightens it.

    Example: rondgang node policy diff region.policy.yaml
    """
    from node.operations import review_policy

    found, terminal = open_home(home, lang, as_json)
    with faults(terminal):
        reviewed = review_policy(found, _read(file).policy)
    if reviewed.changes is None:
        terminal.stop(REFUSED, "no_policy", "node.policy.none")
    terminal.result(reviewed.model_dump(mode="json", include={"region", "in_force", "changes"}))
    if not as_json:
        _print_changes(terminal, reviewed.changes, reviewed.in_force)


@policy.command("sign")
def policy_sign(
    file: FileArgument,
    out: Annotated[Path, typer.Option(help="The file to write: the signed policy.", dir_okay=False)],
    key: KeyOption = None,
    home: HomeOption = None,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Signs a policy with the steward's key, for adopting it elsewhere. Needs no home where key and region are given.

    Example: rondgang node policy sign region.policy.yaml --out region.policy.signed.json --key /media/stick/steward.pem
    """
    from rondgang.signed import sign

    from policies.documents import load_yaml, to_canonical
    from policies.rules.policy_check import for_region
    from policies.rules.region_policy import RegionPolicy

    terminal = Terminal("nl" if lang is None else lang.value, as_json)
    with faults(terminal):
        written = load_yaml(RegionPolicy, file)
        where = None
        if key is None or written.region is None or home is not None:
            where, terminal = open_home(home, lang, as_json)
        code = written.region if where is None else where.config().region
        if code is None or written.region not in (None, code):
            terminal.stop(BAD_INPUT, "no_region", "node.policy.no_region")
        signed = sign("policy", to_canonical(for_region(written, code)), steward_key(where, terminal, key))
    try:
        out.write_bytes(signed.to_bytes())
    except OSError as error:
        detail = error.strerror or type(error).__name__
        terminal.stop(BAD_INPUT, "not_written", "node.policy.not_written", path=str(out), detail=detail)
    terminal.say("node.policy.signed", region=code, path=str(out))
    terminal.result({"region": code, "version": written.policy.version, "hash": signed.digest, "file": str(out)})


@policy.command("adopt")
def policy_adopt(
    file: EitherArgument,
    key: KeyOption = None,
    home: HomeOption = None,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Puts a policy into force: one that a steward signed, or one in YAML, which is signed with the steward's key.

    Another content needs a higher version than the policy in force.

    Example: rondgang node policy adopt region.policy.yaml
    """
    from rondgang.signed import sign

    from node.operations import adopt_signed_policy, review_policy
    from node.pages.policies import remark_words

    found, terminal = open_home(home, lang, as_json)
    with faults(terminal):
        given = _read(file)
        reviewed = review_policy(found, given.policy)
        if not reviewed.adoptable:
            wrong = [remark_words(one, terminal.lang) for one in reviewed.remarks if one.objection]
            terminal.stop(REFUSED, "declined", "node.adopt.declined", detail=" ".join(wrong))
        signed = given.signed
        if signed is None:
            signed = sign("policy", reviewed.policy.encode("utf-8"), steward_key(found, terminal, key)).to_bytes()
        done = tell_adopted(terminal, adopt_signed_policy(found, signed))
    _print_remarks(terminal, reviewed)
    terminal.result(done.model_dump(mode="json") | {"remarks": [one.code for one in reviewed.remarks]})


@policy.command("show")
def policy_show(home: HomeOption = None, lang: LangOption = None, as_json: JsonOption = False) -> None:
    """Shows the policy in force, as YAML or JSON.

    Example: rondgang node policy show
    """
    import yaml

    from node.policy_file import policy_in_force

    found, terminal = open_home(home, lang, as_json)
    with faults(terminal):
        shown = policy_in_force(found)
    if shown is None:
        terminal.stop(REFUSED, "no_policy", "node.policy.none")
    told = shown.model_dump(mode="json", exclude_defaults=True)
    terminal.result(told)
    if not as_json:
        print(yaml.safe_dump(told, sort_keys=False, allow_unicode=True), end="")


def _read(file: Path) -> PolicyFile:
    """The policy in a file. Raises BadDocument."""
    from node.policy_file import read_policy

    return read_policy(read_file(file), str(file))


def _print_meaning(terminal: Terminal, written: RegionPolicy, reviewed: Reviewed) -> None:
    from node.pages.policies import meaning

    for sentence in meaning(written, reviewed, terminal.lang):
        _print(terminal, plain(sentence))


def _print_remarks(terminal: Terminal, reviewed: Reviewed) -> None:
    from node.pages.policies import remark_words

    if not reviewed.adoptable:
        terminal.say("node.policy.not_adoptable")
    for one in reviewed.remarks:
        kind = "wrong" if one.objection else "note"
        terminal.say(f"node.policy.{kind}", sentence=remark_words(one, terminal.lang))


def _print_changes(terminal: Terminal, changes: tuple[Changed, ...], version: int) -> None:
    from node.pages.policies import change_words, sum_words

    if not changes:
        terminal.say("node.policy.unchanged", version=version)
        return
    terminal.say("node.policy.changes", version=version)
    for one in change_words(changes, terminal.lang):
        fields = {"direction": one.direction, "field": one.field, "old": one.old, "new": one.new}
        terminal.say("node.policy.change", **fields)
    _print(terminal, sum_words(changes, terminal.lang))


def _print(terminal: Terminal, sentence: str) -> None:
    if not terminal.as_json:
        print(sentence, flush=True)
