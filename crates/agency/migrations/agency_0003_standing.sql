-- Why a credential's entry is invalid, and to which key it was bound.

-- `issued.status` is no longer only what the status list tells: 0 valid, 1 revoked for cause,
-- 2 superseded by a change of the register. The list tells 1 and 2 alike; the reason stays here.

-- Keyed tag of the holder's key and the credential's type. Null for what was issued before this
-- version: such a credential cannot be renewed by itself.
ALTER TABLE issued ADD COLUMN holder_key BLOB;
CREATE INDEX issued_key ON issued (holder_key) WHERE holder_key IS NOT NULL;

-- When the person last recovered: what was authorized before gives nothing any more.
ALTER TABLE enrolment ADD COLUMN recovered INTEGER;
