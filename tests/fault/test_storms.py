"""A storm of twenty faults, one of each kind, over thirteen regions; `make chaos` does ten times as many."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from compose.chaos.faults import can_mount
from compose.containers.__main__ import regions_of
from compose.containers.engine import answers
from tests.e2e.world import quiet
from tests.storms.kinds import Kind
from tests.storms.run import Storms

pytestmark = [pytest.mark.docker, pytest.mark.slow]

SEED = 2026


def test_twenty_faults_end_in_answers_or_reasons_and_ledgers_that_hold(tmp_path: Path) -> None:
    if not answers():
        pytest.skip("no container engine answers; as root: sh compose/ci/engine.sh up")
    if not can_mount():
        pytest.skip("storms kill processes of containers and fill disks in memory: that takes root")
    project = f"rondgang-storms-{os.getpid()}"
    report = Storms(tmp_path, regions_of(13)[0], SEED, len(Kind), project, quiet).run()
    assert report.violations == ()
    assert {hit.fault.kind for hit in report.hits} == set(Kind)
    assert all(one.entries > one.debits > one.answers > 0 for one in report.audits)
