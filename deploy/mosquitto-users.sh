#!/bin/sh
# Makes the broker's users. Each file in SECRETS is one: its name is the user's, its one line the password.
#
#   mosquitto-users.sh [NAME...]   a random password for each NAME that has none, then Mosquitto's password file and a copy
#                                  of the access rules, both readable by Mosquitto alone
#
# Where make-certificates.sh has been, the broker gets its certificate and a listener for TLS too (after which Mosquitto wants a
# restart; certificates alone it reads again at SIGHUP). And each directory in LOGINS gets what the user it is named after signs in
# with, as mqtt_password; all that is in it belongs to that user alone then.
#
# Run it again after a change (a file edited or removed, the access rules changed) and send Mosquitto SIGHUP. The
# environment says where things are; the defaults are those of compose.yaml:
#   SECRETS=/secrets  USERS=/mosquitto/users  ACL=/deploy/mosquitto.acl  SECRETS_OWNER=1000
#   LISTENER=/deploy/tls/listener.conf  TLS=/tls/broker  LOGINS=/logins
set -eu
: "${SECRETS:=/secrets}" "${USERS:=/mosquitto/users}" "${ACL:=/deploy/mosquitto.acl}" "${SECRETS_OWNER:=1000}"
: "${LISTENER:=/deploy/tls/listener.conf}" "${TLS:=/tls/broker}" "${LOGINS:=/logins}"
umask 077
export LC_ALL=C

fail() {
  echo "mosquitto-users: $1" >&2
  exit 1
}

# As host names are: `+`, `#` and `/` would mean something in an access rule, `:` in the password file.
check_name() {
  case $1 in
    '' | [!a-z0-9]* | *[!a-z0-9_-]*) fail "$1 cannot be a user: use a-z, 0-9, - and _, as in a Pi's host name" ;;
  esac
}

# Docker makes a directory that is not there as root, and then nobody else could add a user to it.
if [ "$(id -u)" = 0 ]; then chown "$SECRETS_OWNER" "$SECRETS"; fi
for name in "$@"; do
  check_name "$name"
  [ -e "$SECRETS/$name" ] && continue
  # Hidden: a half one that a power cut leaves behind is no user.
  head -c 24 /dev/urandom | base64 | tr '+/' '-_' >"$SECRETS/.$name.new"
  # Whoever hands it out: the bridge in its container has this user id.
  if [ "$(id -u)" = 0 ]; then chown "$SECRETS_OWNER" "$SECRETS/.$name.new"; fi
  mv "$SECRETS/.$name.new" "$SECRETS/$name"
  echo "mosquitto-users: $name is new"
done

passwords=$USERS/passwords
rm -f "$passwords.new"
: >"$passwords.new"
count=0
for file in "$SECRETS"/*; do
  [ -f "$file" ] || continue
  name=${file##*/}
  check_name "$name"
  password=
  IFS= read -r password <"$file" || [ -n "$password" ] || fail "the password of $name is empty"
  case $password in
    *:*) fail "the password of $name has a colon in it, which Mosquitto's password file cannot hold" ;;
    '') fail "the password of $name is empty" ;;
  esac
  printf '%s:%s\n' "$name" "$password" >>"$passwords.new"
  count=$((count + 1))
done
[ "$count" -gt 0 ] || fail "no user: name one, or put a file with a password into $SECRETS"
# Hashes what stands in the file: on the command line of mosquitto_passwd everybody could read it.
mosquitto_passwd -U "$passwords.new"
cp "$ACL" "$USERS/acl.new"
mkdir -p "$USERS/conf.d" "$USERS/tls"
if [ -s "$TLS/server.crt" ]; then
  for file in ca.crt server.crt server.key; do cp "$TLS/$file" "$USERS/tls/$file"; done
  sed "s|/mosquitto/users|$USERS|" "$LISTENER" >"$USERS/conf.d/tls.conf"
else
  rm -f "$USERS/conf.d/tls.conf"
fi
if [ "$(id -u)" = 0 ] && id mosquitto >/dev/null 2>&1; then
  chown -R mosquitto: "$passwords.new" "$USERS/acl.new" "$USERS/conf.d" "$USERS/tls"
fi
mv "$USERS/acl.new" "$USERS/acl"
mv "$passwords.new" "$passwords"
for directory in "$LOGINS"/*/; do
  [ -d "$directory" ] || continue
  name=$(basename "$directory")
  [ -f "$SECRETS/$name" ] || fail "$directory is for $name, who is no user"
  cp "$SECRETS/$name" "$directory/mqtt_password"
  if [ "$(id -u)" = 0 ]; then chown -R "$SECRETS_OWNER" "$directory" && chmod -R u+rX,go= "$directory"; fi
done
echo "mosquitto-users: $count users"
