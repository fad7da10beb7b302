-- What happened to jobs, in the order in which it was written: what the streams of GET /mcp/events show. Triggers write
-- it, so that no way of changing a job can forget to. A number is never given twice, so that whoever has seen one knows
-- where to go on; the newest rows are kept (store/retention.py), and those of a deleted job go with it.
CREATE TABLE feed (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  owner TEXT NOT NULL,
  job_id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('status', 'log', 'storyboard', 'deleted')),
  at REAL NOT NULL,
  -- The new state, the line, or who made the version.
  text TEXT NOT NULL DEFAULT '',
  -- Which attempt, or which version.
  number INTEGER NOT NULL DEFAULT 0,
  -- Of a job that was put back into the queue, or failed: when it is tried again, and why.
  run_at REAL,
  error TEXT
) STRICT;
CREATE INDEX feed_of_job ON feed (job_id, id);
CREATE TRIGGER feed_accepted AFTER INSERT ON jobs BEGIN
  INSERT INTO feed (owner, job_id, kind, at, text, number)
    VALUES (new.owner, new.id, 'status', new.created_at, new.state, new.attempt);
END;
CREATE TRIGGER feed_moved AFTER UPDATE OF state ON jobs WHEN old.state <> new.state BEGIN
  INSERT INTO feed (owner, job_id, kind, at, text, number, run_at, error)
    VALUES (new.owner, new.id, 'status', new.updated_at, new.state, new.attempt, new.run_at,
      CASE WHEN new.state IN ('queued', 'failed') THEN new.error END);
END;
CREATE TRIGGER feed_noted AFTER INSERT ON job_events BEGIN
  INSERT INTO feed (owner, job_id, kind, at, text)
    SELECT owner, new.job_id, 'log', new.at, new.line FROM jobs WHERE id = new.job_id;
END;
CREATE TRIGGER feed_planned AFTER INSERT ON storyboards BEGIN
  INSERT INTO feed (owner, job_id, kind, at, text, number)
    SELECT owner, new.job_id, 'storyboard', new.created_at, new.author, new.version FROM jobs WHERE id = new.job_id;
END;
CREATE TRIGGER feed_deleted AFTER DELETE ON jobs BEGIN
  DELETE FROM feed WHERE job_id = old.id;
  INSERT INTO feed (owner, job_id, kind, at)
    VALUES (old.owner, old.id, 'deleted', (julianday('now') - 2440587.5) * 86400.0);
END;
