"""`rondgang node export-ledger` and `recover`: evidence for an auditor, and a new start after a ledger was lost."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from node.cli.terminal import BAD_INPUT, LATER, REFUSED, HomeOption, JsonOption, LangOption, Terminal, faults, open_home

if TYPE_CHECKING:
    from rondgang.notes import Checkpoint

    from node.home import Home
    from node.recovering import Charge, Last, Plan, Whole


def export_ledger(
    out: Annotated[Path, typer.Option(help="The file to write; one that is there is replaced.", dir_okay=False)],
    home: HomeOption = None,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Writes everything an auditor needs into one sealed file; the node may be serving meanwhile.

    It holds decisions, documents, checkpoints and certificates: nothing computed from rows, and no answers.

    Example: rondgang node export-ledger --out FR.bundle
    """
    from node.evidence import export

    found, terminal = open_home(home, lang, as_json)
    with faults(terminal):
        done = export(found, out, int(time.time()))
    entries = sum(done.entries.values())
    terminal.say("node.export.done", path=str(out), entries=entries, fingerprint=done.fingerprint)
    epochs = [{"epoch": epoch, "entries": count} for epoch, count in done.entries.items()]
    terminal.result({"file": str(out), "fingerprint": done.fingerprint, "bytes": done.bytes, "epochs": epochs})


def recover(
    yes: Annotated[bool, typer.Option("--yes", help="Do it: all budget that was left is charged.")] = False,
    home: HomeOption = None,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Starts a new ledger where the old one was lost, rolled back or copied, and charges all budget that was left.

    Asks the witnesses what they saw last, shows what it will do, and does it with --yes or a yes at the terminal. A
    ledger that has all that witnesses saw is left alone. The node must not be serving.

    Example: rondgang node recover --yes
    """
    from node.errors import HomeBusy
    from node.lock import exclusive

    found, terminal = open_home(home, lang, as_json)
    with faults(terminal):
        try:
            with exclusive(found.lock_file):
                _recover(found, terminal, yes)
        except HomeBusy:
            terminal.stop(LATER, "busy", "node.recover.serving")


def _recover(home: Home, terminal: Terminal, yes: bool) -> None:
    from node.recovering import TooFew, Whole, examine, reset, roster
    from node.witnessing.recovery import ask

    last = ask(home, roster(home, _now), _now())
    if isinstance(last, TooFew):
        terminal.stop(LATER, "too_few_witnesses", "node.recover.too_few", detail=last.sentence)
    plan = examine(home, _now, last.checkpoint, split=last.split)
    if isinstance(plan, Whole):
        _nothing(terminal, plan)
    _show(terminal, home.config().region, plan, last)
    if not (yes or _agreed(terminal)):
        terminal.stop(BAD_INPUT, "not_confirmed", "node.recover.yes")
    reset(home, _now, last.checkpoint, split=last.split)
    terminal.say("node.recover.done", origin=f"{home.config().region}/{plan.epoch}")
    terminal.result(_told(home.config().region, plan, last))


def _now() -> int:
    return int(time.time())


def _nothing(terminal: Terminal, whole: Whole) -> NoReturn:
    terminal.stop(REFUSED, "nothing_to_recover", "node.recover.whole", epoch=whole.epoch, entries=whole.size)


def _agreed(terminal: Terminal) -> bool:
    if terminal.as_json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    return typer.confirm(terminal.words("node.recover.sure"))


def _show(terminal: Terminal, region: str, plan: Plan, last: Last) -> None:
    seen = plan.last
    terminal.say(f"node.recover.why.{plan.why}", detail=plan.detail)
    if seen is None:
        terminal.say("node.recover.unseen", count=len(last.by))
    else:
        terminal.say("node.recover.seen", origin=seen.origin, entries=seen.size, count=len(last.by))
    terminal.say("node.recover.plan", origin=f"{region}/{plan.epoch}", policy=plan.policy)
    for cohort, charge in plan.cohorts.items():
        _charge(terminal, "node.recover.cohort", charge, cohort=cohort)
    _charge(terminal, "node.recover.lifetime", plan.lifetime)
    if plan.own is None:
        terminal.say("node.recover.no_snapshots")


def _charge(terminal: Terminal, key: str, charge: Charge, **fields: str) -> None:
    terminal.say(key, spent=charge.spent.text(), charged=charge.charged.text(), **fields)


def _told(region: str, plan: Plan, last: Last) -> dict[str, object]:
    return {
        "region": region,
        "epoch": plan.epoch,
        "why": plan.why,
        "detail": plan.detail,
        "own": _checkpoint(plan.own),
        "last": _checkpoint(plan.last),
        "witnesses": list(last.by),
        "policy": plan.policy,
        "cohorts": {cohort: _amounts(charge) for cohort, charge in plan.cohorts.items()},
        "lifetime": _amounts(plan.lifetime),
    }


def _checkpoint(given: Checkpoint | None) -> dict[str, object] | None:
    return None if given is None else {"origin": given.origin, "size": given.size, "root": given.root.hex()}


def _amounts(charge: Charge) -> dict[str, str]:
    """In rho."""
    return {"spent": charge.spent.text(), "charged": charge.charged.text()}
