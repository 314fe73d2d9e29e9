-- Credentials that a clerk releases before they are issued: one question for each type and person.
CREATE TABLE release (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    kind TEXT NOT NULL,
    -- Keyed tag of the person.
    holder BLOB NOT NULL CHECK (length(holder) = 32),
    asked INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    -- 0 waiting, 1 released, 2 refused.
    state INTEGER NOT NULL,
    -- The person, for the clerk: sealed.
    sealed BLOB NOT NULL,
    UNIQUE (kind, holder)
) STRICT, WITHOUT ROWID;
