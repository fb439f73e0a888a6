#!/bin/sh
# Makes deploy/secrets: certificates and keys by `msq-gate dev-certs`, passwords that nobody chose, and of these Keycloak's
# realm.
# MSQ_GATE names the program; without it, cargo builds and runs it.
set -eu
cd "$(dirname "$0")"
if [ -e secrets ]; then
  echo "deploy/secrets is there already; remove it to make all anew" >&2
  exit 1
fi

secret() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n'; }

# The directory is for you alone. The files in it can be read by whoever is given them: the users of the containers.
umask 022
mkdir -m 700 secrets
if [ -n "${MSQ_GATE:-}" ]; then
  "$MSQ_GATE" dev-certs --dir secrets/certs --also keycloak
else
  cargo run --quiet --release --package msq-gate -- dev-certs --dir secrets/certs --also keycloak
fi
chmod 644 secrets/certs/server-key.pem secrets/certs/keycloak-key.pem secrets/certs/id-key
# Keycloak signs the tokens here.
rm secrets/certs/token-key.pem secrets/certs/token-jwks.json

for name in gate-password admin-password metadata-password internal-password ann-password joe-password nightly-load-secret; do
  secret >"secrets/$name"
done
{
  cat druid-common.properties
  echo "druid.metadata.storage.connector.password=$(cat secrets/metadata-password)"
  echo "druid.auth.authenticator.basic.initialAdminPassword=$(cat secrets/admin-password)"
  echo "druid.auth.authenticator.basic.initialInternalClientPassword=$(cat secrets/internal-password)"
  echo "druid.escalator.internalClientPassword=$(cat secrets/internal-password)"
} >secrets/druid-common.properties
sed -e "s/@ann-password@/$(cat secrets/ann-password)/" \
  -e "s/@joe-password@/$(cat secrets/joe-password)/" \
  -e "s/@nightly-load-secret@/$(cat secrets/nightly-load-secret)/" keycloak-realm.json >secrets/keycloak-realm.json
echo "deploy/secrets is made"
