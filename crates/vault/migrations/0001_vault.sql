-- The vault's own secrets, wrapped by the member's master key.
CREATE TABLE keyring (
    name TEXT PRIMARY KEY,
    wrapped BLOB NOT NULL
) STRICT;

-- A natural or legal person. The id is random: it says nothing.
CREATE TABLE party (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    -- 1 natural, 2 legal.
    kind INTEGER NOT NULL,
    -- The person's data key, wrapped; NULL once it is destroyed.
    wrapped_key BLOB,
    created INTEGER NOT NULL,
    erased INTEGER
) STRICT;

-- Keyed tags: the only way to find a person.
CREATE TABLE lookup (
    tag BLOB PRIMARY KEY CHECK (length(tag) = 32),
    party BLOB NOT NULL REFERENCES party
) STRICT;
CREATE INDEX lookup_party ON lookup (party);

-- Every personal value, sealed under its person's key.
CREATE TABLE item (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    party BLOB NOT NULL REFERENCES party,
    -- What it is; numbers are frozen, see item.rs.
    kind INTEGER NOT NULL,
    -- A word of the catalogue: never personal.
    name TEXT NOT NULL,
    -- The bit of its data category.
    category INTEGER NOT NULL,
    -- The consent under which it came; NULL when the law is the basis.
    consent BLOB,
    obtained INTEGER NOT NULL,
    -- When it must be gone; NULL when only the party's erasure ends it.
    keep_until INTEGER,
    sealed BLOB NOT NULL
) STRICT;
CREATE INDEX item_party ON item (party, kind, name);
CREATE INDEX item_keep ON item (keep_until) WHERE keep_until IS NOT NULL;

-- Who stands for whom, and who owns what.
CREATE TABLE link (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    party BLOB NOT NULL REFERENCES party,
    other BLOB NOT NULL REFERENCES party,
    -- 1 representative, 2 beneficial owner, 3 guardian.
    kind INTEGER NOT NULL,
    created INTEGER NOT NULL,
    UNIQUE (party, other, kind)
) STRICT;

-- Consents. The artefact and the secret r are items of kind consent.
CREATE TABLE consent (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    party BLOB NOT NULL REFERENCES party,
    -- The keyed tag of rel.
    rel_tag BLOB NOT NULL UNIQUE CHECK (length(rel_tag) = 32),
    provider INTEGER NOT NULL,
    purpose INTEGER NOT NULL,
    scope INTEGER NOT NULL,
    -- 1 drafted, 2 granted, 3 revoked, 4 refused.
    state INTEGER NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    ended INTEGER
) STRICT;
CREATE INDEX consent_party ON consent (party);

-- Who read what, when, for which purpose, on which basis.
CREATE TABLE access (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    party BLOB NOT NULL,
    at INTEGER NOT NULL,
    purpose INTEGER NOT NULL,
    -- The consent, or NULL and the law.
    consent BLOB,
    law TEXT,
    reader TEXT NOT NULL,
    kind INTEGER NOT NULL,
    -- The names of what was read, separated by commas.
    names TEXT NOT NULL
) STRICT;
CREATE INDEX access_party ON access (party, sequence);

-- Statutory holds: until when something must be kept, and by which law.
CREATE TABLE hold (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    party BLOB NOT NULL REFERENCES party,
    law TEXT NOT NULL,
    ends INTEGER NOT NULL,
    -- After the erasure: the due-diligence record under a key of its own.
    wrapped_key BLOB,
    sealed BLOB,
    purged INTEGER
) STRICT;
CREATE INDEX hold_party ON hold (party);

-- Requested and done erasures.
CREATE TABLE erasure (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    party BLOB NOT NULL UNIQUE REFERENCES party,
    requested INTEGER NOT NULL,
    due INTEGER NOT NULL,
    done INTEGER,
    receipt BLOB
) STRICT;

-- Access receipts, sealed, with the digest that is anchored.
CREATE TABLE receipt (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    party BLOB NOT NULL REFERENCES party,
    rel_tag BLOB NOT NULL CHECK (length(rel_tag) = 32),
    number INTEGER NOT NULL,
    leaf BLOB NOT NULL CHECK (length(leaf) = 32),
    at INTEGER NOT NULL,
    anchor BLOB,
    place INTEGER,
    sealed BLOB,
    UNIQUE (rel_tag, number)
) STRICT;
CREATE INDEX receipt_anchor ON receipt (anchor, place);

-- Batches of receipts on the ledger.
CREATE TABLE anchor (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    root BLOB NOT NULL CHECK (length(root) = 32),
    count INTEGER NOT NULL,
    begins INTEGER NOT NULL,
    ends INTEGER NOT NULL,
    -- Whether the ledger has it.
    executed INTEGER NOT NULL
) STRICT;

-- What is to be done, and survives a crash. Holds no personal value.
CREATE TABLE work (
    queue TEXT NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    party BLOB,
    state TEXT NOT NULL,
    created INTEGER NOT NULL,
    -- When to look at it next; NULL when it is finished.
    due INTEGER,
    attempts INTEGER NOT NULL,
    wrapped_key BLOB NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (queue, id)
) STRICT;
CREATE INDEX work_due ON work (queue, due) WHERE due IS NOT NULL;

-- Open business of protocols: codes, tokens, nonces; found by the hash of what was handed out.
CREATE TABLE grants (
    kind TEXT NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    sealed BLOB NOT NULL,
    -- Keyed digest of the value, to replace it only when it is still the same.
    seen BLOB NOT NULL CHECK (length(seen) = 32),
    expires INTEGER NOT NULL,
    PRIMARY KEY (kind, hash)
) STRICT;
CREATE INDEX grants_expires ON grants (expires);

-- The member's own status list: one entry for each credential that it issued.
CREATE TABLE status (
    place INTEGER PRIMARY KEY,
    party BLOB NOT NULL,
    -- 0 valid, 1 revoked.
    value INTEGER NOT NULL
) STRICT;
CREATE INDEX status_party ON status (party);
