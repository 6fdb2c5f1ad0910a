"""What makes a machine start the node by itself: accepted by systemd, and no more rights than it needs."""

import shutil
import subprocess
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from typer.testing import CliRunner

from node.cli import app
from node.starting import NotAPath, Start, systemd_unit, windows_script
from tests.node_world import make_home

START = Start(PurePosixPath("/opt/ronde gang/bin/rondgang"), PurePosixPath("/srv/veilig thuis/FR"), "rondgang")


def settings(unit: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in unit.splitlines() if "=" in line and not line.startswith("#"))
    return {key: value for key, _, value in pairs}


def test_the_unit_starts_the_node_on_its_home_and_lets_it_write_nowhere_else() -> None:
    found = settings(systemd_unit(START))
    assert found["ExecStart"] == '"/opt/ronde gang/bin/rondgang" node serve --home "/srv/veilig thuis/FR"'
    assert (found["ProtectSystem"], found["ReadWritePaths"]) == ("strict", '"/srv/veilig thuis/FR"')
    assert (found["CapabilityBoundingSet"], found["NoNewPrivileges"], found["Restart"]) == ("", "yes", "on-failure")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_finds_nothing_to_say_about_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "rondgang-node.service"
    unit.write_text(systemd_unit(Start(PurePosixPath("/bin/true"), PurePosixPath("/srv/x y"), "root")))
    told = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert "rondgang-node" not in told.stderr, told.stderr


def test_the_windows_script_starts_it_with_the_machine_as_a_user_without_rights() -> None:
    command, home = PureWindowsPath(r"C:\Rondgang\rondgang.exe"), PureWindowsPath(r"D:\Veilig Thuis")
    script = windows_script(Start(command, home, ""))
    assert r"$node = 'C:\Rondgang\rondgang.exe'" in script
    assert "-AtStartup" in script
    assert "S-1-5-19" in script


@pytest.mark.parametrize("bad", ["/srv/a'b", '/srv/a"b', "/srv/a\nb", "/srv/%h", "/srv/$HOME"])
def test_a_path_that_would_end_a_quote_is_refused(bad: str) -> None:
    start = Start(PurePosixPath("/bin/rondgang"), PurePosixPath(bad), "x")
    for made in (systemd_unit, windows_script):
        with pytest.raises(NotAPath):
            made(start)


def test_the_verb_prints_it_for_this_home(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home")
    told = CliRunner().invoke(app, ["service", "--home", str(home.root), "--user", "vt", "--for", "systemd"])
    assert told.exit_code == 0
    assert settings(told.stdout)["User"] == "vt"
    assert f'"{home.root}"' in settings(told.stdout)["ReadWritePaths"]
