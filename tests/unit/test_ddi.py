"""DDI-Codebook 2.5 to a draft codebook: what it states is taken over, what it does not is said with its line."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from node.cli import app
from policies.documents import BadDocument, load_yaml, parse_yaml
from policies.study.codebook import Codebook

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<codeBook xmlns="ddi:codebook:2_5" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" version="2.5" xml:lang="nl"
  xsi:schemaLocation="ddi:codebook:2_5 https://ddialliance.org/Specification/DDI-Codebook/2.5/XMLSchema/codebook.xsd">
<docDscr><citation><titlStmt><titl>Documentatie</titl></titlStmt></citation></docDscr>
<stdyDscr><citation><titlStmt><titl>Veilig opgroeien, cohort 3</titl><IDNo>c3</IDNo></titlStmt></citation></stdyDscr>
<fileDscr ID="F1"><fileTxt><fileName>gezinnen.sav</fileName></fileTxt></fileDscr>
<dataDscr>
"""
VARIABLES = """
<var ID="V1" name="RESPNR" files="F1" intrvl="discrete"><labl>Respondentnummer</labl><varFormat type="numeric"/></var>
<var ID="V2" name="INCID_T0" files="F1" intrvl="discrete" dcml="0">
  <labl xml:lang="nl" level="variable">Incidenten   afgelopen jaar</labl><labl xml:lang="en">Incidents past year</labl>
  <qstn><preQTxt>Nu volgen vragen.</preQTxt><qstnLit xml:lang="nl">Hoe vaak kwam het voor?</qstnLit></qstn>
  <valrng><range UNITS="INT" min="0" max="825"/></valrng>
  <invalrng><item VALUE="999"/><range min="-9" max="-8"/></invalrng>
  <universe>Alle gezinnen</universe><sumStat type="max">412</sumStat><varFormat type="numeric" formatname="F3.0"/>
</var>
<var ID="V3" name="INCID_T1" files="F1" intrvl="discrete" dcml="0"><labl>Incidenten afgelopen jaar</labl>
  <valrng><range min="0" max="825"/></valrng><varFormat type="numeric"/></var>
<var ID="V4" name="HULP" files="F1" intrvl="discrete"><labl xml:lang="nl">Hulp</labl><labl xml:lang="en">Help</labl>
  <catgry><catValu>1</catValu><labl xml:lang="nl">geen hulp</labl><labl xml:lang="en">no help</labl>
  <catStat type="freq">61</catStat></catgry>
  <catgry><catValu>2</catValu><labl xml:lang="nl">wel hulp</labl><labl xml:lang="en">help</labl></catgry>
  <catgry missing="Y"><catValu>9</catValu><labl xml:lang="nl">weet niet</labl></catgry><varFormat type="numeric"/>
</var>
<var ID="V5" name="KIND1_CIJFER_T0" intrvl="contin" dcml="1"><labl>Cijfer voor het leven</labl>
  <valrng><range min="0" max="10"/></valrng><catgry><catValu>0</catValu><labl>heel slecht</labl></catgry>
  <catgry><catValu>10</catValu><labl>heel goed</labl></catgry><varFormat type="numeric"/></var>
<var ID="V6" name="KIND2_CIJFER_T0" intrvl="contin" dcml="1"><labl>Cijfer voor het leven</labl>
  <valrng><range min="0" max="10"/></valrng><varFormat type="numeric"/></var>
"""
OPEN = """<var ID="V7" name="LFT_MOEDER" intrvl="discrete"><labl>Leeftijd</labl><universe>moeders</universe>
<varFormat type="numeric"/></var>
<var ID="V8" name="TOELICHTING" intrvl="discrete"><labl>Toelichting</labl><varFormat type="character"/></var>
"""
TAIL = "</dataDscr></codeBook>\n"
BOMB = (
    '<!DOCTYPE codeBook [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;">]>\n'
)
FETCH = '<!DOCTYPE codeBook [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n'


def _drafted(folder: Path, text: str | bytes, *words: str) -> Result:
    path = folder / "studie.xml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return CliRunner().invoke(app, ["codebook", str(path), *words])


