-- Times are milliseconds since 1970 and for people only: nothing is ordered by them.

CREATE TABLE type (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    plugin TEXT NOT NULL,           -- who registered it first
    plugin_version TEXT NOT NULL,   -- in which version it was last changed
    definition TEXT NOT NULL        -- JSON
);

CREATE TABLE repository (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    types TEXT NOT NULL,            -- JSON list of names; empty: all
    created_ms INTEGER NOT NULL,
    version INTEGER NOT NULL,       -- the newest
    units INTEGER NOT NULL          -- in that version
);

CREATE TABLE version (
    repository INTEGER NOT NULL REFERENCES repository (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    job INTEGER,
    units INTEGER NOT NULL,
    added INTEGER NOT NULL,
    removed INTEGER NOT NULL,
    info TEXT NOT NULL,             -- JSON object, or empty
    PRIMARY KEY (repository, number)
) WITHOUT ROWID;

-- A unit is known once, whoever holds it. Declared searches become partial indexes here.
--
-- Digests are found by their first 8 bytes as a number and compared as a whole: an index over them has a third of the
-- pages, and as digests are spread evenly, each batch of new ones touches most pages of their index.
CREATE TABLE unit (
    id INTEGER PRIMARY KEY,
    type INTEGER NOT NULL,
    key_hash INTEGER NOT NULL,
    key_digest BLOB NOT NULL,
    repo_key BLOB,                  -- its place; NULL: its type has none
    key TEXT NOT NULL,              -- JSON object, canonical
    attributes TEXT NOT NULL        -- JSON object
);

CREATE INDEX unit_key ON unit (key_hash);

-- Bytes that are known by their digest, here or not.
CREATE TABLE artifact (
    id INTEGER PRIMARY KEY,
    hash INTEGER NOT NULL,
    sha256 BLOB NOT NULL,
    size INTEGER,
    present INTEGER NOT NULL        -- 1: in the blob store
);

CREATE INDEX artifact_sha256 ON artifact (hash);

CREATE TABLE unit_file (
    unit INTEGER NOT NULL,
    n INTEGER NOT NULL,             -- from 0 on
    path TEXT NOT NULL,             -- once in a unit
    artifact INTEGER,               -- NULL: nobody knows the digest yet
    size INTEGER,                   -- as declared
    media_type TEXT NOT NULL,
    digests TEXT NOT NULL,          -- those that are no sha256, with a blank between
    PRIMARY KEY (unit, n)
) WITHOUT ROWID;

CREATE INDEX unit_file_artifact ON unit_file (artifact) WHERE artifact IS NOT NULL;

-- Where bytes can be fetched, as the syncs of a repository said.
CREATE TABLE source (
    repository INTEGER NOT NULL,
    unit INTEGER NOT NULL,
    n INTEGER NOT NULL,             -- of the unit's file
    list TEXT NOT NULL,             -- JSON list of {url, headers}
    PRIMARY KEY (repository, unit, n)
) WITHOUT ROWID;

-- A unit is in the versions from added_in on, up to but without removed_in.
CREATE TABLE membership (
    repository INTEGER NOT NULL,
    unit INTEGER NOT NULL,
    added_in INTEGER NOT NULL,
    removed_in INTEGER,             -- NULL: it is in the newest
    revision TEXT,                  -- what the last listing said
    place INTEGER,                  -- the first 8 bytes of unit.repo_key
    PRIMARY KEY (repository, unit, added_in)
) WITHOUT ROWID;

CREATE INDEX membership_place ON membership (repository, place)
    WHERE removed_in IS NULL AND place IS NOT NULL;

CREATE TABLE attachment (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    repository INTEGER NOT NULL REFERENCES repository (id) ON DELETE CASCADE,
    component TEXT NOT NULL,
    instance TEXT NOT NULL,
    role TEXT NOT NULL,
    settings TEXT NOT NULL,         -- JSON object
    settings_changed_ms INTEGER NOT NULL,
    state BLOB NOT NULL,
    last_ms INTEGER,                -- the last run that finished
    last_version INTEGER,
    last_outcome TEXT,
    last_settings TEXT,
    publication INTEGER,            -- the live one
    path TEXT UNIQUE,
    UNIQUE (repository, component, instance)
);

CREATE TABLE attachment_state (
    attachment INTEGER NOT NULL REFERENCES attachment (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    revision INTEGER NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (attachment, key)
) WITHOUT ROWID;

-- The names stay when what they name is gone.
CREATE TABLE job (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    operation TEXT NOT NULL,
    repository INTEGER REFERENCES repository (id) ON DELETE SET NULL,
    repository_name TEXT,
    attachment INTEGER REFERENCES attachment (id) ON DELETE SET NULL,
    component TEXT,
    state TEXT NOT NULL,
    lease INTEGER NOT NULL,         -- grows with each attempt
    attempts INTEGER NOT NULL,
    submitted_ms INTEGER NOT NULL,
    started_ms INTEGER,
    finished_ms INTEGER,
    arguments TEXT NOT NULL,        -- JSON object
    problem TEXT,
    result TEXT,
    checkpoint BLOB
);

CREATE INDEX job_open ON job (id) WHERE state IN ('queued', 'blocked', 'running', 'cancelling');
CREATE INDEX job_repository ON job (repository_name, id);
CREATE INDEX job_of_repository ON job (repository);
CREATE INDEX job_of_attachment ON job (attachment);

CREATE TABLE publication (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    attachment INTEGER NOT NULL REFERENCES attachment (id) ON DELETE CASCADE,
    repository INTEGER NOT NULL,
    version INTEGER NOT NULL,
    job INTEGER NOT NULL,
    state INTEGER NOT NULL,         -- 0 being made, 1 live, 2 superseded
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER,             -- of a superseded one
    entries INTEGER NOT NULL
);

CREATE INDEX publication_attachment ON publication (attachment, state);
CREATE INDEX publication_building ON publication (job) WHERE state = 0;

-- A published file: bytes, or the file of a unit, or a redirect.
CREATE TABLE entry (
    publication INTEGER NOT NULL,
    path TEXT NOT NULL,
    artifact INTEGER,               -- NULL for a unit's file: ask the unit
    unit INTEGER,
    unit_path TEXT,                 -- NULL: as path
    media_type TEXT NOT NULL,
    modified_ms INTEGER NOT NULL,
    entry_point INTEGER NOT NULL,
    redirect TEXT,
    PRIMARY KEY (publication, path)
) WITHOUT ROWID;
