-- Which migration of a plugin its stored data had last.
CREATE TABLE migration (
    plugin TEXT PRIMARY KEY,
    number INTEGER NOT NULL,        -- 0: seen, nothing was run
    plugin_version TEXT NOT NULL,   -- of the plugin that did it
    applied_ms INTEGER NOT NULL
) WITHOUT ROWID;

-- Units as a running migration would have them. Whoever begins or ends one empties it.
CREATE TABLE migrated_unit (
    job INTEGER NOT NULL,
    unit INTEGER NOT NULL,
    key_hash INTEGER NOT NULL,
    key_digest BLOB NOT NULL,
    repo_key BLOB,
    place INTEGER,                  -- the first 8 bytes of repo_key
    key TEXT NOT NULL,
    attributes TEXT NOT NULL,
    files TEXT,                     -- JSON list; NULL: as they are
    PRIMARY KEY (job, unit)
);

CREATE INDEX migrated_key ON migrated_unit (job, key_hash);