def test_a_documented_study_becomes_a_codebook_that_loads(tmp_path: Path) -> None:
    done = _drafted(tmp_path, HEAD + VARIABLES + TAIL, "--out", str(tmp_path / "codebook.yaml"), "--id", "cohort3")
    assert done.exit_code == 0, done.output
    book = load_yaml(Codebook, tmp_path / "codebook.yaml")
    assert (book.label, book.units.household, tuple(book.waves)) == ("cohort3@1", "RESPNR", ("T0", "T1"))
    assert book.codebook.labels is not None
    assert book.codebook.labels.nl == "Veilig opgroeien, cohort 3"
    incidents, grade = book.variables["incid"], book.variables["kind_cijfer"]
    assert (incidents.type, incidents.waves) == ("integer", ("T0", "T1"))
    assert incidents.bounds == (Decimal(0), Decimal(825))
    assert incidents.missing == ("999", "-9", "-8")
    assert incidents.labels is not None
    assert (incidents.labels.nl, incidents.labels.en) == ("Incidenten afgelopen jaar", "Incidents past year")
    assert (grade.table, grade.type, str(grade.grid)) == ("child", "decimal", "0.1")
    assert grade.bounds == (Decimal(0), Decimal(10))
    help_ = book.variables["hulp"]
    assert [(one.code, one.label.nl, one.label.en) for one in help_.categories] == [
        ("1", "geen hulp", "no help"), ("2", "wel hulp", "help")
    ]  # fmt: skip
    assert help_.missing == ("9",)


def test_what_a_documentation_does_not_say_is_listed_with_its_line_and_holds_the_codebook_up(tmp_path: Path) -> None:
    text = HEAD + VARIABLES + OPEN + TAIL
    line = text[: text.index('name="LFT_MOEDER"')].count("\n") + 1
    done = _drafted(tmp_path, text, "--out", str(tmp_path / "codebook.yaml"))
    assert done.exit_code == 0
    assert f"studie.xml:{line}: LFT_MOEDER: geen geldig bereik" in done.stdout
    assert "TOELICHTING: lijkt vrije tekst" in done.stdout
    draft = (tmp_path / "codebook.yaml").read_text("utf-8")
    with pytest.raises(BadDocument) as refused:
        parse_yaml(Codebook, draft, "codebook.yaml")
    assert all("lft_moeder.bounds" in place for place in refused.value.places)
    book = parse_yaml(Codebook, draft.replace("[LAAGSTE, HOOGSTE]", "[15, 99]"), "codebook.yaml")
    assert book.variables["lft_moeder"].table == "adult"
    told = json.loads(_drafted(tmp_path, text, "--json").stdout)
    assert told["lacking"] == [{"file": "studie.xml", "line": line, "variable": "LFT_MOEDER", "what": "range"}]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (HEAD.replace("?>\n", "?>\n" + BOMB, 1) + VARIABLES + TAIL, "uit voorzorg geweigerd"),
        (HEAD.replace("?>\n", "?>\n" + FETCH, 1) + VARIABLES + TAIL, "uit voorzorg geweigerd"),
        (HEAD.replace("2_5", "2_1") + VARIABLES + TAIL, "maar: ddi:codebook:2_1 codeBook"),
        ('<DDIInstance xmlns="ddi:instance:3_3"/>', "maar: ddi:instance:3_3 DDIInstance"),
        (HEAD + TAIL, "beschrijft geen variabelen"),
        (HEAD + VARIABLES, "niet te lezen als XML (regel"),
        ("", "niet te lezen als XML (regel 1)"),
        ("gezin;meting\n1;2\n", "niet te lezen als XML (regel 1)"),
        (b"\xff\xfe\x00\x01" * 20, "niet te lezen als XML"),
        (HEAD + "<x>" * 100 + "</x>" * 100 + TAIL, "te groot om te lezen"),
        (HEAD + '<var name="A">' + "<catgry/>" * 2001 + "</var>" + TAIL, "te groot om te lezen"),
    ],
    ids=["bomb", "fetch", "older", "lifecycle", "none", "broken", "empty", "csv", "bytes", "deep", "many"],
)
def test_what_is_no_documentation_is_refused_in_one_sentence(tmp_path: Path, text: str | bytes, sentence: str) -> None:
    refused = _drafted(tmp_path, text)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert sentence in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert "root:" not in refused.stderr


def test_a_file_that_is_too_large_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "groot.xml"
    with path.open("wb") as file:
        file.truncate(65 << 20)
    refused = CliRunner().invoke(app, ["codebook", str(path)])
    assert refused.exit_code == 2
    assert "te groot" in refused.stderr


def test_a_draft_never_replaces_somebodys_work(tmp_path: Path) -> None:
    (tmp_path / "codebook.yaml").write_text("mine", encoding="utf-8")
    refused = _drafted(tmp_path, HEAD + VARIABLES + TAIL, "--out", str(tmp_path / "codebook.yaml"))
    assert refused.exit_code == 2
    assert (tmp_path / "codebook.yaml").read_text("utf-8") == "mine"
