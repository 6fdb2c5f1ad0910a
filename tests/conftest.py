"""What every kind of test shares: a required capability may not be skipped, and a throwaway PostgreSQL server."""

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.postgres import NoPostgres, server

CHECKOUT = Path(__file__).resolve().parent.parent
REQUIRED = frozenset(filter(None, os.environ.get("RONDGANG_REQUIRE", "").split(",")))
"""Marks whose tests must run: a skip of such a test is a failure. For machines that ought to have everything."""


def pytest_configure(config: pytest.Config) -> None:
    known = {str(line).partition(":")[0].strip() for line in config.getini("markers")}
    if unknown := REQUIRED - known:
        raise pytest.UsageError(f"RONDGANG_REQUIRE names no mark of pyproject.toml: {', '.join(sorted(unknown))}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    wanted = REQUIRED.intersection(mark.name for mark in item.iter_markers())
    if wanted and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"RONDGANG_REQUIRE={','.join(sorted(wanted))}, yet this test was skipped. {reason}"
    return report


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The root of the checkout under test."""
    return CHECKOUT


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A SQLAlchemy URL of an empty database on a server of our own, or of $RONDGANG_POSTGRES_URL where that is set.

    Tests that use it carry the mark `postgres`. Skips where PostgreSQL's server programs are not installed.
    """
    if given := os.environ.get("RONDGANG_POSTGRES_URL"):
        yield given
        return
    try:
        with server(tmp_path_factory.mktemp("postgres")) as url:
            yield url
    except NoPostgres as absent:
        pytest.skip(str(absent))
