#!/bin/sh
# Makes the passwords of compose.yaml's MySQL and Redis, each on the volume of those who need it, and on no other:
#
#   node       mysql-password, redis-password: what nodes show to the two servers
#   migrate    mysql-password: of the account that makes the tables
#   mysql      root-password; accounts.sql and root.cnf, which are made from these three
#   redis      users.acl: who may do what, with the hash of the nodes' password
#
# A password that is there is kept, so this runs at each `up`; what is made from passwords is written anew. A file gets its
# name when all of it is there, so a run may be killed at any time, and two may run at once: one keeps what the other made.
# Files belong to root, and only the group of those whom they are for may read them.
set -eu
umask 077

readonly SECRETS="${SECRETS:-/secrets}"
readonly NODE_GROUP="${NODE_GROUP:-1000}" SERVER_GROUP="${SERVER_GROUP:-999}"

prepare_folder() { # folder, group
  # What a run left behind that was killed; not what one writes that is under way.
  find "$SECRETS/$1" -name '.new.*' -mmin +1 -exec rm -f {} +
  chgrp "$2" "$SECRETS/$1"
  chmod 0750 "$SECRETS/$1"
}

# stdin becomes a new file without a name of its own yet, which is printed.
new_file() { # folder, group
  new=$(mktemp "$SECRETS/$1/.new.XXXXXX")
  cat > "$new"
  chgrp "$2" "$new"
  chmod 0440 "$new"
  sync "$new"
  echo "$new"
}

make_password() { # file, group
  [ ! -e "$SECRETS/$1" ] || return 0
  # Not in one pipe: only the failure of its last part would be seen.
  password=$(head -c 24 /dev/urandom | od -An -v -tx1 | tr -d ' \n')
  [ ${#password} -eq 48 ]
  new=$(printf '%s' "$password" | new_file "$(dirname "$1")" "$2")
  # Unlike `mv`, it replaces nothing: then another run has made one, which holds.
  ln "$new" "$SECRETS/$1" || [ -e "$SECRETS/$1" ]
  rm -f "$new"
}

read_password() { # file
  password=$(cat "$SECRETS/$1")
  case $password in
    '' | *[!A-Za-z0-9._~+/=-]*)
      echo "$1: is not accepted (not shown); use letters, digits and . _ ~ + / = -, or remove it for a new one" >&2
      return 1
      ;;
  esac
  printf '%s' "$password"
}

replace() { # file, group; stdin: what it has from now on
  new=$(new_file "$(dirname "$1")" "$2")
  mv -f "$new" "$SECRETS/$1"
}

prepare_folder node "$NODE_GROUP"
prepare_folder migrate "$NODE_GROUP"
prepare_folder mysql "$SERVER_GROUP"
prepare_folder redis "$SERVER_GROUP"

make_password node/mysql-password "$NODE_GROUP"
make_password node/redis-password "$NODE_GROUP"
make_password migrate/mysql-password "$NODE_GROUP"
make_password mysql/root-password "$SERVER_GROUP"

node=$(read_password node/mysql-password)
migrate=$(read_password migrate/mysql-password)
root=$(read_password mysql/root-password)
redis=$(read_password node/redis-password)
redis_hash=$(printf '%s' "$redis" | sha256sum | cut -c 1-64)

# The server runs it at each start, before it answers anybody. It lets root in by the socket in its container alone.
replace mysql/accounts.sql "$SERVER_GROUP" << SQL
CREATE DATABASE IF NOT EXISTS elastic_job;
DROP USER IF EXISTS 'root'@'%', 'elastic_job'@'%', 'elastic_job_migrate'@'%';
CREATE USER 'elastic_job'@'%' IDENTIFIED BY '$node';
GRANT SELECT, INSERT, UPDATE, DELETE ON \`elastic\\_job\`.* TO 'elastic_job'@'%';
CREATE USER 'elastic_job_migrate'@'%' IDENTIFIED BY '$migrate';
GRANT SELECT, INSERT, UPDATE, CREATE, ALTER, INDEX ON \`elastic\\_job\`.* TO 'elastic_job_migrate'@'%';
ALTER USER 'root'@'localhost' IDENTIFIED BY '$root';
SQL

replace mysql/root.cnf "$SERVER_GROUP" << CNF
[client]
user=root
password="$root"
CNF

replace redis/users.acl "$SERVER_GROUP" << ACL
user default reset off
user elastic_job reset on #$redis_hash ~cluster ~{cluster}:* &{cluster}:master@* +get +set +del +pexpire +pttl +hget +hset +hmget +zadd +zrange +zrem +zremrangebyscore +time +eval +publish +subscribe +unsubscribe +ping +select
ACL
