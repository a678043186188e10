-- 1: these bytes were here and are not any more; they are missed, unlike those that were never fetched.
ALTER TABLE artifact ADD COLUMN lost INTEGER NOT NULL DEFAULT 0;
