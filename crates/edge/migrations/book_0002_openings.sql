-- Accounts that were opened by an order: the same order again gets the same account.
CREATE TABLE opening (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    number TEXT NOT NULL UNIQUE
) STRICT;
