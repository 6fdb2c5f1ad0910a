"""What each region gets back of a run that has closed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision: str | None = "0001"


def upgrade() -> None:
    """Makes the table."""
    op.create_table(
        "results",
        sa.Column("run", sa.String(20), comment="The run that has closed"),
        sa.Column("region", sa.String(8), comment="Code of the region that gets this"),
        sa.Column(
            "revision", sa.Integer, nullable=False, comment="How many answers are in it; one with more replaces it"
        ),
        sa.Column("hash", sa.String(64), nullable=False, comment="SHA-256 of the result's canonical bytes"),
        sa.Column("signed_result", sa.LargeBinary, nullable=False, comment="Canonical bytes of the signed result"),
        sa.Column(
            "kept", sa.BigInteger, comment="Unix second in which the region said that it has stored it; null until then"
        ),
        sa.PrimaryKeyConstraint("run", "region", name="pk_results"),
        sa.ForeignKeyConstraint(["run"], ["runs.run"], name="fk_results_run"),
        comment="What each region gets back of each run; sent until it is kept",
    )
