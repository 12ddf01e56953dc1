#!/bin/bash
# Run by the image's own entrypoint, once, on an empty disk: a database for each service, owned by a
# role of its own, which `operations` may enter too. Roles and passwords come from the same Secrets
# that the services read.
set -euo pipefail
secrets=${SECRETS:-/run/handoff/databases}

as_superuser() { psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username postgres "$@"; }

make_role() {
  as_superuser --set name="$(<"$1/username")" --set password="$(<"$1/password")" \
    <<< "CREATE ROLE :\"name\" LOGIN PASSWORD :'password'"
}

make_database() {
  as_superuser --set name="$(<"$1/username")" << 'SQL'
CREATE DATABASE :"name" OWNER :"name";
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"name" TO operations;
SQL
}

make_role "$secrets/operations"
for service in marketing-intake lead-scoring sales-pipeline notifier; do
  make_role "$secrets/$service"
  make_database "$secrets/$service"
done
