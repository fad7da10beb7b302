ALTER TABLE jobs ADD COLUMN owner TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN rank REAL NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN token TEXT;
ALTER TABLE jobs ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN refunds INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN suspicion INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN ready INTEGER NOT NULL DEFAULT 1;
ALTER TABLE jobs ADD COLUMN run_at REAL;
ALTER TABLE jobs ADD COLUMN wait_s REAL;
ALTER TABLE jobs ADD COLUMN waits INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN claimed_at REAL;
ALTER TABLE jobs ADD COLUMN probation_s REAL NOT NULL DEFAULT 0;
UPDATE jobs SET rank = created_at - 600.0 * priority;
DROP INDEX jobs_by_state;
CREATE INDEX jobs_by_state ON jobs (state, created_at DESC, id DESC);
CREATE INDEX jobs_ready ON jobs (owner, rank) WHERE state = 'queued' AND ready = 1;
CREATE INDEX jobs_parked ON jobs (run_at) WHERE state = 'queued' AND ready = 0;
CREATE INDEX jobs_parked_since ON jobs (run_at - wait_s) WHERE state = 'queued' AND ready = 0;
CREATE INDEX jobs_begun ON jobs (id) WHERE finished_at IS NULL AND claimed_at IS NOT NULL;
CREATE INDEX jobs_held ON jobs (owner) WHERE boot_id IS NOT NULL;
CREATE INDEX jobs_ended ON jobs (finished_at) WHERE finished_at IS NOT NULL;

