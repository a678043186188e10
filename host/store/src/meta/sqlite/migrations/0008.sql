-- Components with settings and a name; an attachment names its instance by component and name.
CREATE TABLE instance (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    component TEXT NOT NULL,
    settings TEXT NOT NULL,         -- JSON object
    created_ms INTEGER NOT NULL,
    changed_ms INTEGER NOT NULL
);

-- What a folder distributor wrote into a user's folder: the base that both sides are compared with.
CREATE TABLE folder_file (
    attachment INTEGER NOT NULL REFERENCES attachment (id) ON DELETE CASCADE,
    path TEXT NOT NULL,             -- in the repository
    local TEXT NOT NULL,            -- in the folder
    sha256 BLOB NOT NULL,           -- what both sides had last
    size INTEGER NOT NULL,
    modified_ns INTEGER NOT NULL,   -- how the file stood when its bytes were last known; hints, never proof
    changed_ns INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    seen_ns INTEGER NOT NULL,       -- when it stood so
    PRIMARY KEY (attachment, path)
) WITHOUT ROWID;
