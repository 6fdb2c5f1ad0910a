#!/bin/sh
# Runs PostgreSQL in its container; makes the cluster, the user `desk` and its database `rondgang` the first time.
set -eu

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    rm -rf "$PGDATA.new"
    initdb --pgdata="$PGDATA.new" --username=desk --pwfile=/run/secrets/database_password --auth=scram-sha-256 \
        --encoding=UTF8 --locale=C.UTF-8 --no-sync >/dev/null
    echo 'host rondgang desk all scram-sha-256' >>"$PGDATA.new/pg_hba.conf"
    echo 'CREATE DATABASE rondgang' | postgres --single -D "$PGDATA.new" postgres >/dev/null
    sync
    mv "$PGDATA.new" "$PGDATA"
fi
exec postgres -D "$PGDATA" -c listen_addresses='*' -c unix_socket_directories=/tmp
