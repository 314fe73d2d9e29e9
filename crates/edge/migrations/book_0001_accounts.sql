CREATE TABLE account (
    number TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    -- 0 open, 1 blocked, 2 closed.
    status INTEGER NOT NULL,
    balance INTEGER NOT NULL CHECK (balance >= held),
    held INTEGER NOT NULL CHECK (held >= 0)
) STRICT;

-- What was done for each payment; debtor 0 for the bank's own customers' payments.
CREATE TABLE movement (
    debtor INTEGER NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    -- 0 held, 1 settled, 2 released, 3 credited, 4 in suspense, 5 refused.
    state INTEGER NOT NULL,
    account TEXT NOT NULL,
    amount INTEGER NOT NULL,
    -- The reason of a refusal: the same order again is refused for the same reason.
    reason TEXT,
    PRIMARY KEY (debtor, id)
) STRICT;
