-- Bytes that users are bringing. They lie in the folder of uploads until they are imported.
CREATE TABLE upload (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    repository INTEGER NOT NULL REFERENCES repository (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    size INTEGER,                   -- as announced
    sha256 BLOB,                    -- as announced
    received INTEGER NOT NULL,      -- bytes that are on the disk; what lies behind them does not count
    created_ms INTEGER NOT NULL,
    touched_ms INTEGER NOT NULL
);

CREATE INDEX upload_repository ON upload (repository);

-- Who may upload from outside. The secret itself is nowhere.
CREATE TABLE token (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    sha256 BLOB NOT NULL,           -- of the secret
    created_ms INTEGER NOT NULL
);

CREATE TABLE token_repository (
    token INTEGER NOT NULL REFERENCES token (id) ON DELETE CASCADE,
    repository INTEGER NOT NULL REFERENCES repository (id) ON DELETE CASCADE,
    PRIMARY KEY (token, repository)
) WITHOUT ROWID;

CREATE INDEX token_of_repository ON token_repository (repository);
