-- A person who has a wallet here. Everything personal is in `record`, sealed with this key.
CREATE TABLE person (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    -- The person's data key, sealed with the wallet's master key. Deleting it deletes the person.
    key BLOB NOT NULL,
    created INTEGER NOT NULL
) STRICT;

-- A person's passkeys: public keys and counters, no personal data.
CREATE TABLE passkey (
    credential BLOB PRIMARY KEY,
    person BLOB NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    -- The public key and what goes with it, as JSON.
    passkey TEXT NOT NULL,
    added INTEGER NOT NULL
) STRICT;
CREATE INDEX passkey_person ON passkey (person);

-- Browsers that are signed in. The token itself is with the browser only.
CREATE TABLE session (
    token BLOB PRIMARY KEY CHECK (length(token) = 32),
    person BLOB NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    form_key BLOB NOT NULL CHECK (length(form_key) = 32),
    expires INTEGER NOT NULL
) STRICT;
CREATE INDEX session_expires ON session (expires);

-- Everything else: what it is, an id of its own, and the content, readable with the person's key.
CREATE TABLE record (
    person BLOB NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    -- Which type of content; numbers are frozen, see store/record.rs.
    kind INTEGER NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    sealed BLOB NOT NULL,
    changed INTEGER NOT NULL,
    PRIMARY KEY (person, kind, id)
) STRICT, WITHOUT ROWID;
