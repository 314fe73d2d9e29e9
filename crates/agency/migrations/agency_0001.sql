-- What an agency keeps beside its register. No personal value stands here in clear: people are
-- found by keyed tags, what must be read again is sealed under the agency's store key.

-- Open business of the issuer and of its verifier (OpenID4VCI, OpenID4VP): found by the hash of
-- the handle that was given out.
CREATE TABLE grants (
    kind TEXT NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    value BLOB NOT NULL,
    expires INTEGER NOT NULL,
    PRIMARY KEY (kind, hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX grants_expiry ON grants (expires);

-- Each issued credential holds one entry of a status list.
CREATE TABLE issued (
    list INTEGER NOT NULL,
    entry INTEGER NOT NULL,
    kind TEXT NOT NULL,
    -- Keyed tags of the record and of the person it was issued to.
    record BLOB NOT NULL CHECK (length(record) = 32),
    holder BLOB NOT NULL CHECK (length(holder) = 32),
    issued INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    -- Token Status List: 0 valid, 1 invalid.
    status INTEGER NOT NULL,
    PRIMARY KEY (list, entry)
) STRICT, WITHOUT ROWID;
CREATE INDEX issued_record ON issued (record);
CREATE INDEX issued_holder ON issued (holder, kind);

-- The lists as they are served, and how far the ledger knows them.
CREATE TABLE status_list (
    list INTEGER PRIMARY KEY,
    used INTEGER NOT NULL,
    -- Whether an entry changed since the last publication.
    dirty INTEGER NOT NULL,
    -- Rises with every publication.
    counter INTEGER NOT NULL,
    published INTEGER NOT NULL,
    token TEXT NOT NULL,
    digest BLOB NOT NULL,
    -- The operation that anchors this publication, and when it was certified.
    operation BLOB NOT NULL,
    anchored INTEGER
) STRICT;

-- Changes by clerks, so that a repeat changes nothing.
CREATE TABLE change (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
    changed INTEGER NOT NULL,
    revoked INTEGER NOT NULL,
    notices INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Consents under which data may be fetched here.
CREATE TABLE consent (
    rel BLOB PRIMARY KEY CHECK (length(rel) = 32),
    consumer INTEGER NOT NULL,
    holder BLOB NOT NULL CHECK (length(holder) = 32),
    purpose INTEGER NOT NULL,
    registered INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    -- When it was revoked; null while it stands.
    ended INTEGER,
    -- The artefact, r, the salt, the person: sealed; gone once the consent has ended.
    sealed BLOB
) STRICT, WITHOUT ROWID;
CREATE INDEX consent_holder ON consent (holder);

-- What the ledger said of consents before they were registered here.
CREATE TABLE revoked (
    rel BLOB PRIMARY KEY CHECK (length(rel) = 32),
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Access receipts, gapless for each consent.
CREATE TABLE receipt (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    rel BLOB NOT NULL,
    sequence INTEGER NOT NULL,
    request BLOB NOT NULL CHECK (length(request) = 16),
    holder BLOB NOT NULL,
    made INTEGER NOT NULL,
    -- The leaf of the anchored tree.
    leaf BLOB NOT NULL CHECK (length(leaf) = 32),
    -- Sealed: the receipt and the answer that was given with it.
    sealed BLOB NOT NULL,
    counter_signature BLOB,
    batch INTEGER,
    UNIQUE (rel, sequence),
    UNIQUE (rel, request)
) STRICT;
CREATE INDEX receipt_holder ON receipt (holder, position);
CREATE INDEX receipt_open ON receipt (position) WHERE batch IS NULL;

-- Batches of receipts with the operation that anchors them.
CREATE TABLE batch (
    batch INTEGER PRIMARY KEY,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    root BLOB NOT NULL,
    operation BLOB NOT NULL,
    span_from INTEGER NOT NULL,
    span_until INTEGER NOT NULL,
    anchored INTEGER
) STRICT;

-- Notices of change on their way: nothing but a random number and a moment.
CREATE TABLE notice (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    rel BLOB NOT NULL,
    consumer INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    due INTEGER NOT NULL,
    delivered INTEGER,
    -- When the consumer fetched because of it.
    fetched INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX notice_open ON notice (due) WHERE delivered IS NULL;

-- The registrar's enrolments: one living one for each person.
CREATE TABLE enrolment (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    -- OPRF output of the personal number.
    uid BLOB NOT NULL CHECK (length(uid) = 32),
    -- What was asked for: the same id with other content is refused.
    fingerprint BLOB NOT NULL,
    level INTEGER NOT NULL,
    enrolled INTEGER NOT NULL,
    cooldown INTEGER,
    ended INTEGER,
    -- The record's id, the person, the guardians: sealed.
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX enrolment_living ON enrolment (uid) WHERE ended IS NULL;

-- Lost devices on their way to new credentials.
CREATE TABLE recovery (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    uid BLOB NOT NULL,
    fingerprint BLOB NOT NULL,
    opened INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    done INTEGER,
    cooldown INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE approval (
    recovery BLOB NOT NULL,
    guardian BLOB NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (recovery, guardian)
) STRICT, WITHOUT ROWID;

-- How far the member's events have had their effect here.
CREATE TABLE cursor (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    next_event INTEGER NOT NULL,
    block_time INTEGER NOT NULL
) STRICT;
INSERT INTO cursor (only, next_event, block_time) VALUES (1, 0, 0);
