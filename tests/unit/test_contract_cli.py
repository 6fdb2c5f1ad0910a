"""The `rondgang` command loads only the room that is asked for, and says what to install where one is absent."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from rondgang.cli import main


@dataclass
class _Verb:
    """An entry point that notes whether it was loaded and what it was called with."""

    name: str
    ends: object = None
    needs: str | None = None
    calls: list[tuple[list[str], str]] = field(default_factory=list)
    loaded: bool = False

    def load(self) -> Callable[..., object]:
        self.loaded = True
        if self.needs:
            raise ModuleNotFoundError(f"No module named {self.needs!r}", name=self.needs)

        def command(args: list[str], prog_name: str) -> object:
            self.calls.append((args, prog_name))
            if isinstance(self.ends, BaseException):
                raise self.ends
            return self.ends

        return command


def test_only_the_room_that_is_asked_for_is_loaded() -> None:
    node, desk = _Verb("node"), _Verb("coordinator")
    assert main(["node", "status", "--json"], lambda: [node, desk]) == 0
    assert node.calls == [(["status", "--json"], "rondgang node")]
    assert not desk.loaded


@pytest.mark.parametrize(
    ("ends", "code"),
    [(None, 0), (1, 1), (75, 75), (SystemExit(), 0), (SystemExit(1), 1), (SystemExit(75), 75), ("text", 0)],
)
def test_a_verb_decides_its_exit_code(ends: object, code: int) -> None:
    assert main(["node"], lambda: [_Verb("node", ends=ends)]) == code


def test_a_verb_that_stops_with_a_sentence_is_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["node"], lambda: [_Verb("node", ends=SystemExit("No such home."))]) == 2
    assert capsys.readouterr().err == "No such home.\n"


def test_a_fault_in_a_verb_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        main(["node"], lambda: [_Verb("node", ends=ZeroDivisionError())])


@pytest.mark.parametrize(
    ("verb", "install"),
    [("node", '"rondgang[node]"'), ("coordinator", '"rondgang[coordinator]"'), ("consortium", '"rondgang"')],
)
def test_an_absent_room_is_named_with_what_to_install(
    verb: str, install: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([verb, "serve"], list) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert f"rondgang {verb}" in told.err
    assert f"pip install {install}" in told.err


def test_a_room_without_its_libraries_says_which_one_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["node"], lambda: [_Verb("node", needs="duckdb")]) == 2
    told = capsys.readouterr().err
    assert "duckdb" in told
    assert '"rondgang[node]"' in told


def test_an_unknown_verb_is_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nod"], lambda: [_Verb("extra")]) == 2
    told = capsys.readouterr().err
    assert "no such verb: nod" in told
    assert "node" in told
    assert "extra" in told


def test_help_lists_every_verb_and_loads_none(capsys: pytest.CaptureFixture[str]) -> None:
    node, extra = _Verb("node"), _Verb("extra")
    for words, code in ((["--help"], 0), (["-h"], 0), ([], 2)):
        assert main(words, lambda: [node, extra]) == code
        page = capsys.readouterr().out
        for verb in ("demo", "consortium", "node", "coordinator", "audit", "extra"):
            assert f"\n  {verb} " in page or f"\n  {verb}\n" in page
        assert page.count("(not installed)") == 4
        assert "Example: rondgang demo" in page
    assert not node.loaded
    assert not extra.loaded


def test_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"], list) == 0
    assert capsys.readouterr().out.startswith("rondgang ")


def test_the_command_alone_loads_no_room() -> None:
    rooms = "node coordinator audit compose policies typer pydantic cryptography grpc"
    script = (
        "import sys; from rondgang.cli import main; main(['--help']); main(['--version']); "
        f"sys.exit(sorted(set({rooms!r}.split()) & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_module_is_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "rondgang", "nothing"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "no such verb: nothing" in done.stderr
