"""The desk as a witness, and what it keeps for auditors: checkpoints, forks, documents, answers that differ."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision: str | None = "0002"


def upgrade() -> None:
    """Makes the five tables."""
    _other_answers()
    _checkpoints()
    _shown()
    _forks()
    _documents()


def _other_answers() -> None:
    op.create_table(
        "other_answers",
        sa.Column("run", sa.String(20), comment="The run that was replied to"),
        sa.Column("region", sa.String(8), comment="Region code of the replying node"),
        sa.Column("hash", sa.String(64), comment="SHA-256 of the answer's bytes: each is kept once"),
        sa.Column(
            "answer", sa.LargeBinary, nullable=False, comment="Canonical bytes of the signed answer, as received"
        ),
        sa.Column("received", sa.BigInteger, nullable=False, comment="Unix second in which it first came in"),
        sa.PrimaryKeyConstraint("run", "region", "hash", name="pk_other_answers"),
        sa.ForeignKeyConstraint(["run"], ["runs.run"], name="fk_other_answers_run"),
        comment="Answers that came after a region's first and differ from it: evidence, in no result",
    )


def _checkpoints() -> None:
    op.create_table(
        "checkpoints",
        sa.Column("region", sa.String(8), comment="Code of the region whose log it is"),
        sa.Column("epoch", sa.Integer, comment="Epoch of the log, from 1; a reset opens the next"),
        sa.Column("size", sa.BigInteger, comment="Entries in the log"),
        sa.Column(
            "note", sa.Text, nullable=False, comment="The signed note, with our first and our newest cosignature"
        ),
        sa.Column("time", sa.BigInteger, nullable=False, comment="Unix second under our newest cosignature"),
        sa.PrimaryKeyConstraint("region", "epoch", "size", name="pk_checkpoints"),
        comment="Every checkpoint that we cosigned; a region's last one is that of the latest epoch and size",
    )
    op.create_index("ix_checkpoints_time", "checkpoints", ["time"])


def _shown() -> None:
    op.create_table(
        "shown",
        sa.Column("region", sa.String(8), comment="Code of the region whose log it is"),
        sa.Column("note", sa.Text, nullable=False, comment="Newest checkpoint that a node of another region showed us"),
        sa.Column("at", sa.BigInteger, nullable=False, comment="Unix second in which it was shown"),
        sa.PrimaryKeyConstraint("region", name="pk_shown"),
        comment="What nodes pass on of each other's logs",
    )


def _forks() -> None:
    op.create_table(
        "forks",
        sa.Column("digest", sa.String(64), comment="SHA-256 of why and of both texts: the same is kept once"),
        sa.Column("region", sa.String(8), nullable=False, comment="Code of the region that signed both notes"),
        sa.Column(
            "why", sa.String(20), nullable=False, comment="What they are evidence of: forked, bad_proof or bad_reset"
        ),
        sa.Column("at", sa.BigInteger, nullable=False, comment="Unix second in which the second note was shown"),
        sa.Column("held", sa.Text, nullable=False, comment="The note that we had cosigned or seen"),
        sa.Column("offered", sa.Text, nullable=False, comment="The note that contradicts it"),
        sa.PrimaryKeyConstraint("digest", name="pk_forks"),
        comment="Evidence of logs that contradict themselves",
    )
    op.create_index("ix_forks_region", "forks", ["region"])


def _documents() -> None:
    op.create_table(
        "documents",
        sa.Column("number", sa.Integer, comment="The order in which the desk worked by them"),
        sa.Column("hash", sa.String(64), nullable=False, comment="SHA-256 of the document"),
        sa.Column("since", sa.BigInteger, nullable=False, comment="Unix second in which the desk first worked by it"),
        sa.Column("signed", sa.LargeBinary, nullable=False, comment="Canonical bytes of the signed document"),
        sa.PrimaryKeyConstraint("number", name="pk_documents"),
        sa.UniqueConstraint("hash", name="uq_documents_hash"),
        comment="Every roster, calendar and codebook that the desk worked by",
    )
