-- Versions of a storyboard: the request that each belongs to, who made it, from which one, and what changed.
-- `brief` is NULL for what the job itself planned from its own request.
ALTER TABLE storyboards ADD COLUMN brief TEXT;
ALTER TABLE storyboards ADD COLUMN author TEXT NOT NULL DEFAULT 'planner';
ALTER TABLE storyboards ADD COLUMN based_on INTEGER;
ALTER TABLE storyboards ADD COLUMN changes TEXT NOT NULL DEFAULT '[]';
-- Which version a job renders, or has rendered. NULL: it has no storyboard yet.
ALTER TABLE jobs ADD COLUMN version INTEGER;

-- Files that users gave: kept until they are deleted. `facts` is what was found out about them.
CREATE TABLE uploads (
  owner TEXT NOT NULL,
  digest TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('video', 'photo', 'audio')),
  name TEXT NOT NULL,
  content_type TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  facts TEXT NOT NULL,
  created_at REAL NOT NULL,
  PRIMARY KEY (owner, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX uploads_by_digest ON uploads (digest);
CREATE INDEX uploads_by_age ON uploads (owner, created_at DESC, digest DESC);
-- Which uploads a job needs: they are not deleted before it has ended.
CREATE TABLE job_uploads (
  job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  digest TEXT NOT NULL,
  PRIMARY KEY (job_id, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_uploads_by_digest ON job_uploads (digest);
-- How much the uploads of an owner take, beside what the results do.
ALTER TABLE owner_bytes ADD COLUMN uploaded_bytes INTEGER NOT NULL DEFAULT 0;
CREATE TRIGGER upload_added AFTER INSERT ON uploads BEGIN
  INSERT INTO owner_bytes (owner, published_bytes, uploaded_bytes) VALUES (new.owner, 0, new.size_bytes)
    ON CONFLICT (owner) DO UPDATE SET uploaded_bytes = uploaded_bytes + excluded.uploaded_bytes;
END;
CREATE TRIGGER upload_removed AFTER DELETE ON uploads BEGIN
  UPDATE owner_bytes SET uploaded_bytes = uploaded_bytes - old.size_bytes WHERE owner = old.owner;
END;
