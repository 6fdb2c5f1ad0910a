"""A real .sav that is not ours, from a newcomer's first look at it to an answered programme.

electric.sav is of Debian's R package `foreign`: 240 men of the Western Electric study, by SPSS itself.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from rondgang.canonical import digest
from rondgang.signed import Signed, sign
from typer.testing import CliRunner, Result

from node.cli import app
from node.operations import Done, adopt_document
from node.rows import SnapshotRows
from policies.documents import BadDocument, from_canonical, load_yaml, parse_yaml, to_canonical
from policies.statistics.answer import Answer
from policies.statistics.plan import plan
from policies.statistics.programme import Draft
from policies.study.codebook import Codebook
from policies.study.mapping import Mapping, problems
from tests.node_world import COHORT, CONSORTIUM, World, make_home, ordered
from tests.small_study import calendar

pytestmark = pytest.mark.foreign
PLACES = ("/usr/lib/R/library", "/usr/lib/R/site-library", "/usr/share/R/library", "/usr/lib64/R/library")
BOUNDS = {
    "age": "[30, 70]", "dbp58": "[40, 160]", "eduyr": "[0, 20]", "chol58": "[100, 600]", "cgt58": "[0, 80]",
    "ht58": "[50, 90]", "wt58": "[80, 350]",
}  # fmt: skip
"""What a questionnaire would say."""
DRAFT = """
programme:
  id: electric
  title: {nl: Hartziekte, en: Heart disease}
  purpose: To see a file of others through
  requester: Tests
  cohort: c1
  codebook: electric@1
  deadline: 2026-06-30
price: {rho: "0.2"}
statistics:
  - {id: ill, kind: proportion, of: "chd == 1", unit: household, wave: T0}
  - {id: dead_by_history, kind: proportion, of: "vital10 == 1", unit: household, wave: T0, by: [famhxcvr]}
  - {id: pressure, kind: mean, of: dbp58, unit: household, wave: T0}
"""


@pytest.fixture(scope="module")
def electric() -> Path:
    named = os.environ.get("RONDGANG_ELECTRIC_SAV", "")
    found = [Path(named)] if named else [Path(place, "foreign", "files", "electric.sav") for place in PLACES]
    there = [path for path in found if path.is_file()]
    if not there:
        pytest.skip("electric.sav is not here (Debian: apt-get install r-cran-foreign, or set RONDGANG_ELECTRIC_SAV)")
    return there[0]


def _run(*words: str | Path) -> Result:
    done = CliRunner().invoke(app, [*map(str, words), "--lang", "nl"])
    assert done.exit_code == 0, done.output
    return done


def test_a_newcomer_gets_from_a_file_of_others_to_an_answer(electric: Path, tmp_path: Path) -> None:
    drafts = tmp_path / "concept"
    _run("import", electric, "--suggest", "--out", drafts)
    with pytest.raises(BadDocument) as refused:
        load_yaml(Codebook, drafts / "codebook.yaml")
    assert len({place.split(": ")[1].split(".")[1] for place in refused.value.places}) == len(BOUNDS)
    book = parse_yaml(Codebook, _filled_in((drafts / "codebook.yaml").read_text("utf-8")), "codebook.yaml")
    assert not list(problems(load_yaml(Mapping, drafts / "mapping.yaml"), book))
    assert book.variables["dayofwk"].missing == ("9",)

    home = make_home(tmp_path / "home")
    signed = sign("codebook", to_canonical(book), CONSORTIUM)
    assert isinstance(adopt_document(home, signed.to_bytes()), Done)
    words = (electric, "--mapping", drafts / "mapping.yaml", "--cohort", COHORT, "--codebook", "electric@1")
    trial = _run("import", *words, "--dry-run", "--home", home.root)
    assert "240 regels, 240 huishoudens" in trial.stdout
    done = _run("import", *words, "--home", home.root)
    assert "waarden buiten de grenzen" not in done.stdout

    programme = plan(
        parse_yaml(Draft, DRAFT, "draft"), book, calendar(), (signed.digest, digest(to_canonical(calendar())))
    )
    world, rows = World(home), SnapshotRows(home)
    try:
        reply = world.asked(ordered(programme), rows)
    finally:
        rows.close()
        world.region.close()
    assert isinstance(reply, bytes), reply
    answer = from_canonical(Answer, Signed.from_bytes(reply).document)
    assert answer.programme == ordered(programme).asked.digest


def _filled_in(draft: str) -> str:
    """As somebody with the questionnaire beside it would."""
    for name, bounds in BOUNDS.items():
        open_bounds = re.compile(rf"(  {name}:.*?bounds: )\[LAAGSTE, HOOGSTE\]", re.DOTALL)
        draft, times = open_bounds.subn(rf"\g<1>{bounds}", draft, count=1)
        assert times == 1, name
    return draft
