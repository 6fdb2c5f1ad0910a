"""Bringing the store to the form that this version knows."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from coordinator.errors import StoreTooNew

_SCRIPTS = Path(__file__).resolve().parent / "migrations"


def migrate(engine: Engine) -> None:
    """Runs the migrations that are missing, all in one transaction. Raises `StoreTooNew` for an unknown revision."""
    scripts = ScriptDirectory(str(_SCRIPTS))
    known = {script.revision for script in scripts.walk_revisions()}
    with engine.begin() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
        if current is not None and current not in known:
            raise StoreTooNew(current)
        if current != scripts.get_current_head():
            command.upgrade(config(connection), "head")


def config(connection: Connection) -> Config:
    """Alembic's settings for one connection; there is no alembic.ini."""
    settings = Config()
    # A path with a percent sign would be read as an interpolation.
    settings.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    settings.set_main_option("path_separator", "os")
    settings.attributes["connection"] = connection
    return settings
