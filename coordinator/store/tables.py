"""The tables, as they are after the newest migration. Every column says what it holds."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
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

OTHER_ANSWERS = Table(
    "other_answers",
    METADATA,
    Column("run", String(20), ForeignKey("runs.run"), primary_key=True, comment="The run that was replied to"),
    Column("region", String(8), primary_key=True, comment="Region code of the replying node"),
    Column("hash", String(64), primary_key=True, comment="SHA-256 of the answer's bytes: each is kept once"),
    Column("answer", LargeBinary, nullable=False, comment="Canonical bytes of the signed answer, as received"),
    Column("received", BigInteger, nullable=False, comment="Unix second in which it first came in"),
    comment="Answers that came after a region's first and differ from it: evidence, in no result",
)

CHECKPOINTS = Table(
    "checkpoints",
    METADATA,
    Column("region", String(8), primary_key=True, comment="Code of the region whose log it is"),
    Column("epoch", Integer, primary_key=True, comment="Epoch of the log, from 1; a reset opens the next"),
    Column("size", BigInteger, primary_key=True, comment="Entries in the log"),
    Column("note", Text, nullable=False, comment="The signed note, with our first and our newest cosignature"),
    Column("time", BigInteger, nullable=False, comment="Unix second under our newest cosignature"),
    Index("ix_checkpoints_time", "time"),
    comment="Every checkpoint that we cosigned; a region's last one is that of the latest epoch and size",
)

SHOWN = Table(
    "shown",
    METADATA,
    Column("region", String(8), primary_key=True, comment="Code of the region whose log it is"),
    Column("note", Text, nullable=False, comment="Newest checkpoint that a node of another region showed us"),
    Column("at", BigInteger, nullable=False, comment="Unix second in which it was shown"),
    comment="What nodes pass on of each other's logs",
)

FORKS = Table(
    "forks",
    METADATA,
    Column("digest", String(64), primary_key=True, comment="SHA-256 of why and of both texts: the same is kept once"),
    Column("region", String(8), nullable=False, comment="Code of the region that signed both notes"),
    Column("why", String(20), nullable=False, comment="What they are evidence of: forked, bad_proof or bad_reset"),
    Column("at", BigInteger, nullable=False, comment="Unix second in which the second note was shown"),
    Column("held", Text, nullable=False, comment="The note that we had cosigned or seen"),
    Column("offered", Text, nullable=False, comment="The note that contradicts it"),
    Index("ix_forks_region", "region"),
    comment="Evidence of logs that contradict themselves",
)

DOCUMENTS = Table(
    "documents",
    METADATA,
    Column("number", Integer, primary_key=True, comment="The order in which the desk worked by them"),
    Column("hash", String(64), nullable=False, unique=True, comment="SHA-256 of the document"),
    Column("since", BigInteger, nullable=False, comment="Unix second in which the desk first worked by it"),
    Column("signed", LargeBinary, nullable=False, comment="Canonical bytes of the signed document"),
    comment="Every roster, calendar and codebook that the desk worked by",
)

ATTEMPTS = Table(
    "attempts",
    METADATA,
    Column("run", String(20), ForeignKey("runs.run"), primary_key=True, comment="The run whose national sums it is at"),
    Column("attempt", Integer, primary_key=True, comment="Its number in the run, from 1; never given twice"),
    Column("begun", BigInteger, nullable=False, comment="Unix second in which its order was signed"),
    Column("state", String(10), nullable=False, comment="keys, fixed (who takes part), summed or aborted"),
    Column("sentence", String(2000), comment="Why it was aborted, or why it waits no longer for keys"),
    CheckConstraint("state in ('keys', 'fixed', 'summed', 'aborted')", name="state"),
    CheckConstraint("state <> 'aborted' or sentence is not null", name="why"),
    comment="Every attempt at national sums, written before any region hears of it",
)

ATTEMPT_PAPERS = Table(
    "attempt_papers",
    METADATA,
    Column("number", Integer, primary_key=True, comment="The order in which they were fixed or came"),
    Column("run", String(20), nullable=False, comment="The run of the attempt"),
    Column("attempt", Integer, nullable=False, comment="The attempt that they belong to"),
    Column("hash", String(64), nullable=False, comment="SHA-256 of the document"),
    Column("signed", LargeBinary, nullable=False, comment="Canonical bytes of the signed document"),
    ForeignKeyConstraint(["run", "attempt"], ["attempts.run", "attempts.attempt"], name="fk_attempt_papers_run"),
    UniqueConstraint("run", "attempt", "hash", name="uq_attempt_papers_run"),
    comment="The signed documents of each attempt's rounds: evidence of who was shown what",
)

SUMS = Table(
    "sums",
    METADATA,
    Column("run", String(20), primary_key=True, comment="The run: one finished sum each"),
    Column("attempt", Integer, nullable=False, comment="The attempt that gave it"),
    Column("hash", String(64), nullable=False, comment="SHA-256 of the sum's document"),
    Column("signed", LargeBinary, nullable=False, comment="Canonical bytes of the signed sum, noise included"),
    Column("finished", BigInteger, nullable=False, comment="Unix second in which it was put together"),
    ForeignKeyConstraint(["run", "attempt"], ["attempts.run", "attempts.attempt"], name="fk_sums_run"),
    comment="The finished national sums; here before anybody hears of one",
)

SUMS_GIVEN = Table(
    "sums_given",
    METADATA,
    Column("run", String(20), ForeignKey("sums.run"), primary_key=True, comment="The run whose sum it is"),
    Column("region", String(8), primary_key=True, comment="Code of a region of the programme"),
    Column("kept", BigInteger, comment="Unix second in which the region said that it has stored it; null until then"),
    comment="To whom each finished sum is sent until it is kept",
)
