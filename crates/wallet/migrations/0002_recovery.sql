-- A keyed tag of the personal number: by it a recovery finds the wallet that was lost. It cannot be
-- computed without the key below, which is sealed with the wallet's master key.
ALTER TABLE person ADD COLUMN tag BLOB CHECK (tag IS NULL OR length(tag) = 32);
CREATE INDEX person_tag ON person (tag);

-- Keys of the service itself, by what they are for.
CREATE TABLE service_key (
    name TEXT PRIMARY KEY,
    key BLOB NOT NULL
) STRICT;
