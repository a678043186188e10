-- Representations of a path, of which the client chooses one.
CREATE TABLE variant (
    publication INTEGER NOT NULL,
    path TEXT NOT NULL,             -- a folder with its slash, or a path without an entry
    n INTEGER NOT NULL,             -- from 0 on: what is sent when nothing is preferred comes first
    target TEXT NOT NULL,           -- the path of an entry
    media_type TEXT NOT NULL,
    also TEXT NOT NULL,             -- further media types, with a blank between
    PRIMARY KEY (publication, path, n)
) WITHOUT ROWID;
