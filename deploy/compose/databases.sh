#!/bin/bash
# Run by the Postgres image's own entrypoint, once, on an empty volume: a database for each service, owned
# by a role of its own, which `operations` may enter too. Names and passwords are those of the URLs that
# the services read.
set -euo pipefail

as_superuser() { psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username postgres "$@"; }

make_role() {
  local login
  login=$(< "/run/secrets/$1") login=${login#*://} login=${login%%@*}
  as_superuser --set name="${login%%:*}" --set password="${login#*:}" \
    <<< "CREATE ROLE :\"name\" LOGIN PASSWORD :'password'"
}

make_database() {
  as_superuser --set name="$1" << 'SQL'
CREATE DATABASE :"name" OWNER :"name";
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"name" TO operations;
SQL
}

make_role operations-marketing-intake
for service in marketing-intake lead-scoring sales-pipeline notifier; do
  make_role "$service-database"
  make_database "${service//-/_}"
done
