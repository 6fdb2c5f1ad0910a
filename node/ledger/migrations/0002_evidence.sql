-- What goes with the log: the documents that its entries cite, the checkpoints that witnesses cosigned, and the answers
-- of epochs that were closed. Rows are only ever added; `seen` alone keeps just the newest of each region.

CREATE TABLE documents (
    place    INTEGER PRIMARY KEY,   -- order in which they came
    kind     TEXT NOT NULL,         -- kind of signed document, such as programme or policy
    hash     TEXT NOT NULL,         -- hash of the document itself, in hexadecimal: what entries cite
    envelope TEXT NOT NULL UNIQUE,  -- SHA-256 of the signed bytes: one document may come with other signatures again
    signed   BLOB NOT NULL          -- canonical bytes of the document with its signatures
) STRICT;

CREATE INDEX documents_by_hash ON documents (kind, hash);

CREATE TABLE checkpoints (
    size INTEGER PRIMARY KEY,       -- entries below this place are in the checkpoint
    note TEXT NOT NULL              -- signed note (c2sp.org/tlog-checkpoint) with enough cosignatures; the first of its size
) STRICT;

CREATE TABLE seen (
    region TEXT PRIMARY KEY,        -- another region
    note   TEXT NOT NULL            -- its newest checkpoint that a witness showed; a newer one takes its place
) STRICT;

CREATE TABLE carried (
    programme TEXT NOT NULL,        -- hash of a programme that was answered in a closed epoch, in hexadecimal
    snapshot  TEXT NOT NULL,        -- id of the snapshot that it was answered from
    bytes     BLOB NOT NULL,        -- canonical bytes of the signed answer; a repeat gets these again
    PRIMARY KEY (programme, snapshot)   -- one answer from one snapshot, over all epochs
) STRICT;

CREATE TRIGGER documents_never_change BEFORE UPDATE ON documents
BEGIN SELECT RAISE(ABORT, 'kept documents never change'); END;
CREATE TRIGGER documents_never_go BEFORE DELETE ON documents
BEGIN SELECT RAISE(ABORT, 'kept documents never go'); END;
CREATE TRIGGER checkpoints_never_change BEFORE UPDATE ON checkpoints
BEGIN SELECT RAISE(ABORT, 'checkpoints never change'); END;
CREATE TRIGGER checkpoints_never_go BEFORE DELETE ON checkpoints
BEGIN SELECT RAISE(ABORT, 'checkpoints never go'); END;
CREATE TRIGGER carried_never_change BEFORE UPDATE ON carried
BEGIN SELECT RAISE(ABORT, 'carried answers never change'); END;
CREATE TRIGGER carried_never_go BEFORE DELETE ON carried
BEGIN SELECT RAISE(ABORT, 'carried answers never go'); END;
