"""Every command line in the README is one that the program knows, options included."""

import re
import shlex
from importlib.metadata import entry_points
from typing import Any

import pytest
import typer.main

from tests.shape.sources import CHECKOUT

_IN_LINE = re.compile(r"`(rondgang [^`]+)`")


def _commands() -> list[str]:
    text = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    found = [line for line in lines if line.startswith("rondgang ")] + _IN_LINE.findall(text)
    return sorted({shlex.join(shlex.split(line, comments=True)) for line in found})


def test_the_readme_names_commands() -> None:
    assert len(_commands()) > 10


@pytest.mark.parametrize("line", _commands())
def test_the_program_knows_this_command(line: str) -> None:
    _, verb, *words = shlex.split(line)
    apps = {entry.name: entry for entry in entry_points(group="rondgang.verbs")}
    assert verb in apps
    # typer keeps its command types to itself.
    command: Any = typer.main.get_command(apps[verb].load())
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    assert not getattr(command, "commands", {}), f"no such verb: {line}"
    options = {text for parameter in command.params for text in parameter.opts} | {"--help"}
    assert {word for word in words if word.startswith("--")} <= options
