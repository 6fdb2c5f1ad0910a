"""`make e2e`: images, a federation in containers, the demo's programme in both modes, the evidence verified, all down.

`python -m compose.containers [--regions N] [--out FOLDER] [--json]`. Ends with 0 only if every region answered, the
national sums are there and nothing is found in the evidence.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from compose.containers import images
from compose.containers.engine import EngineFailed, docker, start_engine, stop_engine
from compose.containers.federation import ContainerFederation, verify
from compose.demo.cli import LABEL, make_room
from compose.demo.federation import COHORT, SHIPPED, Documents, NotStarted, free_port, running
from compose.demo.generator.calibration import load_calibration
from compose.demo.generator.generate import generate
from compose.demo.generator.write import write_all
from compose.demo.programme import demo_programme
from compose.demo.verbs import VerbFailed
from compose.demo.verbs import run as verb
from coordinator.cli import app as coordinator_verbs
from coordinator.cli.following import follow
from coordinator.client import Desk
from coordinator.gather import Asked
from coordinator.secure.national import Where
from policies.documents import load_yaml
from policies.study.calendar import Calendar
from policies.study.text import RegionCode

_TWO = "witnesses: {need: 2, faulty: 1}"
_THREE = "witnesses: {need: 3, faulty: 1}"
"""With two independent witnesses beside the desk: 2 * 3 > 3 + 1."""


class Steps:
    """Says what happens, and how long each part took: seconds of a monotonic clock since the part before."""

    def __init__(self) -> None:
        self._start = self._last = time.monotonic()
        self.took: dict[str, float] = {}

    def say(self, text: str) -> None:
        print(f"[{time.monotonic() - self._start:6.1f} s] {text}", file=sys.stderr, flush=True)

    def done(self, part: str) -> None:
        """The part that ends now."""
        now = time.monotonic()
        self.took[part], self._last = round(now - self._last, 1), now
        self.say(f"{part}: {self.took[part]:.1f} s")


def regions_of(count: int) -> tuple[tuple[RegionCode, ...], bool]:
    """The first `count` regions of the cohort, and whether that is all of them."""
    members = load_yaml(Calendar, SHIPPED / "rotation.yaml").members(COHORT)
    return members[:count], count >= len(members)


def prepare(out: Path, regions: tuple[RegionCode, ...], project: str) -> ContainerFederation:
    """Data of a fixed seed and a policy for three witnesses in `out`, and a federation that is still to be set up."""
    calibration = load_calibration()
    folders = write_all(out / "data", generate(2021, calibration.sizes(regions), calibration))
    shipped, policy = (SHIPPED / "region.policy.yaml").read_text(encoding="utf-8"), out / "region.policy.yaml"
    if shipped.count(_TWO) != 1:
        raise ValueError(f"the shipped policy has not exactly one line {_TWO!r}")
    policy.write_text(shipped.replace(_TWO, _THREE), encoding="utf-8")
    made = ContainerFederation(out / "homes", folders, Documents(policy=policy), project=project)
    made.port = free_port()
    return made


def ask(desk: Desk, federation: ContainerFederation, programme: Path, out: Path) -> tuple[int, int, str]:
    """Prices, submits and follows a programme: how many regions answered, how many are in the sums, the table."""
    home = ("--home", federation.researcher)
    verb(coordinator_verbs, "coordinator", "price", programme, "--out", out / "price.json", *home)
    number = desk.submit(desk.plan(programme)).run
    last = follow(desk, number, None)
    table = verb(coordinator_verbs, "coordinator", "results", number, "--out", out, *home)
    summed = last.national.replied if last.national is not None and last.national.where is Where.SUMMED else 0
    return last.count(Asked.ANSWERED), summed, table


class _Run:
    def __init__(self, out: Path, count: int, steps: Steps) -> None:
        self._out, self._steps = out, steps
        self._regions, self._whole = regions_of(count)

    def run(self) -> dict[str, object]:
        """Everything between an engine that answers and one that runs nothing of ours. Returns what was measured."""
        steps, out = self._steps, self._out
        images.build("node", "coordinator", "auditor", images.DATABASE)
        steps.done("build")
        sizes = {target: round(images.megabytes(target)) for target in ("node", "coordinator", "auditor")}
        steps.say(f"images in MB: {sizes}")
        federation = prepare(out, self._regions, "rondgang-e2e")
        federation.set_up(lambda text: None)
        steps.done("set up")
        with running(federation, steps.say):
            steps.done("up")
            answered, summed, table = self._ask(federation)
            steps.done("programme")
            memory = docker("stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}", *federation.containers())
            steps.done("memory")
            federation.export(out / "evidence")
            steps.done("export")
        steps.done("down")
        key = (federation.consortium / "consortium.pub").read_text(encoding="ascii").strip()
        verdict = verify(out / "evidence", key, federation.user)
        steps.done("verify")
        print(f"{LABEL}\n\n{table}\n{LABEL}\n\n{memory}\n{verdict}")
        return {"answered": answered, "summed": summed, "regions": len(self._regions), "megabytes": sizes}

    def _ask(self, federation: ContainerFederation) -> tuple[int, int, str]:
        path = self._out / "programme.yaml"
        path.write_text(demo_programme(None if self._whole else self._regions), encoding="utf-8")
        with Desk.open(federation.researcher) as desk:
            return ask(desk, federation, path, self._out)


def main(
    out: Annotated[Path, typer.Option(help="Folder for the results; made anew.", file_okay=False)] = Path("var/e2e"),
    regions: Annotated[int, typer.Option(min=4, max=13, help="How many regions take part.")] = 13,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for programs at the end.")] = False,
) -> None:
    """Builds the images, runs a federation in containers, asks the demo's programme, and verifies the evidence.

    Starts a container engine where none answers, and stops it again. Leaves nothing running.

    Example: python -m compose.containers --regions 4
    """
    out, steps, started = out.resolve(), Steps(), False
    make_room(out, "make e2e")
    try:
        started = start_engine()
        steps.done("engine")
        found = _Run(out, regions, steps).run()
    except (EngineFailed, NotStarted, VerbFailed) as error:
        print(f"{error}\nThe homes are in {out / 'homes'}.", file=sys.stderr)
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    finally:
        if started:
            stop_engine()
    facts = {**found, "seconds": steps.took, "out": str(out), "synthetic": True}
    print(json.dumps(facts) if as_json else f"Seconds: {steps.took}. Files are in {out}.")
    raise typer.Exit(0 if found["answered"] == found["regions"] == found["summed"] else 1)


if __name__ == "__main__":
    typer.run(main)
