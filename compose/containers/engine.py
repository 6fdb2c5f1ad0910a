"""The container engine, by its own command line: what it prints, or why it would not."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
COMPOSE_FILE = Path(__file__).with_name("compose.yaml")
_SCRIPTS = CHECKOUT / "compose" / "ci"
_SHOWN_LINES = 30


class EngineFailed(Exception):
    """A command ended with another exit code than 0; says which, and the end of what it printed."""

    def __init__(self, command: str, code: int, printed: str) -> None:
        self.command, self.code = command, code
        last = "\n".join(printed.splitlines()[-_SHOWN_LINES:])
        super().__init__(f"`{command}` ended with exit code {code}:\n{last}")


def docker(*arguments: str, more: Mapping[str, str] | None = None) -> str:
    """What `docker ARGUMENTS...` prints on standard output; `more` is added to its environment. Raises EngineFailed."""
    return _run(["docker", *arguments], more)


def answers() -> bool:
    """Whether an engine can be used, with or without its plugins."""
    try:
        docker("version", "--format", "{{.Server.Version}}")
    except (EngineFailed, FileNotFoundError):
        return False
    return True


def start_engine() -> bool:
    """Sees to it that an engine with Compose and buildx answers; whether one had to be started for that.

    Raises EngineFailed with what to do where that cannot be.
    """
    before = answers()
    _run(["sh", str(_SCRIPTS / "engine.sh"), "up"])
    return not before


def stop_engine() -> None:
    """Ends the engine that `start_engine` started, and no other."""
    _run(["sh", str(_SCRIPTS / "engine.sh"), "down"])


def base_image() -> str:
    """The name of an image to build on; made from packages where none can be pulled. Raises EngineFailed."""
    return _run(["sh", str(_SCRIPTS / "base_image.sh")]).strip()


def _run(command: list[str], more: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        command,
        cwd=CHECKOUT,
        env={**os.environ, **(more or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise EngineFailed(" ".join(command), done.returncode, done.stdout + done.stderr)
    return done.stdout
