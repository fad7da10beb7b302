-- Signing secrets of webhook receivers that have their own; an endpoint is an address without query and fragment. They
-- have to be readable: what signs must have the secret itself. Until `previous_until` the one before signs as well;
-- `previous` NULL stands for the secret of all the others.
CREATE TABLE webhook_secrets (
  owner TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  secret TEXT NOT NULL,
  created_at REAL NOT NULL,
  previous TEXT,
  previous_until REAL NOT NULL,
  PRIMARY KEY (owner, endpoint)
) STRICT, WITHOUT ROWID;

-- The last attempts of each event. `status` NULL: there was no answer.
CREATE TABLE webhook_attempts (
  webhook_id TEXT NOT NULL REFERENCES outbox (id) ON DELETE CASCADE,
  seq INTEGER NOT NULL,
  at REAL NOT NULL,
  status INTEGER,
  duration_ms INTEGER NOT NULL,
  error TEXT,
  PRIMARY KEY (webhook_id, seq)
) STRICT, WITHOUT ROWID;
