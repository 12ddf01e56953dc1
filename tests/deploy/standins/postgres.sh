#!/bin/bash
# Entrypoint of the stand-in `postgres`: what the official one does, as far as this project uses it.
set -euo pipefail
[[ ${1:-} != -* ]] || set -- postgres "$@"
[[ ${1:-} == postgres ]] || exec "$@"

if [[ $(id -u) == 0 ]]; then
  install --directory --owner=postgres --group=postgres --mode=0700 "$PGDATA"
  install --directory --owner=postgres --group=postgres --mode=3777 /var/run/postgresql
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi

begin() {
  local password=${POSTGRES_PASSWORD:-$(< "$POSTGRES_PASSWORD_FILE")}
  initdb --username=postgres --auth-local=trust --pwfile=<(printf '%s\n' "$password") > /dev/null
  echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
  echo "listen_addresses = '*'" >> "$PGDATA/postgresql.conf"
  pg_ctl --wait --options="-c listen_addresses=''" start
  local script
  for script in /docker-entrypoint-initdb.d/*; do
    [[ ! -x $script ]] || "$script"
  done
  pg_ctl --wait --mode=fast stop
}

[[ -s $PGDATA/PG_VERSION ]] || begin
exec "$@"
