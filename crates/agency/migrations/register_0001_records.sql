-- The agency's own system of record: personal data in clear, as the agency holds it anyway.
CREATE TABLE record (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    -- Claims as the credential type names them, as JSON.
    claims TEXT NOT NULL,
    -- The last day of validity, YYYY-MM-DD.
    valid_until TEXT,
    ended TEXT,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

-- Who may be given a record as a credential.
CREATE TABLE holder (
    kind TEXT NOT NULL,
    fin TEXT NOT NULL CHECK (length(fin) = 7),
    id TEXT NOT NULL,
    -- The place in the record's list.
    place INTEGER NOT NULL,
    PRIMARY KEY (kind, fin, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX holder_of_record ON holder (kind, id);
