"""The alert rules speak of metrics that exist, tell a person what to do, and say it when their tests expect it."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml

from audit.witness import metrics as witness
from coordinator import metrics as coordinator
from node import metrics as node
from tests.shape.sources import CHECKOUT

FOLDER = CHECKOUT / "compose" / "monitoring"
OURS = {family.name: family for list_ in (node.FAMILIES, coordinator.FAMILIES, witness.FAMILIES) for family in list_}
_NAME = re.compile(r"\b(?:rondgang|node_filesystem)_[a-z0-9_]+")
_SELECTOR = re.compile(r"(rondgang_[a-z0-9_]+)\{([^}]*)\}")


def _rules() -> list[dict[str, Any]]:
    text = (FOLDER / "rondgang.rules.yaml").read_text(encoding="utf-8")
    return [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]


def test_rules_speak_of_metrics_and_labels_that_exist() -> None:
    for rule in _rules():
        names = set(_NAME.findall(rule["expr"]))
        assert names, rule["alert"]
        ours = {name for name in names if name.startswith("rondgang")}
        assert {name for name in ours if name not in OURS} == set(), rule["alert"]
        assert names - ours <= {"node_filesystem_avail_bytes", "node_filesystem_size_bytes"}
        for name, selector in _SELECTOR.findall(rule["expr"]):
            for label, operator, value in re.findall(r'(\w+)(=~|=)"([^"]*)"', selector):
                allowed = OURS[name].labels[label]
                asked = value.split("|") if operator == "=~" else [value]
                assert isinstance(allowed, frozenset)
                assert set(asked) <= allowed, rule["alert"]
        for label in re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())):
            assert label == "mountpoint" or any(label in OURS[name].labels for name in ours), rule["alert"]


def test_every_rule_has_a_name_of_its_own_a_severity_and_says_what_to_do() -> None:
    rules = _rules()
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        assert rule["labels"]["severity"] in ("info", "warning", "critical")
        assert set(rule["annotations"]) == {"summary", "action"}


@pytest.mark.promtool
@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Debian: apt-get install prometheus) is absent")
def test_rules_fire_when_their_own_tests_expect_it() -> None:
    for words in (("check", "rules", "rondgang.rules.yaml"), ("test", "rules", "rondgang.rules.test.yaml")):
        ran = subprocess.run(["promtool", *words], cwd=FOLDER, capture_output=True, text=True, timeout=60, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
