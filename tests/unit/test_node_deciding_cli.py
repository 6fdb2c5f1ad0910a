"""The steward's verbs at the command line: what they print, whose key they take, and how they end."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from rondgang.keys import SigningKey
from rondgang.signed import Signed, sign
from typer.testing import CliRunner, Result

from node.cli import app
from node.entropy import seed32
from node.home import Home
from policies.documents import from_canonical, to_canonical
from policies.rules.approval import DECLINED_SENTENCES
from policies.rules.region_policy import RegionPolicy
from tests.asking import ask, asked_for
from tests.node_world import RESEARCHER, STEWARD, make_home, put_snapshot
from tests.small_study import POLICY, planned

DONE, REFUSED, BAD_INPUT = 0, 1, 2
Verb = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = make_home(tmp_path / "home", always=True, approval="steward")
    put_snapshot(made)
    return made


@pytest.fixture
def run(home: Home) -> Verb:
    def call(*words: str | Path, lang: str = "nl", exit_code: int = DONE) -> Result:
        given = [*map(str, words), "--home", str(home.root), "--lang", lang]
        result = CliRunner().invoke(app, given, env={"COLUMNS": "100"})
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == exit_code, result.output
        return result

    return call


def test_what_waits_is_told_in_dutch_with_price_and_purpose(home: Home, run: Verb) -> None:
    assert "Er wacht geen vraag op uw besluit." in run("pending").stdout
    hashed = ask(home, asked_for("uitkomst"))
    listed = run("pending").stdout
    assert "Er wacht 1 vraag op uw besluit." in listed
    assert f"{hashed[:12]}  Vraag uitkomst (uitkomst)" in listed
    assert "To have something small to check" in listed
    assert "Tests; ondertekend door researcher" in listed
    assert "aandeel huishoudens met ‘state: none’ (meting T1, later)" in listed
    assert f"en nog 4; bekijk ze met rondgang node pending {hashed[:12]}" in listed
    whole = run("pending", hashed[:8], lang="en").stdout
    assert hashed in whole
    assert "transitions" not in whole
    assert "broken down by ‘profile’" in whole
    assert whole.count("\n") < 45
    told = json.loads(run("pending", "--json").stdout)["pending"]
    assert [one["hash"] for one in told] == [hashed]
    assert told[0]["price"]["rho"] == planned().charge.amount.text()


def test_a_strangers_words_do_not_steer_the_terminal(home: Home, run: Verb) -> None:
    """Moving the cursor, new lines and another reading direction are the program's to print, not a stranger's."""
    hashed = ask(home, asked_for("kwaad", purpose="\x1b[2Jgoed\u202edoel\r\nGoedgekeurd", requester="\x9b31mIemand"))
    for words in (("pending",), ("pending", hashed)):
        shown = run(*words).stdout
        assert not {"\x1b", "\x9b", "\u202e", "\r"} & set(shown)
        assert "Goedgekeurd" not in [line.strip() for line in shown.splitlines()]


def test_approving_signs_with_the_homes_key_and_says_so_once(home: Home, run: Verb) -> None:
    hashed = ask(home, asked_for("a"))
    shown = run("approve", hashed[:8])
    assert f"Goedgekeurd: Vraag a ({hashed[:12]})" in shown.stdout
    assert "er is niets veranderd" in run("approve", hashed).stdout
    assert "wacht geen vraag" in run("pending").stdout
    told = json.loads(run("approve", hashed, "--json").stdout)
    assert told == {
        "word": "approved", "programme": hashed, "new": False, "charged": False, "entry": None, "leaf": "",
        "reason": None, "note": None, "page": None,
    }  # fmt: skip
    assert "goedgekeurd" in run("pending", hashed).stdout


def test_refusing_says_what_they_read_and_keeps_the_note_at_home(home: Home, run: Verb) -> None:
    hashed = ask(home, asked_for("b"))
    shown = run("refuse", hashed[:12], "--reason", "detail", "--note", "wijk X\nis te klein").stdout
    assert "Geweigerd: Vraag b" in shown
    assert DECLINED_SENTENCES["detail"] in shown
    note = home.root / "notes" / f"{hashed}.txt"
    assert note.stat().st_mode & 0o777 == 0o600
    assert note.read_text(encoding="utf-8").endswith("detail: wijk X is te klein\n")
    assert "wijk X" in run("pending", hashed).stdout
    others = [path for path in home.root.rglob("*") if path.is_file() and path != note]
    assert not [path for path in others if b"wijk X" in path.read_bytes()]
    run("approve", hashed, "--note", "toch maar wel")
    assert note.read_text(encoding="utf-8").count("\n") == 2


def test_a_key_that_is_kept_elsewhere_is_taken_and_another_is_not(home: Home, run: Verb, tmp_path: Path) -> None:
    first, second = ask(home, asked_for("c")), ask(home, asked_for("d"))
    stick = tmp_path / "a stick" / "steward.pem"
    stick.parent.mkdir()
    (home.keys / "steward.pem").rename(stick)
    assert "geen sleutel" in run("approve", first, exit_code=BAD_INPUT).stderr
    run("approve", first, "--key", stick)
    other = tmp_path / "other.pem"
    stranger = SigningKey.generate(seed32())
    other.write_bytes(stranger.to_pem())
    refused = run("refuse", second, "--reason", "price", "--key", other, exit_code=REFUSED)
    assert stranger.public.fingerprint in refused.stderr
    other.write_bytes(b"no key")
    run("approve", second, "--key", other, exit_code=BAD_INPUT)
    assert json.loads(run("pending", "--json").stdout)["pending"][0]["hash"] == second


def test_a_hash_that_is_none_or_nobodys_is_said_to_be(home: Home, run: Verb) -> None:
    assert "geen kenmerk" in run("approve", "abc", exit_code=BAD_INPUT).stderr
    assert "geen kenmerk" in run("pending", "../../../etc", exit_code=BAD_INPUT).stderr
    assert "niet gesteld" in run("refuse", "0" * 12, "--reason", "other", exit_code=REFUSED).stderr
    assert json.loads(run("approve", "0" * 12, "--json", exit_code=REFUSED).stdout)["refused"] == "unknown"
    run("refuse", "0" * 12, "--reason", "mood", exit_code=BAD_INPUT)


def policy_file(folder: Path, **changes: str) -> Path:
    """The small policy with other texts in it."""
    text = POLICY
    for old, new in changes.items():
        text += f"{old}: {new}\n"
    path = folder / "policy.yaml"
    path.write_text(text.replace("version: 1", "version: 2"), encoding="utf-8")
    return path


def test_a_policy_is_explained_compared_and_adopted(home: Home, run: Verb, tmp_path: Path) -> None:
    path = policy_file(tmp_path, variables="{deny: [grade]}", statistics="[count, mean, histogram]")
    meaning = run("policy", "check", path).stdout
    for said in (
        "Beleid versie 2 voor regio AA.",
        "Nu in gebruik: versie 1.",
        "cohort c1 rho 0,5 (epsilon 5,",
        "Nooit te gebruiken: grade.",
        "Wat mag, beantwoordt het knooppunt zonder u.",
        "2 getuigen meetekenen",
        "kan worden overgenomen",
    ):
        assert said in meaning
    shown = run("policy", "diff", path, lang="en").stdout
    assert "LOOSENS   approval: by you -> by the node" in shown
    assert "LOOSENS   may answer: nothing -> histograms" in shown
    assert "tightens  never to be used: nothing -> grade" in shown
    assert "2 loosen, 3 tighten." in shown
    told = json.loads(run("policy", "diff", path, "--json").stdout)
    assert {"field": "approval", "old": "steward", "new": "automatic", "direction": "loosens"} in told["changes"]
    assert json.loads(run("policy", "adopt", path, "--json").stdout)["new"]
    assert "Er verandert niets" in run("policy", "diff", path).stdout
    assert "Al in gebruik" in run("policy", "adopt", path).stdout


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"region": "BB"}, "beleid van regio BB"),
        ({"variables": "{deny: [incidence]}"}, "De variabele incidence"),
        ({"witnesses": "{need: 1}"}, "Zet witnesses.need op 2"),
    ],
)
def test_a_policy_that_would_not_be_adopted_says_what_to_change(
    run: Verb, tmp_path: Path, changes: dict[str, str], said: str
) -> None:
    path = policy_file(tmp_path, **changes)
    assert said in run("policy", "check", path, exit_code=REFUSED).stdout
    assert said in run("policy", "adopt", path, exit_code=REFUSED).stderr
    assert not json.loads(run("policy", "check", path, "--json", exit_code=REFUSED).stdout)["adoptable"]


def test_what_a_policy_says_of_national_sums_is_explained_and_compared(run: Verb, tmp_path: Path) -> None:
    assert "Landelijke sommen: nee." in run("policy", "check", policy_file(tmp_path)).stdout
    path = policy_file(tmp_path, secure="{own_noise: {rho: '1.5'}, attempts: 2, colluders: 3}")
    told = run("policy", "check", path).stdout
    assert "hooguit 2 pogingen per run" in told
    assert "minstens 3 regio('s)" in told
    assert "een huishouden hooguit rho 1,5" in told
    changed = run("policy", "diff", path).stdout
    assert "grens als alle andere regio's samenspannen: niets -> rho 1,5" in changed


def test_another_content_under_the_same_version_is_declined(run: Verb, tmp_path: Path) -> None:
    path = policy_file(tmp_path, tick_ms="50")
    path.write_text(path.read_text().replace("version: 2", "version: 1"))
    assert "Geef dit beleid versie 2" in run("policy", "adopt", path, exit_code=REFUSED).stderr


def test_a_rule_for_which_the_roster_has_too_few_witnesses_is_adopted_with_a_warning(run: Verb, tmp_path: Path) -> None:
    path = policy_file(tmp_path, witnesses="{need: 3}")
    adopted = run("policy", "adopt", path).stdout
    assert "Let op: De ledenlijst telt 2 getuigen; deze regel vraagt er 3" in adopted


def test_a_policy_is_signed_elsewhere_and_adopted_here(home: Home, run: Verb, tmp_path: Path) -> None:
    path, out = policy_file(tmp_path, region="AA"), tmp_path / "signed.json"
    stick = tmp_path / "steward.pem"
    stick.write_bytes(STEWARD.to_pem())
    offline = CliRunner().invoke(
        app, ["policy", "sign", str(path), "--out", str(out), "--key", str(stick)], env={"RONDGANG_HOME": ""}
    )
    assert offline.exit_code == DONE, offline.output
    (home.keys / "steward.pem").unlink()
    assert "kan worden overgenomen" in run("policy", "check", out).stdout
    assert json.loads(run("policy", "adopt", out, "--json").stdout)["name"] == "2"
    assert json.loads(run("policy", "show", "--json").stdout)["policy"]["version"] == 2
    run("status")


def test_a_policy_of_another_signer_is_declined(run: Verb, tmp_path: Path) -> None:
    policy = RegionPolicy.model_validate(
        {"policy": {"version": 2}, "region": "AA", "cohorts": {}, "lifetime": {"rho": "1"}, "programme": {"rho": "1"}}
    )
    out = tmp_path / "signed.json"
    out.write_bytes(sign("policy", to_canonical(policy), RESEARCHER).to_bytes())
    assert "No live steward of region AA" in run("policy", "adopt", out, exit_code=REFUSED).stderr
    out.write_bytes(sign("programme", to_canonical(policy), STEWARD).to_bytes())
    assert "expected a signed policy" in run("policy", "adopt", out, exit_code=BAD_INPUT).stderr
    out.write_bytes(sign("policy", to_canonical(policy), STEWARD).to_bytes()[:-9])
    run("policy", "check", out, exit_code=BAD_INPUT)


def test_signing_needs_a_region_and_a_key(run: Verb, tmp_path: Path) -> None:
    path, out = policy_file(tmp_path), tmp_path / "signed.json"
    words = ["policy", "sign", str(path), "--out", str(out)]
    assert CliRunner().invoke(app, words, env={"RONDGANG_HOME": ""}).exit_code == BAD_INPUT
    assert "regio AA" in run(*words).stdout
    signed = Signed.from_bytes(out.read_bytes())
    assert from_canonical(RegionPolicy, signed.document).region == "AA"
    path.write_text(path.read_text() + "region: BB\n")
    run(*words, exit_code=BAD_INPUT)
    run("policy", "sign", policy_file(tmp_path), "--out", tmp_path / "no folder" / "x", exit_code=BAD_INPUT)
