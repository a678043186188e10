-- What is sent along with published files: response headers, stored once for all files that have the same, and the
-- encoding of a representation.
CREATE TABLE headers (
    id INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE       -- a line `name: value` for each
);

ALTER TABLE entry ADD COLUMN headers INTEGER;                   -- NULL: none
ALTER TABLE variant ADD COLUMN encoding TEXT NOT NULL DEFAULT '';
