-- What a witness remembers. A cosigned checkpoint stays; the one cosigned last is that of the latest epoch and size.

CREATE TABLE checkpoints (
    region TEXT NOT NULL,       -- code of the region whose log it is
    epoch  INTEGER NOT NULL,    -- epoch of the log, from 1; a reset opens the next
    size   INTEGER NOT NULL,    -- entries in the log
    note   TEXT NOT NULL,       -- the signed note, with the region's signature and our first and newest cosignature
    time   INTEGER NOT NULL,    -- unix second under our newest cosignature
    PRIMARY KEY (region, epoch, size)
) STRICT, WITHOUT ROWID;

CREATE INDEX checkpoints_by_time ON checkpoints (time);

CREATE TABLE seen (
    region TEXT PRIMARY KEY,    -- code of the region whose log it is
    note   TEXT NOT NULL,       -- newest checkpoint that a node of another region showed, with valid cosignatures
    at     INTEGER NOT NULL     -- unix second in which it was shown
) STRICT;

CREATE TABLE forks (
    digest  TEXT PRIMARY KEY,   -- SHA-256 of why and of both texts, in hexadecimal: the same fork is kept once
    region  TEXT NOT NULL,      -- code of the region that signed both notes
    why     TEXT NOT NULL,      -- what they are evidence of: forked, bad_proof or bad_reset
    at      INTEGER NOT NULL,   -- unix second in which the second note was shown
    held    TEXT NOT NULL,      -- the note that we had cosigned or seen
    offered TEXT NOT NULL       -- the note that contradicts it
) STRICT;

CREATE INDEX forks_by_region ON forks (region);

CREATE TABLE documents (
    number INTEGER PRIMARY KEY, -- the order in which we worked by them, from 1
    hash   TEXT NOT NULL UNIQUE,-- SHA-256 of the document, in hexadecimal
    since  INTEGER NOT NULL,    -- unix second in which we first worked by it
    signed BLOB NOT NULL        -- canonical bytes of the signed document: a roster or a calendar
) STRICT;

CREATE TRIGGER checkpoints_never_go BEFORE DELETE ON checkpoints
BEGIN SELECT RAISE(ABORT, 'what was cosigned is never forgotten'); END;
CREATE TRIGGER forks_never_change BEFORE UPDATE ON forks
BEGIN SELECT RAISE(ABORT, 'evidence never changes'); END;
CREATE TRIGGER forks_never_go BEFORE DELETE ON forks
BEGIN SELECT RAISE(ABORT, 'evidence never goes'); END;
