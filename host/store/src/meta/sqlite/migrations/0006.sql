-- Work that the server begins by itself. Times are milliseconds since 1970.
CREATE TABLE schedule (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    repository INTEGER NOT NULL REFERENCES repository (id) ON DELETE CASCADE,
    operation TEXT NOT NULL,        -- sync or publish
    rule TEXT NOT NULL,             -- an ISO 8601 interval or five fields of cron
    zone TEXT NOT NULL,             -- of the calendar that the rule means
    start_ms INTEGER NOT NULL,      -- nothing is due before; what an interval is counted from
    arguments TEXT NOT NULL,        -- JSON object: of each run
    threshold INTEGER,              -- failed runs in a row after which it is switched off; NULL: any number
    remaining INTEGER,              -- runs to come; NULL: any number
    enabled INTEGER NOT NULL,
    reason TEXT,                    -- why it was switched off; NULL: by hand
    runs INTEGER NOT NULL,          -- so far
    failures INTEGER NOT NULL,      -- in a row
    first_ms INTEGER,               -- its first run
    last_ms INTEGER,                -- its last run
    last_job INTEGER,               -- the first job of that run
    note TEXT,                      -- why the last time that was due brought no run; NULL: it did
    next_ms INTEGER,                -- NULL: never again
    planned_ms INTEGER NOT NULL     -- what the clock said when next_ms was reckoned
);

CREATE INDEX schedule_repository ON schedule (repository);

-- Who asked for a job; neither: a user.
ALTER TABLE job ADD COLUMN schedule INTEGER;
ALTER TABLE job ADD COLUMN parent INTEGER;

CREATE INDEX job_schedule ON job (schedule) WHERE schedule IS NOT NULL;
