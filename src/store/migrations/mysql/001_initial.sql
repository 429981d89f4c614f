-- Times are epoch milliseconds, UTC. Each statement can be run again: DDL is not transactional here.

-- The migrations that were applied.
CREATE TABLE IF NOT EXISTS jobschema (
  version INT NOT NULL PRIMARY KEY,
  applied_at BIGINT NOT NULL
) ENGINE=InnoDB;

-- Row 1 holds the mastership: the epoch, whose it is, where that process listens, and by which lock it was elected.
-- Row 2 is only for the proof of the fence at start.
-- identity: made with the schema, for people to tell clusters apart; a copy of the database has the same one.
-- zone_data: the newest version of the time zone data that a node has had; zone_computed: the one by which all
-- waiting occurrences were computed, empty where it is not one.
CREATE TABLE IF NOT EXISTS jobcluster (
  id TINYINT NOT NULL PRIMARY KEY,
  epoch BIGINT NOT NULL,
  incarnation VARCHAR(64) NOT NULL,
  identity VARCHAR(64) NOT NULL,
  address VARCHAR(255) NOT NULL DEFAULT '',
  lock_key VARCHAR(255) NOT NULL DEFAULT '',
  zone_data VARCHAR(32) NOT NULL DEFAULT '',
  zone_computed VARCHAR(32) NOT NULL DEFAULT ''
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- UUID() would be made of the time and the machine.
INSERT INTO jobcluster (id, epoch, incarnation, identity)
VALUES (1, 0, '', LOWER(CONCAT(HEX(RANDOM_BYTES(4)), '-', HEX(RANDOM_BYTES(2)), '-4', SUBSTR(HEX(RANDOM_BYTES(2)), 2),
  '-8', SUBSTR(HEX(RANDOM_BYTES(2)), 2), '-', HEX(RANDOM_BYTES(6))))), (2, 0, '', '')
ON DUPLICATE KEY UPDATE id = id;

-- What nodes prove themselves by, unless they are given a CLUSTER_SECRET: made with the schema. A table of its own, so that
-- an account that only reads jobs need not see it.
CREATE TABLE IF NOT EXISTS jobsecret (
  id TINYINT NOT NULL PRIMARY KEY,
  secret VARCHAR(64) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

INSERT INTO jobsecret (id, secret) VALUES (1, LOWER(HEX(RANDOM_BYTES(32)))) ON DUPLICATE KEY UPDATE id = id;

CREATE TABLE IF NOT EXISTS jobfenceproof (
  id TINYINT NOT NULL PRIMARY KEY,
  epoch BIGINT NOT NULL,
  written INT NOT NULL
) ENGINE=InnoDB;

INSERT INTO jobfenceproof (id, epoch, written) VALUES (1, 0, 0) ON DUPLICATE KEY UPDATE id = id;

-- Ids below next_id are taken. made: when this table was made, as an election saw it last; a restore makes it anew.
CREATE TABLE IF NOT EXISTS jobidblock (
  id TINYINT NOT NULL PRIMARY KEY,
  next_id BIGINT NOT NULL,
  made VARCHAR(32) NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

INSERT INTO jobidblock (id, next_id, made) VALUES (1, 1, '') ON DUPLICATE KEY UPDATE id = id;

CREATE TABLE IF NOT EXISTS jobclass (
  id INT NOT NULL PRIMARY KEY,
  handler VARCHAR(255) NOT NULL,
  labels TEXT NOT NULL,
  epoch BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The handlers that nodes have offered, and when one last did, in cluster time.
CREATE TABLE IF NOT EXISTS jobhandler (
  name VARCHAR(128) NOT NULL PRIMARY KEY,
  last_offered BIGINT NOT NULL,
  epoch BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- A process enters itself: so a master that finds it here shares this database with it.
-- unheard_since: from when on no master has answered this process, in cluster time; NULL: one may have.
-- Sets of jobs that code describes. generation: of the newest description, NULL where it said none; jobs: the names of its
-- jobs, a JSON list, by which those are found that the next description leaves out.
CREATE TABLE IF NOT EXISTS jobset (
  name VARCHAR(64) NOT NULL PRIMARY KEY,
  generation BIGINT NULL,
  jobs MEDIUMTEXT NOT NULL,
  epoch BIGINT NOT NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS jobnode (
  number INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  incarnation VARCHAR(64) NOT NULL,
  node_id VARCHAR(255) NOT NULL,
  unheard_since BIGINT NULL,
  UNIQUE KEY clusternode_incarnation (incarnation)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What a claim or a projection changes is NOT NULL and of fixed width, so that rows never grow in place.
-- epoch: the mastership that added the row; in the first row of an INSERT it carries the fence.
CREATE TABLE IF NOT EXISTS jobinfo (
  id BIGINT NOT NULL PRIMARY KEY,
  class INT NOT NULL,
  at BIGINT NOT NULL,
  status TINYINT NOT NULL,
  claim INT UNSIGNED NOT NULL,
  attempt INT NOT NULL,
  failures INT NOT NULL,
  lost INT NOT NULL,
  revision INT NOT NULL,
  node INT NOT NULL,
  epoch BIGINT NOT NULL,
  parent_id BIGINT NOT NULL,
  scheduled_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  priority SMALLINT NOT NULL,
  name VARCHAR(255) NOT NULL,
  spec TEXT NOT NULL,
  payload MEDIUMTEXT NULL,
  KEY jobinfo_hot (class, at, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- epoch: of the master that wrote the row; 0: a node did.
CREATE TABLE IF NOT EXISTS jobresult (
  job_id BIGINT NOT NULL,
  claim INT UNSIGNED NOT NULL,
  late TINYINT NOT NULL,
  outcome TINYINT NOT NULL,
  attempt INT NOT NULL,
  scheduled_at BIGINT NOT NULL,
  start_time BIGINT NOT NULL,
  end_time BIGINT NOT NULL,
  retry_at BIGINT NULL,
  node INT NOT NULL,
  epoch BIGINT NOT NULL,
  placement TEXT NOT NULL,
  output MEDIUMTEXT NULL,
  error MEDIUMTEXT NULL,
  reason TEXT NOT NULL,
  skipped_through BIGINT NULL,
  skipped_count INT NOT NULL,
  PRIMARY KEY (job_id, claim, late)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- No index on job_id: whoever deletes a job knows its key.
CREATE TABLE IF NOT EXISTS jobkey (
  k VARBINARY(255) NOT NULL PRIMARY KEY,
  job_id BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  -- What was asked for under it, a few bytes for each field; empty: nothing to compare with.
  digest MEDIUMBLOB NOT NULL
) ENGINE=InnoDB;

-- What callers did. at, id: chosen before the write, so that it can be repeated. epoch: of the master that wrote the row; 0:
-- written without a fence, as what it tells is true whoever is master. n: of adds, how many jobs. outcome '': under way, or never told.
CREATE TABLE IF NOT EXISTS jobaudit (
  at BIGINT NOT NULL,
  id BIGINT NOT NULL,
  epoch BIGINT NOT NULL,
  caller VARCHAR(64) NOT NULL,
  address VARCHAR(64) NOT NULL,
  forwarded_for VARCHAR(64) NOT NULL,
  method VARCHAR(64) NOT NULL,
  job_id BIGINT NULL,
  node_id VARCHAR(255) NOT NULL,
  first_job BIGINT NULL,
  last_job BIGINT NULL,
  n BIGINT NOT NULL,
  detail VARCHAR(400) NOT NULL,
  outcome VARCHAR(32) NOT NULL,
  PRIMARY KEY (at, id),
  KEY jobaudit_job (job_id, at, id),
  KEY jobaudit_added (last_job, first_job)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What attempts said, a row for as many lines as were written at once. first: the number of the first of its lines, of which the claim's
-- own first is 1; n: how many they are; entries: a JSON list. It goes with the claim's row in jobresult.
CREATE TABLE IF NOT EXISTS joblog (
  job_id BIGINT NOT NULL,
  claim INT UNSIGNED NOT NULL,
  first INT NOT NULL,
  n INT NOT NULL,
  entries MEDIUMTEXT NOT NULL,
  PRIMARY KEY (job_id, claim, first)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
