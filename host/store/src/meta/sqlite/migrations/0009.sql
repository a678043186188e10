-- Addresses that are told each change of a job's state.
CREATE TABLE callback (
    job INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    n INTEGER NOT NULL,             -- from 1 on
    url TEXT NOT NULL,
    origin TEXT NOT NULL,           -- its scheme, host and port: who is told
    secret TEXT,                    -- the name of the secret that signs; NULL: nothing is signed
    gone INTEGER NOT NULL,          -- 1: the receiver wants no more
    PRIMARY KEY (job, n)
) WITHOUT ROWID;

-- What they are told: one event for each change, written with it.
CREATE TABLE delivery (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event TEXT NOT NULL,            -- what the receiver knows it by, the same in every attempt
    job INTEGER NOT NULL,
    n INTEGER NOT NULL,
    state TEXT NOT NULL,            -- of the job, as the next two
    job_attempts INTEGER NOT NULL,
    job_started_ms INTEGER,
    created_ms INTEGER NOT NULL,
    outcome TEXT NOT NULL,          -- waiting, delivered or given_up
    attempts INTEGER NOT NULL,      -- since it was last set to wait
    next_ms INTEGER,                -- NULL: it does not wait
    last_ms INTEGER,                -- of the last attempt
    status INTEGER,                 -- that it was answered with; NULL: there was no answer
    error TEXT,
    FOREIGN KEY (job, n) REFERENCES callback (job, n) ON DELETE CASCADE
);

CREATE INDEX delivery_of ON delivery (job, n, id);
CREATE INDEX delivery_waiting ON delivery (job, n, id) WHERE next_ms IS NOT NULL;
