#!/bin/sh
# Makes the gate's account at Druid and grants it everything. Run again, it changes nothing.
# COORDINATOR, ADMIN_PASSWORD_FILE and GATE_PASSWORD_FILE may name others than those of docker-compose.yml.
set -eu
COORDINATOR="${COORDINATOR:-http://coordinator:8081}"
ADMIN="admin:$(cat "${ADMIN_PASSWORD_FILE:-/run/secrets/admin-password}")"
GATE="$(cat "${GATE_PASSWORD_FILE:-/run/secrets/gate-password}")"
BASE="$COORDINATOR/druid-ext/basic-security"

# The credentials go in by standard input, so that no list of processes shows them.
ask() {
  printf 'user = "%s"\n' "$ADMIN" | curl --config - --silent --show-error --header 'Content-Type: application/json' "$@"
}

# A name that is there already is answered 400, which is as good.
make() { ask --output /dev/null --request POST "$1"; }

until ask --fail --output /dev/null "$BASE/authentication/db/basic/users"; do
  echo "waiting for the Coordinator"
  sleep 2
done

make "$BASE/authentication/db/basic/users/msq_gate"
CREDENTIALS="$(mktemp)"
trap 'rm -f "$CREDENTIALS"' EXIT
printf '{"password":"%s"}' "$GATE" >"$CREDENTIALS"
ask --fail --request POST --data @"$CREDENTIALS" "$BASE/authentication/db/basic/users/msq_gate/credentials"

make "$BASE/authorization/db/basic/users/msq_gate"
make "$BASE/authorization/db/basic/roles/msq_gate"
make "$BASE/authorization/db/basic/users/msq_gate/roles/msq_gate"
permissions=""
for type in DATASOURCE VIEW STATE CONFIG EXTERNAL SYSTEM_TABLE QUERY_CONTEXT; do
  for action in READ WRITE; do
    permissions="$permissions,{\"resource\":{\"type\":\"$type\",\"name\":\".*\"},\"action\":\"$action\"}"
  done
done
ask --fail --request POST --data "[${permissions#,}]" "$BASE/authorization/db/basic/roles/msq_gate/permissions"
echo "Druid knows the account msq_gate"
