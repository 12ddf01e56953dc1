#!/usr/bin/env bash
# Prints the Secrets of a new installation, with random contents:
#
#   BACKUPS_ACCESS_KEY_ID=… BACKUPS_SECRET_ACCESS_KEY=… \
#     deploy/kubernetes/secrets.sh small|production | kubectl create --namespace handoff -f -
#
# `create`, so that a second run changes nothing. Keep a copy where you keep such things: without the
# key of erasures, people who were erased may come back with a late post.
set -euo pipefail
usage="usage: BACKUPS_ACCESS_KEY_ID=… BACKUPS_SECRET_ACCESS_KEY=… secrets.sh small|production"
case ${1:-} in small | production) overlay=$1 ;; *) echo "$usage" >&2; exit 2 ;; esac
: "${BACKUPS_ACCESS_KEY_ID:?$usage}" "${BACKUPS_SECRET_ACCESS_KEY:?$usage}"
services=(marketing-intake lead-scoring sales-pipeline notifier)

random() { openssl rand -hex 24; }

host() { # of the Postgres of a service
  if [ "$overlay" = production ]; then echo "$1-postgres-rw"; else echo postgres-rw; fi
}

address() { # role, password, service
  echo "postgresql://$1:$2@$(host "$3"):5432/${3//-/_}"
}

labels() { # by which CloudNativePG sees a change in what it reads
  case $1 in *-database | postgres-ca) echo '{cnpg.io/reload: "true"}' ;; *) echo '{}' ;; esac
}

secret() { # name, type, then key=value...
  printf -- '---\napiVersion: v1\nkind: Secret\nmetadata: {name: %s, labels: %s}\ntype: %s\ndata:\n' \
    "$1" "$(labels "$1")" "$2"
  for pair in "${@:3}"; do
    printf '  %s: %s\n' "${pair%%=*}" "$(printf %s "${pair#*=}" | base64 | tr -d '\n')"
  done
}

for service in "${services[@]}"; do
  role=${service//-/_} password=$(random)
  secret "$service-database" kubernetes.io/basic-auth username="$role" password="$password" \
    uri="$(address "$role" "$password" "$service")"
done

password=$(random) addresses=()
for service in "${services[@]}"; do
  addresses+=("$service=$(address operations "$password" "$service")")
done
secret operations-database kubernetes.io/basic-auth username=operations password="$password" \
  "${addresses[@]}"

secret marketing-intake-erasure Opaque secret="$(random)"

key=$(openssl ecparam -name prime256v1 -genkey -noout)
certificate=$(openssl req -x509 -new -key <(echo "$key") -sha256 -days 3650 \
  -subj "/CN=Postgres of Handoff" -addext keyUsage=critical,keyCertSign,cRLSign)
secret postgres-ca Opaque ca.crt="$certificate" ca.key="$key"

secret backups Opaque access-key-id="$BACKUPS_ACCESS_KEY_ID" \
  secret-access-key="$BACKUPS_SECRET_ACCESS_KEY"
