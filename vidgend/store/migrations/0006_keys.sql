-- Keys of the API. Of the secret there is only its SHA-256. Rows of keys that were revoked or have expired stay, so that
-- the last key's end does not open the door to everybody: `vidgend keys forget` deletes them.
CREATE TABLE keys (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  owner TEXT NOT NULL,
  secret_sha256 BLOB NOT NULL,
  scopes TEXT NOT NULL,
  created_at REAL NOT NULL,
  expires_at REAL,
  last_used_at REAL,
  revoked_at REAL
) STRICT, WITHOUT ROWID;

-- Counted by owner as well: what each may have waiting, and what each is shown.
DROP TRIGGER job_counted;
DROP TRIGGER job_uncounted;
DROP TRIGGER job_recounted;
DROP TABLE job_counts;
CREATE TABLE job_counts (
  state TEXT NOT NULL,
  owner TEXT NOT NULL,
  jobs INTEGER NOT NULL,
  PRIMARY KEY (state, owner)
) STRICT, WITHOUT ROWID;
INSERT INTO job_counts (state, owner, jobs) SELECT state, owner, count(*) FROM jobs GROUP BY state, owner;
CREATE TRIGGER job_counted AFTER INSERT ON jobs BEGIN
  INSERT INTO job_counts (state, owner, jobs) VALUES (new.state, new.owner, 1)
    ON CONFLICT (state, owner) DO UPDATE SET jobs = jobs + 1;
END;
CREATE TRIGGER job_uncounted AFTER DELETE ON jobs BEGIN
  UPDATE job_counts SET jobs = jobs - 1 WHERE state = old.state AND owner = old.owner;
END;
CREATE TRIGGER job_recounted AFTER UPDATE OF state ON jobs WHEN old.state <> new.state BEGIN
  UPDATE job_counts SET jobs = jobs - 1 WHERE state = old.state AND owner = old.owner;
  INSERT INTO job_counts (state, owner, jobs) VALUES (new.state, new.owner, 1)
    ON CONFLICT (state, owner) DO UPDATE SET jobs = jobs + 1;
END;
