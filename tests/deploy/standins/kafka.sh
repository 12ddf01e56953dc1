#!/bin/bash
# Entrypoint of the stand-in `apache/kafka`: KAFKA_SOME_KEY becomes `some.key` (`__`: `_`, `___`: `-`),
# the storage is formatted once, and the node runs.
set -euo pipefail
properties=/opt/kafka/config/server.properties
logs=${KAFKA_LOG_DIRS:=/tmp/kraft-combined-logs}

java() {
  # shellcheck disable=SC2086  options, not one word
  "${exec[@]}" /usr/bin/java ${KAFKA_HEAP_OPTS:--Xms256m -Xmx512m} -XX:+UseSerialGC \
    -XX:TieredStopAtLevel=1 -XX:+ExitOnOutOfMemoryError \
    -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp '/opt/kafka/libs/*' "$@"
}

write_properties() {
  local name key
  for name in "${!KAFKA_@}"; do
    [[ $name != KAFKA_*OPTS ]] || continue
    key=${name#KAFKA_} key=${key,,} key=${key//___/-} key=${key//__/%} key=${key//_/.} key=${key//%/_}
    echo "$key=${!name}"
  done > "$properties"
}

write_properties
exec=(command)
[[ -e $logs/meta.properties ]] \
  || java kafka.tools.StorageTool format --cluster-id="$CLUSTER_ID" --config="$properties"
exec=(exec)
java kafka.Kafka "$properties"
