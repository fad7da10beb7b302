-- A clean stop interrupts an attempt; it goes on with the next claim, from as many percent.
ALTER TABLE jobs ADD COLUMN interrupted INTEGER NOT NULL DEFAULT 0;

-- What fails at a receiver for one owner says nothing about the events of another one. Those that were told apart by
-- URL alone are known to every owner who has an event for them.
ALTER TABLE endpoints RENAME TO endpoints_of_all;
CREATE TABLE endpoints (
  owner TEXT NOT NULL,
  url TEXT NOT NULL,
  failing_since REAL,
  last_failed_at REAL,
  disabled_at REAL,
  reason TEXT,
  PRIMARY KEY (owner, url)
) STRICT, WITHOUT ROWID;
INSERT INTO endpoints (owner, url, failing_since, last_failed_at, disabled_at, reason)
  SELECT DISTINCT j.owner, e.url, e.failing_since, e.last_failed_at, e.disabled_at, e.reason
  FROM outbox AS o JOIN jobs AS j ON j.id = o.job_id JOIN endpoints_of_all AS e ON e.url = o.url;
DROP TABLE endpoints_of_all;

-- Owners who have no job of a state any more are not gone through at every submit.
DELETE FROM job_counts WHERE jobs = 0;
DROP TRIGGER job_uncounted;
DROP TRIGGER job_recounted;
CREATE TRIGGER job_uncounted AFTER DELETE ON jobs BEGIN
  UPDATE job_counts SET jobs = jobs - 1 WHERE state = old.state AND owner = old.owner;
  DELETE FROM job_counts WHERE state = old.state AND owner = old.owner AND jobs = 0;
END;
CREATE TRIGGER job_recounted AFTER UPDATE OF state ON jobs WHEN old.state <> new.state BEGIN
  UPDATE job_counts SET jobs = jobs - 1 WHERE state = old.state AND owner = old.owner;
  DELETE FROM job_counts WHERE state = old.state AND owner = old.owner AND jobs = 0;
  INSERT INTO job_counts (state, owner, jobs) VALUES (new.state, new.owner, 1)
    ON CONFLICT (state, owner) DO UPDATE SET jobs = jobs + 1;
END;

-- Its one query reads jobs_of_owner_by_state since that is there.
DROP INDEX jobs_made;
