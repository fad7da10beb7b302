-- Every request to a service that counts its requests or takes money for them: written before it is sent, its answer
-- after. `status` is NULL where none came, `seconds` while it is under way (or the process died then). The rows outlive
-- their job.
CREATE TABLE provider_calls (
  id INTEGER PRIMARY KEY,
  at REAL NOT NULL,
  service TEXT NOT NULL,
  operation TEXT NOT NULL,
  subject TEXT NOT NULL,
  job_id TEXT NOT NULL,
  owner TEXT NOT NULL,
  status INTEGER,
  seconds REAL,
  tokens_in INTEGER NOT NULL DEFAULT 0,
  tokens_out INTEGER NOT NULL DEFAULT 0,
  cost REAL NOT NULL DEFAULT 0,
  quota_limit INTEGER,
  quota_left INTEGER,
  quota_reset_at REAL,
  retry_at REAL
) STRICT;
CREATE INDEX provider_calls_by_service ON provider_calls (service, at);
CREATE INDEX provider_calls_by_age ON provider_calls (at);

-- What each service said last, and with the answer to which call.
CREATE TABLE provider_states (
  service TEXT PRIMARY KEY,
  told_call INTEGER,
  told_at REAL,
  quota_limit INTEGER,
  quota_left INTEGER,
  quota_reset_at REAL,
  held_until REAL NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- Sums of the above, kept by triggers: by UTC day (days since 1970), and by job. They stay when the calls go.
CREATE TABLE usage_days (
  owner TEXT NOT NULL,
  day INTEGER NOT NULL,
  service TEXT NOT NULL,
  calls INTEGER NOT NULL,
  failed INTEGER NOT NULL DEFAULT 0,
  tokens_in INTEGER NOT NULL DEFAULT 0,
  tokens_out INTEGER NOT NULL DEFAULT 0,
  cost REAL NOT NULL DEFAULT 0,
  PRIMARY KEY (owner, day, service)
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_days_by_day ON usage_days (day);
CREATE TABLE usage_jobs (
  job_id TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  first_at REAL NOT NULL,
  last_at REAL NOT NULL,
  calls INTEGER NOT NULL,
  failed INTEGER NOT NULL DEFAULT 0,
  tokens_in INTEGER NOT NULL DEFAULT 0,
  tokens_out INTEGER NOT NULL DEFAULT 0,
  cost REAL NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_jobs_by_age ON usage_jobs (first_at);
CREATE INDEX usage_jobs_of_owner ON usage_jobs (owner, first_at DESC, job_id DESC);
CREATE TRIGGER call_begun AFTER INSERT ON provider_calls BEGIN
  INSERT INTO usage_days (owner, day, service, calls)
    VALUES (new.owner, CAST(new.at / 86400 AS INTEGER), new.service, 1)
    ON CONFLICT (owner, day, service) DO UPDATE SET calls = calls + 1;
  INSERT INTO usage_jobs (job_id, owner, first_at, last_at, calls)
    SELECT new.job_id, new.owner, new.at, new.at, 1 WHERE new.job_id <> ''
    ON CONFLICT (job_id) DO UPDATE SET calls = calls + 1, last_at = excluded.last_at;
END;
CREATE TRIGGER call_ended AFTER UPDATE OF seconds ON provider_calls WHEN old.seconds IS NULL BEGIN
  UPDATE usage_days SET
      failed = failed + (new.status IS NULL OR new.status >= 400), tokens_in = tokens_in + new.tokens_in,
      tokens_out = tokens_out + new.tokens_out, cost = cost + new.cost
    WHERE owner = new.owner AND day = CAST(new.at / 86400 AS INTEGER) AND service = new.service;
  UPDATE usage_jobs SET
      failed = failed + (new.status IS NULL OR new.status >= 400), tokens_in = tokens_in + new.tokens_in,
      tokens_out = tokens_out + new.tokens_out, cost = cost + new.cost
    WHERE job_id = new.job_id;
END;
