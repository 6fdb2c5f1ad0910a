"""`rondgang node policy check`, `diff`, `sign`, `adopt` and `show`: what may be asked here, and what it may cost."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from node.cli.adopting import tell_adopted
from node.cli.deciding import KeyOption, steward_key
from node.cli.questions import amount_words, plain
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
    from node.reviewing import Changed, Remark, Reviewed
    from policies.rules.region_policy import Cap, RegionPolicy

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
        written = _read(file)[0]
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
        reviewed = review_policy(found, _read(file)[0])
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

    found, terminal = open_home(home, lang, as_json)
    with faults(terminal):
        written, signed = _read(file)
        reviewed = review_policy(found, written)
        if not reviewed.adoptable:
            wrong = [_sentence(terminal, one) for one in reviewed.remarks if one.objection]
            terminal.stop(REFUSED, "declined", "node.adopt.declined", detail=" ".join(wrong))
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


def _read(file: Path) -> tuple[RegionPolicy, bytes | None]:
    """The policy in a file; with the bytes of the envelope where it is a signed one. Raises BadDocument."""
    from rondgang.errors import ContractError
    from rondgang.signed import Signed

    from policies.documents import BadDocument, from_canonical, load_yaml
    from policies.rules.region_policy import RegionPolicy

    data = read_file(file)
    if not data.startswith(b'{"document":'):
        return load_yaml(RegionPolicy, file), None
    try:
        signed = Signed.from_bytes(data.strip())
    except ContractError as error:
        raise BadDocument(str(file), (f"{file}: {error}",)) from error
    if signed.kind != "policy":
        raise BadDocument(str(file), (f"{file}: expected a signed policy, not a signed {signed.kind}",))
    return from_canonical(RegionPolicy, signed.document), signed.to_bytes()


def _print_meaning(terminal: Terminal, written: RegionPolicy, reviewed: Reviewed) -> None:
    terminal.say("node.policy.heading", version=written.policy.version, region=written.region or reviewed.region)
    if reviewed.in_force:
        terminal.say("node.policy.now", version=reviewed.in_force)
    caps = [
        terminal.words("node.policy.spend_of", cohort=cohort, amount=_cap(terminal, cap))
        for cohort, cap in written.cohorts.items()
    ]
    one, all_ = _cap(terminal, written.programme), _cap(terminal, written.lifetime)
    listed = ", ".join(caps) or terminal.words("node.policy.spend_none")
    terminal.say("node.policy.spend", caps=listed, lifetime=all_, programme=one)
    _print_households(terminal, written)
    _print_kinds(terminal, written)
    if written.variables.deny:
        names = ", ".join(_label(terminal, name, reviewed) for name in written.variables.deny)
        terminal.say("node.policy.denied", names=names)
    for first, second in written.forbidden_crossings:
        pair = {"one": _label(terminal, first, reviewed), "other": _label(terminal, second, reviewed)}
        terminal.say("node.policy.crossing", **pair)
    terminal.say(f"node.policy.approval.{written.approval}")
    rule = written.witnesses
    listed = "?" if reviewed.witnesses is None else str(reviewed.witnesses)
    terminal.say("node.policy.witnesses", need=rule.need, faulty=rule.faulty, witnesses=listed)
    _print_secure(terminal, written)
    terminal.say("node.policy.tick", tick_ms=written.tick_ms)


def _print_households(terminal: Terminal, written: RegionPolicy) -> None:
    most = written.most_cohorts
    which = "all" if most is None else "one" if most == 1 else "some"
    terminal.say(f"node.policy.households.{which}", most=most or 0)


def _print_secure(terminal: Terminal, written: RegionPolicy) -> None:
    rule = written.secure
    if rule is None:
        terminal.say("node.policy.secure.none")
    else:
        own = _cap(terminal, rule.own_noise)
        terminal.say("node.policy.secure.allowed", own=own, attempts=rule.attempts, colluders=rule.colluders)


def _print_kinds(terminal: Terminal, written: RegionPolicy) -> None:
    from policies.statistics.statistic import Kind

    def listed(kinds: Iterable[str]) -> str:
        return ", ".join(terminal.words(f"node.policy.kind.{kind}") for kind in kinds)

    others = [kind for kind in get_args(Kind) if kind not in written.statistics]
    if written.statistics:
        terminal.say("node.policy.kinds", kinds=listed(written.statistics))
    if others:
        terminal.say("node.policy.no_kinds", kinds=listed(others))


def _print_remarks(terminal: Terminal, reviewed: Reviewed) -> None:
    if not reviewed.adoptable:
        terminal.say("node.policy.not_adoptable")
    for one in reviewed.remarks:
        kind = "wrong" if one.objection else "note"
        terminal.say(f"node.policy.{kind}", sentence=_sentence(terminal, one))


def _print_changes(terminal: Terminal, changes: tuple[Changed, ...], version: int) -> None:
    if not changes:
        terminal.say("node.policy.unchanged", version=version)
        return
    terminal.say("node.policy.changes", version=version)
    for one in changes:
        fields = {
            "direction": terminal.words(f"node.policy.direction.{one.direction}"),
            "field": _field(terminal, one.field),
            "old": _value(terminal, one.field, one.old),
            "new": _value(terminal, one.field, one.new),
        }
        terminal.say("node.policy.change", **fields)
    counts = {way: sum(one.direction == way for one in changes) for way in ("loosens", "tightens")}
    terminal.say("node.policy.sum", **counts)


def _sentence(terminal: Terminal, one: Remark) -> str:
    return terminal.words(f"node.policy.finding.{one.code}", **one.fields)


def _label(terminal: Terminal, name: str, reviewed: Reviewed) -> str:
    label = reviewed.labels.get(name)
    return name if label is None else f"{name} ({plain(label.in_language(terminal.lang))})"


def _field(terminal: Terminal, path: str) -> str:
    head, _, rest = path.partition(".")
    if head == "cohorts":
        return terminal.words("node.policy.field.cohorts", cohort=rest)
    return terminal.words(f"node.policy.field.{rest or head}")


def _value(terminal: Terminal, path: str, value: str) -> str:
    """A value as people read it: caps in both currencies, kinds and choices by their names."""
    from node.status import amount
    from policies.units.money import allowance

    if not value:
        return terminal.words("node.policy.nothing")
    if path.partition(".")[0] in ("cohorts", "lifetime", "programme") or path == "secure.own_noise":
        return amount_words(terminal, amount(allowance(Decimal(value))))
    if path == "statistics":
        return terminal.words(f"node.policy.kind.{value}")
    if path in ("approval", "test_only"):
        return terminal.words(f"node.policy.value.{value}")
    return value


def _cap(terminal: Terminal, cap: Cap) -> str:
    from node.status import amount

    return amount_words(terminal, amount(cap.amount))
