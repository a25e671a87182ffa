#!/bin/sh
# Makes what TLS at the broker needs: a CA of your own, the broker's certificate, and a client certificate for each name given.
# Needs openssl (1.1.1 or newer) and nothing else.
#
#   make-certificates.sh [NAME...]     NAME is a user at the broker: bridge, homeassistant, a Pi's host name
#
# What is there and good is left alone; what ends within RENEW_DAYS, or was made for other names, is made again. So it can be
# run at any time, and once a month it had better be. The environment says where and how:
#   DIRECTORY=/tls     ca/ with the CA (its key signs everything: keep it where nobody else reads it), broker/ with what the
#                      broker needs, clients/NAME/ with ca.crt, client.crt and client.key for that user
#   NAMES=             more names and addresses the broker is reached by, with spaces between: nas.local 192.168.1.5
#   DAYS=825 CA_DAYS=3650 RENEW_DAYS=60
#   OWNER=1000         user id that may read the clients' keys, when this runs as root
set -eu
: "${DIRECTORY:=/tls}" "${NAMES:=}" "${DAYS:=825}" "${CA_DAYS:=3650}" "${RENEW_DAYS:=60}" "${OWNER:=1000}"
umask 077
export LC_ALL=C
CA=$DIRECTORY/ca
BROKER=$DIRECTORY/broker

fail() {
  echo "make-certificates: $1" >&2
  exit 1
}

command -v openssl >/dev/null || fail "openssl is not installed"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

new_key() {
  openssl ecparam -name prime256v1 -genkey -noout -out "$1" 2>"$work/log" || fail "no key: $(cat "$work/log")"
}

# A certificate that lasts beyond RENEW_DAYS; with a second argument also: that this CA has signed.
is_good() {
  [ -s "$1" ] && openssl x509 -in "$1" -noout -checkend $((RENEW_DAYS * 86400)) >/dev/null || return 1
  [ $# = 1 ] || openssl verify -CAfile "$2" "$1" >/dev/null 2>&1
}

# Key and certificate appear together: the certificate is what says that both are there.
sign() { # directory, file name without ending, subject, extensions
  new_key "$work/new.key"
  openssl req -new -key "$work/new.key" -subj "/CN=$3" -out "$work/new.csr"
  printf '%s\n' 'basicConstraints=critical,CA:FALSE' 'keyUsage=critical,digitalSignature' 'subjectKeyIdentifier=hash' \
    'authorityKeyIdentifier=keyid' "$4" >"$work/extensions"
  openssl x509 -req -in "$work/new.csr" -CA "$CA/ca.crt" -CAkey "$CA/ca.key" -set_serial "0x$(openssl rand -hex 16)" \
    -days "$DAYS" -sha256 -extfile "$work/extensions" -out "$work/new.crt" 2>"$work/log" || fail "$(cat "$work/log")"
  mkdir -p "$1"
  rm -f "$1/$2.crt"
  mv "$work/new.key" "$1/$2.key"
  mv "$work/new.crt" "$1/$2.crt"
}

mkdir -p "$CA" "$BROKER"
if ! is_good "$CA/ca.crt"; then
  # With the same key what it has signed stays good.
  [ -s "$CA/ca.key" ] || { new_key "$work/ca.key" && mv "$work/ca.key" "$CA/ca.key"; }
  printf '%s\n' '[req]' 'distinguished_name=dn' 'x509_extensions=ext' '[dn]' '[ext]' 'basicConstraints=critical,CA:TRUE' \
    'keyUsage=critical,keyCertSign,cRLSign' 'subjectKeyIdentifier=hash' >"$work/ca.conf"
  openssl req -x509 -new -key "$CA/ca.key" -config "$work/ca.conf" -subj "/CN=Snowhat CA" -days "$CA_DAYS" -sha256 \
    -out "$work/ca.crt"
  mv "$work/ca.crt" "$CA/ca.crt"
  echo "make-certificates: the CA is new until $(openssl x509 -in "$CA/ca.crt" -noout -enddate | cut -d= -f2): every client needs its ca.crt"
fi

# `mosquitto` is its name for the other containers.
names="DNS:mosquitto,DNS:localhost,IP:127.0.0.1"
for name in $NAMES; do
  case $name in
    *[!a-zA-Z0-9.:_-]*) fail "$name is neither a name nor an address" ;;
    *:*) names="$names,IP:$name" ;;
    *[!0-9.]*) names="$names,DNS:$name" ;;
    *) names="$names,IP:$name" ;;
  esac
done
if ! is_good "$BROKER/server.crt" "$CA/ca.crt" || [ "$(cat "$BROKER/names" 2>/dev/null)" != "$names" ]; then
  sign "$BROKER" server mosquitto "extendedKeyUsage=serverAuth
subjectAltName=$names"
  echo "$names" >"$BROKER/names"
  echo "make-certificates: the broker's certificate is new, for $names"
fi
cmp -s "$CA/ca.crt" "$BROKER/ca.crt" || cp "$CA/ca.crt" "$BROKER/ca.crt"

# Those that were made before are renewed as well.
for directory in "$DIRECTORY"/clients/*/; do
  [ ! -e "$directory/client.crt" ] || set -- "$@" "$(basename "$directory")"
done
for name in "$@"; do
  # As mosquitto-users.sh says: the name stands in topics and access rules.
  case $name in
    '' | [!a-z0-9]* | *[!a-z0-9_-]*) fail "$name cannot be a user: use a-z, 0-9, - and _, as in a Pi's host name" ;;
  esac
  own=$DIRECTORY/clients/$name
  if ! is_good "$own/client.crt" "$CA/ca.crt"; then
    sign "$own" client "$name" "extendedKeyUsage=clientAuth"
    echo "make-certificates: $name has a new certificate, in clients/$name"
  fi
  cmp -s "$CA/ca.crt" "$own/ca.crt" || cp "$CA/ca.crt" "$own/ca.crt"
  if [ "$(id -u)" = 0 ]; then chown -R "$OWNER" "$own"; fi
done
