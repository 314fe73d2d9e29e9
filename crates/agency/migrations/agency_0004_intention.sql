-- Changes of the register that were taken and are not complete yet: written before the register
-- is, removed with what follows from the change. After a stop they are completed in their order.
CREATE TABLE intention (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
    intended INTEGER NOT NULL,
    -- What to change and in which record: sealed.
    sealed BLOB NOT NULL
) STRICT;