-- Fair turns: the owner that was served longest ago comes first.
CREATE TABLE owners (
  owner TEXT PRIMARY KEY,
  served INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX owners_by_turn ON owners (served);

CREATE TABLE pauses (
  name TEXT PRIMARY KEY,
  paused_at REAL NOT NULL,
  reason TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- How many jobs there are of each state, kept by triggers: counting a million rows would hold up every submit.
CREATE TABLE job_counts (
  state TEXT PRIMARY KEY,
  jobs INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO job_counts (state, jobs) SELECT state, count(*) FROM jobs GROUP BY state;
CREATE TRIGGER job_counted AFTER INSERT ON jobs BEGIN
  INSERT INTO job_counts (state, jobs) VALUES (new.state, 1) ON CONFLICT (state) DO UPDATE SET jobs = jobs + 1;
END;
CREATE TRIGGER job_uncounted AFTER DELETE ON jobs BEGIN
  UPDATE job_counts SET jobs = jobs - 1 WHERE state = old.state;
END;
CREATE TRIGGER job_recounted AFTER UPDATE OF state ON jobs WHEN old.state <> new.state BEGIN
  UPDATE job_counts SET jobs = jobs - 1 WHERE state = old.state;
  INSERT INTO job_counts (state, jobs) VALUES (new.state, 1) ON CONFLICT (state) DO UPDATE SET jobs = jobs + 1;
END;

-- A step is done when its row says so; `output` is then what it gave. One row per key, whichever jobs want it.
CREATE TABLE steps (
  key TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  label TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('ready', 'running', 'done', 'failed')),
  attempt INTEGER NOT NULL DEFAULT 0,
  failures INTEGER NOT NULL DEFAULT 0,
  crashes INTEGER NOT NULL DEFAULT 0,
  refunds INTEGER NOT NULL DEFAULT 0,
  boot_id TEXT,
  token TEXT,
  output TEXT,
  error TEXT,
  seconds REAL,
  began_at REAL,
  ended_at REAL,
  used_at REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX steps_running ON steps (boot_id) WHERE state = 'running';
CREATE INDEX steps_by_use ON steps (used_at);
CREATE TABLE step_assets (
  key TEXT NOT NULL REFERENCES steps (key) ON DELETE CASCADE,
  digest TEXT NOT NULL,
  PRIMARY KEY (key, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX step_assets_by_digest ON step_assets (digest);
CREATE TABLE job_steps (
  job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  key TEXT NOT NULL,
  PRIMARY KEY (job_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_steps_by_key ON job_steps (key);

-- Every blob of the asset store. A blob is written before its row and deleted after it.
CREATE TABLE assets (
  digest TEXT PRIMARY KEY,
  size_bytes INTEGER NOT NULL,
  content_type TEXT NOT NULL,
  stored_at REAL NOT NULL,
  used_at REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX assets_by_use ON assets (used_at);
INSERT OR IGNORE INTO assets (digest, size_bytes, content_type, stored_at, used_at)
  SELECT p.digest, p.size_bytes, p.content_type, j.updated_at, j.updated_at
  FROM published AS p JOIN jobs AS j ON j.id = p.job_id;
CREATE INDEX published_by_job ON published (job_id);

-- How much the files of a job take, NULL if it has none, and the sum per owner: kept by triggers, since adding them up
-- would take longer with every result. Summing anew is right also after INSERT OR REPLACE, which fires no DELETE.
ALTER TABLE jobs ADD COLUMN published_bytes INTEGER;
UPDATE jobs SET published_bytes = (SELECT sum(size_bytes) FROM published WHERE job_id = jobs.id)
  WHERE id IN (SELECT job_id FROM published);
CREATE INDEX jobs_with_files ON jobs (finished_at, id) WHERE published_bytes IS NOT NULL;
CREATE TABLE owner_bytes (
  owner TEXT PRIMARY KEY,
  published_bytes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO owner_bytes (owner, published_bytes)
  SELECT owner, sum(published_bytes) FROM jobs WHERE published_bytes IS NOT NULL GROUP BY owner;
CREATE TRIGGER file_published AFTER INSERT ON published BEGIN
  UPDATE jobs SET published_bytes = (SELECT sum(size_bytes) FROM published WHERE job_id = new.job_id)
    WHERE id = new.job_id;
END;
CREATE TRIGGER file_resized AFTER UPDATE OF size_bytes ON published BEGIN
  UPDATE jobs SET published_bytes = (SELECT sum(size_bytes) FROM published WHERE job_id = new.job_id)
    WHERE id = new.job_id;
END;
CREATE TRIGGER file_unpublished AFTER DELETE ON published BEGIN
  UPDATE jobs SET published_bytes = (SELECT sum(size_bytes) FROM published WHERE job_id = old.job_id)
    WHERE id = old.job_id;
END;
CREATE TRIGGER owner_summed AFTER UPDATE OF published_bytes ON jobs
  WHEN new.published_bytes IS NOT old.published_bytes BEGIN
  INSERT INTO owner_bytes (owner, published_bytes) VALUES (new.owner, coalesce(new.published_bytes, 0))
    ON CONFLICT (owner) DO UPDATE SET published_bytes = published_bytes + coalesce(new.published_bytes, 0)
      - coalesce(old.published_bytes, 0);
END;
CREATE TRIGGER owner_lessened AFTER DELETE ON jobs WHEN old.published_bytes IS NOT NULL BEGIN
  UPDATE owner_bytes SET published_bytes = published_bytes - old.published_bytes WHERE owner = old.owner;
END;

-- What lies in the asset store, or is about to, without a row that keeps it: a blob by its digest, the named files of
-- a job, or a digest that a deleted result showed and others may still need. Written before the blob is, or with the
-- deletion of the row; gone when the row is there, or the file is not. See store/doomed.py.
CREATE TABLE doomed (
  kind TEXT NOT NULL CHECK (kind IN ('blob', 'names', 'result')),
  name TEXT NOT NULL,
  since REAL NOT NULL,
  size_bytes INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE endpoints (
  url TEXT PRIMARY KEY,
  failing_since REAL,
  last_failed_at REAL,
  disabled_at REAL,
  reason TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_by_job ON outbox (job_id, created_at);
CREATE INDEX jobs_idempotency ON idempotency (created_at);

-- Scheme-less address of the receiver, so that the first few events of every one are found without reading them all.
ALTER TABLE outbox ADD COLUMN origin TEXT GENERATED ALWAYS AS (
  lower(substr(url, instr(url, '://') + 3, instr(substr(url, instr(url, '://') + 3) || '/', '/') - 1))
) VIRTUAL;
CREATE INDEX outbox_turns ON outbox (origin, next_at) WHERE state = 'pending';
