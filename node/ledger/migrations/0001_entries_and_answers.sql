-- The log of decisions, and the answers that were given for its debits. Rows are only ever added.

CREATE TABLE entries (
    seq  INTEGER PRIMARY KEY,    -- place in the log, from 0, without gaps
    body BLOB NOT NULL,          -- canonical bytes of the entry (policies/rules/entries.py)
    hash TEXT NOT NULL UNIQUE    -- RFC 6962 leaf hash of the body, in hexadecimal; the next entry names it
) STRICT;

CREATE TABLE answers (
    debit_seq INTEGER PRIMARY KEY REFERENCES entries (seq),   -- the debit that paid; one answer for one debit
    programme TEXT NOT NULL,     -- hash of the programme that was answered, in hexadecimal
    snapshot  TEXT NOT NULL,     -- id of the snapshot that it was answered from
    bytes     BLOB NOT NULL,     -- canonical bytes of the signed answer; a repeat gets these again
    UNIQUE (programme, snapshot)
) STRICT;

CREATE TRIGGER entries_never_change BEFORE UPDATE ON entries
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER entries_never_go BEFORE DELETE ON entries
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER answers_never_change BEFORE UPDATE ON answers
BEGIN SELECT RAISE(ABORT, 'stored answers never change'); END;
CREATE TRIGGER answers_never_go BEFORE DELETE ON answers
BEGIN SELECT RAISE(ABORT, 'stored answers never go'); END;
