"""Runs, replies, and when each region was last seen."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None


def upgrade() -> None:
    """Makes the three tables."""
    _runs()
    _replies()
    _seen()


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("run", sa.String(20), comment="Name of the run: run- and 16 hexadecimal digits"),
        sa.Column("programme_hash", sa.String(64), nullable=False, comment="SHA-256 of the programme: one run each"),
        sa.Column(
            "signed_programme", sa.LargeBinary, nullable=False, comment="Canonical bytes of the signed programme"
        ),
        sa.Column("opened", sa.BigInteger, nullable=False, comment="Unix second in which the run was opened"),
        sa.Column("deadline", sa.BigInteger, nullable=False, comment="Unix second after which no region is asked"),
        sa.Column("state", sa.String(10), nullable=False, comment="asking, complete or closed, as last noted"),
        sa.PrimaryKeyConstraint("run", name="pk_runs"),
        sa.UniqueConstraint("programme_hash", name="uq_runs_programme_hash"),
        sa.CheckConstraint("state in ('asking', 'complete', 'closed')", name="ck_runs_state"),
        comment="One programme, asked of its regions",
    )


def _replies() -> None:
    op.create_table(
        "replies",
        sa.Column("run", sa.String(20), comment="The run that was replied to"),
        sa.Column("region", sa.String(8), comment="Region code of the replying node"),
        sa.Column("kind", sa.String(10), nullable=False, comment="answer or refusal"),
        sa.Column(
            "answer", sa.LargeBinary, comment="Canonical bytes of the signed answer, as received; null for a refusal"
        ),
        sa.Column(
            "reason", sa.String(40), comment="Why the region refused: a name of the closed list; null for an answer"
        ),
        sa.Column("sentence", sa.String(2000), comment="What the region says to do next; null for an answer"),
        sa.Column("received", sa.BigInteger, nullable=False, comment="Unix second in which the reply came in"),
        sa.Column("same", sa.Integer, nullable=False, comment="How often the same answer came again, byte for byte"),
        sa.Column("other", sa.Integer, nullable=False, comment="How often another answer came, which was kept out"),
        sa.PrimaryKeyConstraint("run", "region", name="pk_replies"),
        sa.ForeignKeyConstraint(["run"], ["runs.run"], name="fk_replies_run"),
        sa.CheckConstraint("kind in ('answer', 'refusal')", name="ck_replies_kind"),
        sa.CheckConstraint("(kind = 'answer') = (answer is not null)", name="ck_replies_bytes"),
        comment="What each region replied in each run; its first answer stays",
    )


def _seen() -> None:
    op.create_table(
        "seen",
        sa.Column("region", sa.String(8), comment="Region code of the node"),
        sa.Column(
            "last_seen", sa.BigInteger, nullable=False, comment="Unix second in which the node was last on the line"
        ),
        sa.Column("software", sa.String(100), nullable=False, comment="What the node says it runs"),
        sa.Column("roster_hash", sa.String(64), nullable=False, comment="SHA-256 of the roster that the node works by"),
        sa.Column(
            "calendar_hash", sa.String(64), nullable=False, comment="SHA-256 of the calendar that the node works by"
        ),
        sa.PrimaryKeyConstraint("region", name="pk_seen"),
        comment="When each region was last seen, and with what",
    )
