-- What users say of a repository: labels, a JSON object of texts, and how many of its newest versions are kept;
-- NULL: all.
ALTER TABLE repository ADD COLUMN labels TEXT NOT NULL DEFAULT '{}';
ALTER TABLE repository ADD COLUMN retain INTEGER;

-- Generated files of publications by their bytes: whether anyone refers to bytes is found by it.
CREATE INDEX entry_artifact ON entry (artifact) WHERE unit IS NULL AND artifact IS NOT NULL;

-- With which settings a publication was made whole; empty: nobody knows, or something was left out.
ALTER TABLE publication ADD COLUMN settings TEXT NOT NULL DEFAULT '';
