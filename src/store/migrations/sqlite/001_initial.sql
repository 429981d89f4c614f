-- Times are epoch milliseconds, UTC. In lock-step with the MySQL migration of the same number.

-- The migrations that were applied.
CREATE TABLE jobschema (
  version INTEGER NOT NULL PRIMARY KEY,
  applied_at INTEGER NOT NULL
) STRICT;

-- identity: who this cluster is, a random UUID, made here and kept for ever.
CREATE TABLE jobcluster (
  id INTEGER NOT NULL PRIMARY KEY,
  epoch INTEGER NOT NULL,
  incarnation TEXT NOT NULL,
  identity TEXT NOT NULL,
  address TEXT NOT NULL DEFAULT '',
  lock_key TEXT NOT NULL DEFAULT '',
  zone_data TEXT NOT NULL DEFAULT '',
  zone_computed TEXT NOT NULL DEFAULT ''
) STRICT;

INSERT INTO jobcluster (id, epoch, incarnation, identity)
VALUES (1, 0, '', lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2)
  || '-8' || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))));

-- What nodes prove themselves by.
CREATE TABLE jobsecret (
  id INTEGER NOT NULL PRIMARY KEY,
  secret TEXT NOT NULL
) STRICT;

INSERT INTO jobsecret (id, secret) VALUES (1, lower(hex(randomblob(32))));

-- Ids below next_id are taken.
CREATE TABLE jobidblock (
  id INTEGER NOT NULL PRIMARY KEY,
  next_id INTEGER NOT NULL
) STRICT;

INSERT INTO jobidblock (id, next_id) VALUES (1, 1);

CREATE TABLE jobclass (
  id INTEGER NOT NULL PRIMARY KEY,
  handler TEXT NOT NULL,
  labels TEXT NOT NULL,
  epoch INTEGER NOT NULL
) STRICT;

CREATE TABLE jobhandler (
  name TEXT NOT NULL PRIMARY KEY,
  last_offered INTEGER NOT NULL,
  epoch INTEGER NOT NULL
) STRICT;

-- Sets of jobs that code describes. generation: of the newest description, NULL where it said none; jobs: the names of its
-- jobs, a JSON list, by which those are found that the next description leaves out.
CREATE TABLE jobset (
  name TEXT NOT NULL PRIMARY KEY,
  generation INTEGER NULL,
  jobs TEXT NOT NULL,
  epoch INTEGER NOT NULL
) STRICT;

CREATE TABLE jobnode (
  number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  incarnation TEXT NOT NULL UNIQUE,
  node_id TEXT NOT NULL,
  unheard_since INTEGER NULL
) STRICT;

-- epoch: the mastership that added the row.
CREATE TABLE jobinfo (
  id INTEGER NOT NULL PRIMARY KEY,
  class INTEGER NOT NULL,
  at INTEGER NOT NULL,
  status INTEGER NOT NULL,
  claim INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  failures INTEGER NOT NULL,
  lost INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  node INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  parent_id INTEGER NOT NULL,
  scheduled_at INTEGER NOT NULL,
  ended_at INTEGER NOT NULL,
  create_time INTEGER NOT NULL,
  update_time INTEGER NOT NULL,
  priority INTEGER NOT NULL,
  name TEXT NOT NULL CHECK (length(name) <= 255),
  spec TEXT NOT NULL,
  payload TEXT NULL
) STRICT;

CREATE INDEX jobinfo_hot ON jobinfo (class, at, id);

-- epoch: of the master that wrote the row; 0: a node did.
CREATE TABLE jobresult (
  job_id INTEGER NOT NULL,
  claim INTEGER NOT NULL,
  late INTEGER NOT NULL,
  outcome INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  scheduled_at INTEGER NOT NULL,
  start_time INTEGER NOT NULL,
  end_time INTEGER NOT NULL,
  retry_at INTEGER NULL,
  node INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  placement TEXT NOT NULL,
  output TEXT NULL,
  error TEXT NULL,
  reason TEXT NOT NULL,
  skipped_through INTEGER NULL,
  skipped_count INTEGER NOT NULL,
  PRIMARY KEY (job_id, claim, late)
) STRICT;

-- No index on job_id: whoever deletes a job knows its key.
CREATE TABLE jobkey (
  k BLOB NOT NULL PRIMARY KEY CHECK (length(k) <= 255),
  job_id INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  -- What was asked for under it, a few bytes for each field; empty: nothing to compare with.
  digest BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- What callers did. epoch: of the master that wrote the row; 0: written without a fence.
CREATE TABLE jobaudit (
  at INTEGER NOT NULL,
  id INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  caller TEXT NOT NULL,
  address TEXT NOT NULL,
  forwarded_for TEXT NOT NULL,
  method TEXT NOT NULL,
  job_id INTEGER NULL,
  node_id TEXT NOT NULL,
  first_job INTEGER NULL,
  last_job INTEGER NULL,
  n INTEGER NOT NULL,
  detail TEXT NOT NULL,
  outcome TEXT NOT NULL,
  PRIMARY KEY (at, id)
) STRICT;

CREATE INDEX jobaudit_job ON jobaudit (job_id, at, id);
CREATE INDEX jobaudit_added ON jobaudit (last_job, first_job);

-- What attempts said, a row for as many lines as were written at once. first: the number of the first of its lines, of which the claim's
-- own first is 1; n: how many they are; entries: a JSON list. It goes with the claim's row in jobresult.
CREATE TABLE joblog (
  job_id INTEGER NOT NULL,
  claim INTEGER NOT NULL,
  first INTEGER NOT NULL,
  n INTEGER NOT NULL,
  entries TEXT NOT NULL,
  PRIMARY KEY (job_id, claim, first)
) STRICT, WITHOUT ROWID;
