-- Payments that this member's customers make.
CREATE TABLE outgoing (
    uetr BLOB PRIMARY KEY CHECK (length(uetr) = 16),
    -- The place in the state machine; numbers are frozen, see payment.rs.
    state INTEGER NOT NULL,
    -- The ISO reason of a rejection.
    reason TEXT,
    -- Which message of the core this was made by: the same again gets the same answer.
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
    amount INTEGER NOT NULL,
    -- The creditor's agent; 0 when the payment was refused before one was known.
    creditor INTEGER NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    -- The reserve exactly as it is submitted, any number of times.
    operation BLOB NOT NULL CHECK (length(operation) = 128),
    -- The debtor's account: personal.
    account TEXT NOT NULL,
    message_id TEXT NOT NULL,
    -- The references that a pacs.002 repeats, as JSON.
    refs TEXT NOT NULL,
    -- The operation whose receipt proves the end, and when the ledger ended it.
    proof_submitter INTEGER,
    proof_id BLOB,
    ended INTEGER
) STRICT;
CREATE INDEX outgoing_open ON outgoing (state) WHERE state NOT IN (5, 7);
CREATE INDEX outgoing_message ON outgoing (message_id);

-- The sealed payload's content: personal, read only to deliver it again.
CREATE TABLE outgoing_document (
    uetr BLOB PRIMARY KEY,
    salt BLOB NOT NULL CHECK (length(salt) = 32),
    document BLOB NOT NULL
) STRICT;

-- Payments in favour of this member's customers.
CREATE TABLE incoming (
    debtor INTEGER NOT NULL,
    uetr BLOB NOT NULL CHECK (length(uetr) = 16),
    state INTEGER NOT NULL,
    reason TEXT,
    amount INTEGER NOT NULL,
    -- When this edge first heard of it, and when it last changed.
    seen INTEGER NOT NULL,
    -- The certified reserve; null while only the payload has come.
    reserve BLOB,
    -- The answer exactly as it is submitted, any number of times.
    answer BLOB,
    -- The creditor's account: personal.
    account TEXT,
    proof_submitter INTEGER,
    proof_id BLOB,
    ended INTEGER,
    PRIMARY KEY (debtor, uetr)
) STRICT;
CREATE INDEX incoming_open ON incoming (state) WHERE state NOT IN (6, 7, 8, 9);

CREATE TABLE incoming_document (
    debtor INTEGER NOT NULL,
    uetr BLOB NOT NULL,
    salt BLOB NOT NULL CHECK (length(salt) = 32),
    document BLOB NOT NULL,
    PRIMARY KEY (debtor, uetr)
) STRICT;

-- What the core banking is told, in order.
CREATE TABLE message (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    -- 0: about an outgoing payment; otherwise the debtor's agent of an incoming one.
    debtor INTEGER NOT NULL,
    uetr BLOB NOT NULL,
    -- The status of ISO 20022 at that moment, and the reason.
    status TEXT NOT NULL,
    reason TEXT,
    at INTEGER NOT NULL
) STRICT;

-- Sealed envelopes on their way, readable by their recipient only.
CREATE TABLE outbox (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    recipient INTEGER NOT NULL,
    envelope BLOB NOT NULL
) STRICT;

-- At the supervisor: sealed copies of payments between others.
CREATE TABLE supervised (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    digest BLOB NOT NULL UNIQUE,
    sender INTEGER NOT NULL,
    received INTEGER NOT NULL,
    envelope BLOB NOT NULL
) STRICT;

-- Aliases of this member's customers. The alias itself is not kept, only its keyed tag.
CREATE TABLE alias (
    tag BLOB PRIMARY KEY CHECK (length(tag) = 32),
    locator BLOB NOT NULL CHECK (length(locator) = 16),
    account TEXT NOT NULL,
    -- 0: asked for, 1: active, 2: lost to another registration, 3: refused.
    state INTEGER NOT NULL,
    operation BLOB NOT NULL CHECK (length(operation) = 128)
) STRICT;

-- How far the member's events have had their effect here.
CREATE TABLE cursor (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    next_event INTEGER NOT NULL
) STRICT;
INSERT INTO cursor (only, next_event) VALUES (1, 0);
