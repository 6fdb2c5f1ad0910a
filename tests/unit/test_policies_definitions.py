"""Derived variables with named alternatives, parameters and cases that leave a variable missing."""

import numpy as np
import pytest

from node.importing.derived import value
from node.importing.values import MISSING
from policies.documents import BadDocument, from_canonical, parse_yaml, to_canonical
from policies.study.codebook import Codebook
from policies.study.columns import Ref
from policies.study.derive import MISSING_CASE, derived_sources, rules
from policies.study.expressions.parse import Scope, UnknownVariable, parse

CODEBOOK = """
codebook: {id: ways, version: 1}
units: {household: hh, person: person, wave: wave}
caps: {adults: 2, children: 3}
waves: {T0: {nl: eerst, en: first}, T1: {nl: later, en: later}}
tables: {household: {}, adult: {}, child: {}}
variables:
  incidents: {table: household, type: integer, bounds: [0, 100], better: lower, waves: [T0, T1]}
  help:
    {table: household, type: category, categories: {no: {nl: nee, en: no}, yes: {nl: ja, en: yes}}, waves: [T0, T1]}
parameters: {frequent_from: "22"}
derived:
  frequent: {cases: [{when: "incidents >= frequent_from", is: yes}, {else: no}]}
  stopped:
    labels: {nl: gestopt, en: stopped}
    alternatives:
      state: {cases: [{when: "incidents == 0", is: yes}, {else: no}]}
      transition:
        waves: [T1]
        cases: [{when: "incidents@T0 == 0", missing: true}, {when: "incidents == 0", is: yes}, {else: no}]
"""


def codebook(before: str = "", after: str = "") -> Codebook:
    assert before in CODEBOOK
    return parse_yaml(Codebook, CODEBOOK.replace(before, after, 1) if before else CODEBOOK, "codebook.yaml")


def test_an_alternative_is_a_variable_of_its_own() -> None:
    book = codebook()
    assert [name for name in book.columns if "stopped" in name] == ["stopped.state", "stopped.transition"]
    assert book.columns["stopped.transition"].codes == ("yes", "no")
    assert book.columns["stopped.state"].waves == ("T0", "T1")
    assert book.columns["stopped.transition"].waves == ("T1",)
    assert derived_sources("stopped.transition", book) == {"incidents"}
    assert Ref("stopped.state", "T1").stored == "stopped.state__T1"
    assert from_canonical(Codebook, to_canonical(book)) == book


def test_a_case_can_leave_the_variable_missing() -> None:
    """Violence stopped, as a transition: of those who had none at the start it says nothing."""
    assert MISSING_CASE == MISSING
    (rule,) = (rule for rule in rules(codebook()) if rule.ref == Ref("stopped.transition", "T1"))
    before, after = np.array([0, 5, 5, MISSING, 5], np.int32), np.array([0, 0, 3, 0, MISSING], np.int32)
    found = value(rule, {"incidents__T0": before, "incidents__T1": after}, 5)
    assert found.tolist() == [MISSING, 0, 1, MISSING, MISSING]


def test_the_threshold_stands_in_one_place() -> None:
    for threshold in ("22", "40"):
        book = codebook('"22"', f'"{threshold}"')
        scope = Scope(book.columns, "household", "T1")
        (rule,) = (rule for rule in rules(book) if rule.ref == Ref("frequent", "T1"))
        assert rule.cases[0][0] == parse(f"incidents >= {threshold}", scope)
    with pytest.raises(UnknownVariable):
        parse("frequent_from > 3", Scope(book.columns, "household", "T1", parameters=book.parameter_texts))


def test_a_bare_name_needs_a_choice() -> None:
    columns = codebook().columns
    chosen = Scope(columns, "household", "T1", using={"stopped": "transition"})
    full = Scope(columns, "household", "T1")
    assert parse("stopped == yes", chosen) == parse("stopped.transition == yes", full)
    with pytest.raises(UnknownVariable, match=r"expected stopped\.state or stopped\.transition, or one chosen by"):
        parse("stopped == yes", full)
    with pytest.raises(UnknownVariable, match=r"found `stopped\.both`"):
        parse("stopped.both == yes", full)
    assert parse("incidents in {1..3}", full) == parse("incidents >= 1 and incidents <= 3", full)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('"22"', "many", "parameters.frequent_from: expected a decimal"),
        ("frequent_from:", "incidents:", "parameters.incidents: this is the name of a variable"),
        ("frequent_from:", "missing:", "a word of conditions"),
        ('frequent_from", is', 'frequent_upto", is', "expected a number for `incidents`"),
        ("missing: true", "missing: true, is: no", "expected {when: CONDITION"),
        ("missing: true", "missing: false", "expected {when: CONDITION"),
        ("      state: {cases", "      transition2: {cases: [], categories", "derived.stopped.alternatives"),
        ("    alternatives:\n", "    cases: [{else: no}]\n    alternatives:\n", "at least 2 `alternatives`"),
        ('      state: {cases: [{when: "incidents == 0", is: yes}, {else: no}]}\n', "", "at least 2 `alternatives`"),
        ("better: lower", "better: less", "better"),
        ("waves: [T1]\n", "waves: [T5]\n", "no table and wave has every variable"),
        ("type: category, categories", "type: category, better: lower, categories", "belongs to a number"),
    ],
)
def test_what_cannot_be_meant_is_refused(before: str, after: str, said: str) -> None:
    with pytest.raises(BadDocument) as caught:
        codebook(before, after)
    assert said in str(caught.value)
