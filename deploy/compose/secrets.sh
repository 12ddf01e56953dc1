#!/usr/bin/env bash
# secrets.sh [DIRECTORY]: makes the secrets that compose.yaml names, with random contents, where they are
# not there yet. Keep them with the volumes: Postgres has taken the passwords on its first start, and by
# `erasure` an erased person is known again.
set -euo pipefail
directory=${1:-$(dirname "$0")/secrets}
# The files can be read by all, since the containers' users are not yours; but nobody else gets there.
mkdir -p -m 0700 "$directory"
cd "$directory"

random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
keep() { [[ -s $1 ]] || printf '%s\n' "$2" > "$1"; }

umask 022
for name in postgres erasure grafana; do keep "$name" "$(random)"; done
password=$(random)
for service in marketing-intake lead-scoring sales-pipeline notifier; do
  database=${service//-/_}
  keep "$service-database" "postgresql://$database:$(random)@postgres:5432/$database"
  keep "operations-$service" "postgresql://operations:$password@postgres:5432/$database"
done
