#!/bin/sh
# Starts compose.yaml's MySQL as it is, without the image's own entrypoint: that takes passwords from the environment, and
# lets root in from everywhere. Accounts are what accounts.sql says, at each start, also on a volume that others have made.
set -eu

readonly DATA=/var/lib/mysql
# Stands until the system tables are whole: a first start that was killed before that begins again.
readonly UNFINISHED=$DATA/.unfinished

[ ! -e $UNFINISHED ] || find $DATA -mindepth 1 ! -path $UNFINISHED -delete
if [ ! -d $DATA/mysql ]; then
  touch $UNFINISHED
  # root has no password from here on, and the server no network, until accounts.sql has been run.
  mysqld --no-defaults --initialize-insecure --datadir=$DATA
  sync
  rm $UNFINISHED
fi
# Not in /tmp, which is memory here. A name with a dot is no database's.
mkdir -p $DATA/.tmp

exec mysqld --no-defaults --datadir=$DATA --tmpdir=$DATA/.tmp --secure-file-priv=NULL \
  --socket=/var/run/mysqld/mysqld.sock --pid-file=/var/run/mysqld/mysqld.pid \
  --init-file=/run/secrets/mysql/accounts.sql "$@"
