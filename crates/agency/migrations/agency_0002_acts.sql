-- What clerks did with a person's entry, each look included: written before anything is shown or
-- changed. Numbers have no gaps.
CREATE TABLE act (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    -- looked_up, changed, revoked.
    what TEXT NOT NULL,
    -- The keyed tag of the person or company.
    subject BLOB NOT NULL CHECK (length(subject) = 32),
    -- Who, why and what about: sealed.
    sealed BLOB NOT NULL
) STRICT;
CREATE INDEX act_subject ON act (subject, sequence);
