-- What a finished prefetch has fetched is kept as long as its job is.
CREATE INDEX jobs_prefetched ON jobs (id) WHERE kind = 'prefetch' AND state = 'completed';
-- An owner's last videos, for what they have shown.
CREATE INDEX jobs_made ON jobs (owner, created_at DESC) WHERE kind = 'video' AND state = 'completed';
