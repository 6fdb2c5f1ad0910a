"""Attempts at national sums, the documents of their rounds, and the finished sums."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision: str | None = "0003"


def upgrade() -> None:
    """Makes the four tables."""
    _attempts()
    _attempt_papers()
    _sums()
    _sums_given()


def _attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("run", sa.String(20), comment="The run whose national sums it is at"),
        sa.Column("attempt", sa.Integer, comment="Its number in the run, from 1; never given twice"),
        sa.Column("begun", sa.BigInteger, nullable=False, comment="Unix second in which its order was signed"),
        sa.Column("state", sa.String(10), nullable=False, comment="keys, fixed (who takes part), summed or aborted"),
        sa.Column(
            "sentence",
            sa.String(2000),
            comment="Why it was aborted, or why it waits no longer for keys",
        ),
        sa.PrimaryKeyConstraint("run", "attempt", name="pk_attempts"),
        sa.ForeignKeyConstraint(["run"], ["runs.run"], name="fk_attempts_run"),
        sa.CheckConstraint("state in ('keys', 'fixed', 'summed', 'aborted')", name="ck_attempts_state"),
        sa.CheckConstraint("state <> 'aborted' or sentence is not null", name="ck_attempts_why"),
        comment="Every attempt at national sums, written before any region hears of it",
    )


def _attempt_papers() -> None:
    op.create_table(
        "attempt_papers",
        sa.Column("number", sa.Integer, comment="The order in which they were fixed or came"),
        sa.Column("run", sa.String(20), nullable=False, comment="The run of the attempt"),
        sa.Column("attempt", sa.Integer, nullable=False, comment="The attempt that they belong to"),
        sa.Column("hash", sa.String(64), nullable=False, comment="SHA-256 of the document"),
        sa.Column("signed", sa.LargeBinary, nullable=False, comment="Canonical bytes of the signed document"),
        sa.PrimaryKeyConstraint("number", name="pk_attempt_papers"),
        sa.ForeignKeyConstraint(["run", "attempt"], ["attempts.run", "attempts.attempt"], name="fk_attempt_papers_run"),
        sa.UniqueConstraint("run", "attempt", "hash", name="uq_attempt_papers_run"),
        comment="The signed documents of each attempt's rounds: evidence of who was shown what",
    )


def _sums() -> None:
    op.create_table(
        "sums",
        sa.Column("run", sa.String(20), comment="The run: one finished sum each"),
        sa.Column("attempt", sa.Integer, nullable=False, comment="The attempt that gave it"),
        sa.Column("hash", sa.String(64), nullable=False, comment="SHA-256 of the sum's document"),
        sa.Column(
            "signed", sa.LargeBinary, nullable=False, comment="Canonical bytes of the signed sum, noise included"
        ),
        sa.Column("finished", sa.BigInteger, nullable=False, comment="Unix second in which it was put together"),
        sa.PrimaryKeyConstraint("run", name="pk_sums"),
        sa.ForeignKeyConstraint(["run", "attempt"], ["attempts.run", "attempts.attempt"], name="fk_sums_run"),
        comment="The finished national sums; here before anybody hears of one",
    )


def _sums_given() -> None:
    op.create_table(
        "sums_given",
        sa.Column("run", sa.String(20), comment="The run whose sum it is"),
        sa.Column("region", sa.String(8), comment="Code of a region of the programme"),
        sa.Column(
            "kept",
            sa.BigInteger,
            comment="Unix second in which the region said that it has stored it; null until then",
        ),
        sa.PrimaryKeyConstraint("run", "region", name="pk_sums_given"),
        sa.ForeignKeyConstraint(["run"], ["sums.run"], name="fk_sums_given_run"),
        comment="To whom each finished sum is sent until it is kept",
    )
