CREATE TABLE boots (
  boot_id TEXT PRIMARY KEY,
  started_at REAL NOT NULL,
  clean_stop INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE jobs (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('video', 'prefetch')),
  state TEXT NOT NULL,
  priority INTEGER NOT NULL DEFAULT 0,
  brief TEXT NOT NULL,
  metadata TEXT NOT NULL DEFAULT '{}',
  callback_url TEXT,
  created_at REAL NOT NULL,
  updated_at REAL NOT NULL,
  started_at REAL,
  finished_at REAL,
  attempt INTEGER NOT NULL DEFAULT 0,
  crashes INTEGER NOT NULL DEFAULT 0,
  boot_id TEXT,
  cancel_requested INTEGER NOT NULL DEFAULT 0,
  progress REAL NOT NULL DEFAULT 0,
  scenes_done INTEGER NOT NULL DEFAULT 0,
  scenes_total INTEGER NOT NULL DEFAULT 0,
  error TEXT,
  result TEXT
) STRICT;
CREATE INDEX jobs_by_state ON jobs (state, priority DESC, created_at);
CREATE INDEX jobs_by_age ON jobs (created_at DESC, id DESC);
CREATE TABLE job_events (
  job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  seq INTEGER NOT NULL,
  at REAL NOT NULL,
  line TEXT NOT NULL,
  PRIMARY KEY (job_id, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE storyboards (
  job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  version INTEGER NOT NULL,
  body TEXT NOT NULL,
  created_at REAL NOT NULL,
  PRIMARY KEY (job_id, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE published (
  digest TEXT NOT NULL,
  job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  role TEXT NOT NULL,
  name TEXT NOT NULL,
  content_type TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  PRIMARY KEY (digest, job_id, role)
) STRICT, WITHOUT ROWID;
CREATE TABLE idempotency (
  owner TEXT NOT NULL,
  key TEXT NOT NULL,
  body_sha256 TEXT NOT NULL,
  job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  created_at REAL NOT NULL,
  PRIMARY KEY (owner, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE outbox (
  id TEXT PRIMARY KEY,
  job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  url TEXT NOT NULL,
  event TEXT NOT NULL,
  body BLOB NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'dead')),
  attempt INTEGER NOT NULL DEFAULT 0,
  next_at REAL NOT NULL,
  last_error TEXT,
  created_at REAL NOT NULL
) STRICT;
CREATE INDEX outbox_due ON outbox (state, next_at);
