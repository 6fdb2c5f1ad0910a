"""`rondgang demo`: a whole federation on this machine, one programme, the national table.

All microdata is synthetic, and every page and file says so.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

import coordinator.cli
import node.cli
from compose.demo.federation import COHORT, SHIPPED, Documents, Federation, NotStarted, running
from compose.demo.generator.calibration import load_calibration
from compose.demo.generator.generate import generate
from compose.demo.generator.write import write_all
from compose.demo.programme import demo_programme
from compose.demo.verbs import VerbFailed, run
from coordinator.cli.following import follow
from coordinator.client import Desk
from coordinator.desk.views import Progress
from coordinator.errors import Unreachable
from coordinator.gather import Asked
from coordinator.secure.national import Where
from policies.documents import load_yaml
from policies.study.calendar import Calendar
from policies.study.text import some

MARKER = ".rondgang-demo"
LABEL = "SYNTHETIC data, calibrated to published totals: not study data, and no finding."
_ANSWER_S = 120.0
_BACK_S = 20.0
_LOOK_S = 5.0
"""How often it is looked at whether every process still lives, while answers are awaited."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
console = Console(stderr=True)


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the results; made anew.", file_okay=False)] = Path("var/demo"),
    regions: Annotated[int, typer.Option(min=1, max=26, help="How many regions take part; above 13: load test.")] = 13,
    seed: Annotated[int, typer.Option(min=0, help="Fixes the synthetic data. Noise is never seeded.")] = 2021,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the federation running until Ctrl-C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for programs.")] = False,
) -> None:
    """Runs thirteen region nodes, a coordinator and a witness on this machine, and answers one programme.

    All data are synthetic.

    The programme asks some figures of each region and the rest of the country alone, as sums under masks; with fewer
    than four regions all are asked of each region. Leaves estimates.csv, estimates.json, price.json, programme.yaml and
    evidence/ in the folder. Ends with 0 only if every region answered and the national sums are there.

    Example: rondgang demo --out var/demo --regions 13
    """
    out = out.resolve()
    make_room(out, "rondgang demo")
    try:
        complete = _Demo(out, regions, seed, as_json).run(keep)
    except (NotStarted, VerbFailed) as error:
        console.print(f"The demo stopped: {error}\nThe homes and logs are in {out / 'federation'}.", style="red")
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        console.print("Stopped; no process is left.")
        raise typer.Exit(130) from None
    raise typer.Exit(0 if complete else 1)


def make_room(out: Path, made_by: str) -> None:
    """An empty folder with our marker, which names the command. Only a folder that has it is ever emptied."""
    if out.exists() and any(out.iterdir()):
        if not (out / MARKER).exists():
            console.print(f"{out} is not empty and no demo made it. Choose another folder with --out.", style="red")
            raise typer.Exit(2)
        shutil.rmtree(out)
    out.mkdir(parents=True, exist_ok=True)
    (out / MARKER).write_text(f"Made by `{made_by}`, which replaces this folder.\n", encoding="utf-8")
    (out / "SYNTHETIC.txt").write_text(LABEL + "\n", encoding="utf-8")


def _summed(last: Progress) -> int:
    """How many regions are in the finished national sums; 0 where there are none."""
    return last.national.replied if last.national is not None and last.national.where is Where.SUMMED else 0


class _Demo:
    def __init__(self, out: Path, regions: int, seed: int, as_json: bool) -> None:
        self._out, self._seed, self._as_json = out, seed, as_json
        name = "rotation.yaml" if regions <= 13 else "rotation.load-test.yaml"
        self._documents = Documents(calendar=SHIPPED / name)
        members = load_yaml(Calendar, self._documents.calendar).members(COHORT)
        self._regions = members[:regions]
        self._whole = len(self._regions) == len(members)
        self._start = time.monotonic()

    def run(self, keep: bool) -> bool:
        self._say(LABEL)
        calibration = load_calibration()
        data = generate(self._seed, calibration.sizes(self._regions), calibration)
        folders = write_all(self._out / "data", data)
        federation = Federation(self._out / "federation", folders, self._documents)
        federation.set_up(self._say)
        with running(federation, self._say), Desk.open(federation.researcher) as desk:
            complete = self._ask(desk, federation)
            self._give_back(federation)
            federation.export(self._out / "evidence")
            self._say(f"What each party would hand an auditor is in {self._out / 'evidence'}.")
            if keep:
                self._wait(federation)
        return complete

    def _ask(self, desk: Desk, federation: Federation) -> bool:
        """Prices, submits and publishes with the researcher's own verbs; whether every region answered."""
        path, home = self._out / "programme.yaml", ("--home", federation.researcher)
        path.write_text(demo_programme(None if self._whole else self._regions), encoding="utf-8")
        verbs = coordinator.cli.app
        run(verbs, "coordinator", "price", path, "--out", self._out / "price.json", *home)
        number = desk.submit(desk.plan(path)).run
        last = self._replies(desk, federation, number)
        table = run(verbs, "coordinator", "results", number, "--out", self._out, *home)
        answered, summed = last.count(Asked.ANSWERED), _summed(last)
        took = time.monotonic() - self._start
        if self._as_json:
            facts = {"out": str(self._out), "run": number, "answered": answered, "summed": summed,
                     "regions": len(self._regions), "seconds": round(took, 1), "synthetic": True}  # fmt: skip
            print(json.dumps(facts))
        else:
            print(f"{LABEL}\n\n{table}\n{LABEL}")
            sums = "" if last.national is None else f", {summed} are in the national sums"
            print(f"{answered} of {some(len(self._regions), 'region')} answered{sums}, in {took:.1f} s. "
                  f"Files are in {self._out}.")  # fmt: skip
        return answered == len(self._regions) and (last.national is None or summed > 0)

    def _give_back(self, federation: Federation) -> None:
        """Shows what a region gets back: one steward's files and printable page, as `node results` writes them."""
        region = self._regions[0]
        home, last = federation.node(region), time.monotonic() + _BACK_S
        while not any((home / "results").glob("*.json")):
            if time.monotonic() > last:
                self._say(f"Region {region} has not got its results yet; see `rondgang node results --home {home}`.")
                return
            time.sleep(0.1)
        out = self._out / f"back-to-{region}"
        run(node.cli.app, "node", "results", "--out", out, "--home", home)
        self._say(f"What region {region} gets back, with a page to print, is in {out}.")

    def _replies(self, desk: Desk, federation: Federation, number: str) -> Progress:
        """Waits until every region has replied. Raises NotStarted where a process ended, or it takes too long."""
        last = time.monotonic() + _ANSWER_S
        while True:
            try:
                return follow(desk, number, _LOOK_S)
            except Unreachable as later:
                federation.check_alive()
                if time.monotonic() > last:
                    raise NotStarted(f"not every region replied in {_ANSWER_S:.0f} s") from later

    def _wait(self, federation: Federation) -> None:
        self._say(f"The federation runs until Ctrl-C. Ask more with: rondgang coordinator submit PROGRAMME.yaml "
                  f"--home {federation.researcher}")  # fmt: skip
        while True:
            time.sleep(1)

    def _say(self, text: str) -> None:
        """Progress: plain lines, so that a terminal and a pipe show the same."""
        print(f"[{time.monotonic() - self._start:5.1f} s] {text}", file=sys.stderr, flush=True)
