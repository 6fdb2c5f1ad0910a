"""The tables, as they are after the newest migration. Every column says what it holds."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)

METADATA = MetaData(
    naming_convention={
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
    }
)

RUNS = Table(
    "runs",
    METADATA,
    Column("run", String(20), primary_key=True, comment="Name of the run: run- and 16 hexadecimal digits"),
    Column("programme_hash", String(64), nullable=False, unique=True, comment="SHA-256 of the programme: one run each"),
    Column("signed_programme", LargeBinary, nullable=False, comment="Canonical bytes of the signed programme"),
    Column("opened", BigInteger, nullable=False, comment="Unix second in which the run was opened"),
    Column("deadline", BigInteger, nullable=False, comment="Unix second after which no region is asked"),
    Column("state", String(10), nullable=False, comment="asking, complete or closed, as last noted"),
    CheckConstraint("state in ('asking', 'complete', 'closed')", name="state"),
    comment="One programme, asked of its regions",
)

REPLIES = Table(
    "replies",
    METADATA,
    Column("run", String(20), ForeignKey("runs.run"), primary_key=True, comment="The run that was replied to"),
    Column("region", String(8), primary_key=True, comment="Region code of the replying node"),
    Column("kind", String(10), nullable=False, comment="answer or refusal"),
    Column("answer", LargeBinary, comment="Canonical bytes of the signed answer, as received; null for a refusal"),
    Column("reason", String(40), comment="Why the region refused: a name of the closed list; null for an answer"),
    Column("sentence", String(2000), comment="What the region says to do next; null for an answer"),
    Column("received", BigInteger, nullable=False, comment="Unix second in which the reply came in"),
    Column("same", Integer, nullable=False, comment="How often the same answer came again, byte for byte"),
    Column("other", Integer, nullable=False, comment="How often another answer came, which was kept out"),
    CheckConstraint("kind in ('answer', 'refusal')", name="kind"),
    CheckConstraint("(kind = 'answer') = (answer is not null)", name="bytes"),
    comment="What each region replied in each run; its first answer stays",
)

RESULTS = Table(
    "results",
    METADATA,
    Column("run", String(20), ForeignKey("runs.run"), primary_key=True, comment="The run that has closed"),
    Column("region", String(8), primary_key=True, comment="Code of the region that gets this"),
    Column("revision", Integer, nullable=False, comment="How many answers are in it; one with more replaces it"),
    Column("hash", String(64), nullable=False, comment="SHA-256 of the result's canonical bytes"),
    Column("signed_result", LargeBinary, nullable=False, comment="Canonical bytes of the signed result"),
    Column("kept", BigInteger, comment="Unix second in which the region said that it has stored it; null until then"),
    comment="What each region gets back of each run; sent until it is kept",
)

SEEN = Table(
    "seen",
    METADATA,
    Column("region", String(8), primary_key=True, comment="Region code of the node"),
    Column("last_seen", BigInteger, nullable=False, comment="Unix second in which the node was last on the line"),
    Column("software", String(100), nullable=False, comment="What the node says it runs"),
    Column("roster_hash", String(64), nullable=False, comment="SHA-256 of the roster that the node works by"),
    Column("calendar_hash", String(64), nullable=False, comment="SHA-256 of the calendar that the node works by"),
    comment="When each region was last seen, and with what",
)
