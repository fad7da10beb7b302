-- Lists and streams of one owner among many: by age alone every job of everybody was looked at for a page of them.
CREATE INDEX jobs_of_owner ON jobs (owner, created_at DESC, id DESC);
CREATE INDEX jobs_of_owner_by_state ON jobs (owner, state, created_at DESC, id DESC);
CREATE INDEX feed_of_owner ON feed (owner, id);
