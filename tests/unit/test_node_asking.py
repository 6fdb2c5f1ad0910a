"""`node init` as a conversation: every answer is checked at once, and nothing is made before the last yes."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from node.cli import app
from node.home import Home
from tests.applicants import signing_key

KEY = signing_key("consortium").public


def talk(tmp_path: Path, *answers: str, lang: str = "nl") -> Result:
    words = ["init", "--ask", "--lang", lang]
    return CliRunner().invoke(
        app, words, input="\n".join(answers) + "\n", env={"RONDGANG_HOME": "", "HOME": str(tmp_path)}
    )


def usual(tmp_path: Path, **changes: str) -> list[str]:
    answers = {
        "region": "friesland",
        "name": "",
        "home": str(tmp_path / "fr"),
        "coordinator": "desk.example.nl",
        "witness": "https://witness.example.nl:8443/",
        "enough": "",
        "key": KEY.hex,
        "compared": "j",
        "agreed": "ja",
    }
    return list((answers | changes).values())


def test_a_newcomer_gets_a_home_by_answering(tmp_path: Path) -> None:
    told = talk(tmp_path, *usual(tmp_path))
    assert told.exit_code == 0, told.output
    config = Home(tmp_path / "fr").config()
    assert (config.region, config.coordinator.address) == ("FR", "desk.example.nl:443")
    assert [witness.address for witness in config.witnesses] == ["witness.example.nl:8443"]
    assert KEY.fingerprint in told.output
    assert Home(tmp_path / "fr").request_file.exists()


def test_the_letter_to_the_network_names_every_address_and_nothing_incoming(tmp_path: Path) -> None:
    talk(tmp_path, *usual(tmp_path))
    letter = (tmp_path / "fr" / "firewall.txt").read_text(encoding="utf-8")
    assert "desk.example.nl, poort 443 (TCP)" in letter
    assert "witness.example.nl, poort 8443 (TCP)" in letter
    assert "Inkomend verkeer: niets" in letter


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"region": "Nergenshuizen aan Zee\nFR"}, "Zo heet geen regio"),
        ({"coordinator": "geen adres!\ndesk.example.nl:443"}, "Dat is geen adres"),
        ({"key": "0123\n" + KEY.hex}, "Dat is geen publieke sleutel"),
        ({"witness": "een:twee\n-", "enough": KEY.hex, "key": "j", "compared": "j", "agreed": "j"}, "of - voor geen"),
    ],
)
def test_an_answer_that_will_not_do_is_asked_again(tmp_path: Path, answers: dict[str, str], said: str) -> None:
    told = talk(tmp_path, *usual(tmp_path, **answers))
    assert said in told.output
    assert told.exit_code == 0, told.output


def test_a_folder_in_use_is_asked_again(tmp_path: Path) -> None:
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "thesis.doc").touch()
    told = talk(tmp_path, *usual(tmp_path, home=f"{tmp_path / 'used'}\n{tmp_path / 'fr'}"))
    assert "Die map is niet leeg" in told.output
    assert told.exit_code == 0


@pytest.mark.parametrize("changes", [{"compared": "n"}, {"agreed": "n"}, {"compared": ""}, {"agreed": ""}])
def test_without_both_yeses_nothing_is_made(tmp_path: Path, changes: dict[str, str]) -> None:
    told = talk(tmp_path, *usual(tmp_path, **changes))
    assert told.exit_code == 2
    assert "Er is niets gemaakt" in told.output
    assert not (tmp_path / "fr").exists()


def test_it_speaks_english_too(tmp_path: Path) -> None:
    told = talk(tmp_path, *usual(tmp_path), lang="en")
    assert "Which region?" in told.output
    assert (tmp_path / "fr" / "firewall.txt").read_text(encoding="utf-8").startswith("Request to the network")


def test_with_options_and_no_terminal_it_asks_nothing(tmp_path: Path) -> None:
    told = CliRunner().invoke(app, ["init", "--region", "FR"], env={"RONDGANG_HOME": str(tmp_path / "fr")})
    assert told.exit_code == 2
    assert "--ask" in told.output
