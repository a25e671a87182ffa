#!/usr/bin/env bash
# Installs a part of Snowhat as a service of systemd, or brings it up to date. Run it as root, as often as you like.
set -euo pipefail
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
umask 022

usage() {
  cat <<'TEXT'
install.sh publisher --package snowhat-X.tgz --broker mqtt://nas:1883 [OPTION...]   on a Pi with a Sense HAT
install.sh bridge    --package snowhat-X.tgz --account ORG-ACCOUNT [OPTION...]       next to the broker
install.sh phone     --package snowhat-X.tgz [OPTION...]                             next to the broker, for phones
install.sh publisher|bridge|phone --uninstall     stops and removes it; settings, secrets and data stay
install.sh publisher|bridge|phone --purge         removes these too

  --package FILE          what `npm pack` has made; a newer one is an update
  --broker URL            mqtt:// or mqtts://, host and port
  --username NAME         at the broker
  --password-file FILE    holds its password; - reads it from standard input
  --ca-file FILE          the CA that signed the broker's certificate
  --cert-file FILE        a certificate of its own instead of user and password, PEM,
  --key-file FILE         and the key of that
  --hostname NAME         publisher: this Pi's name in topics, default its host name
  --simulate              publisher: without a Sense HAT, simulated readings
  --account NAME          bridge: the Snowflake account, ORG-ACCOUNT
  --snowflake-url URL     bridge: instead of the account, such as an emulator's
  --private-key-file FILE bridge: the private key, PEM
  --token-file FILE       phone: what phones have to show; without it one is made
  --no-start              installs everything and starts nothing

The settings are written once, to /etc/snowhat/publisher.yaml, bridge.yaml or phone.yaml, and are yours from then on. Secrets are
copied, readable by the service alone, each time they are given.
TEXT
}

say() { echo "install.sh: $*"; }
fail() {
  echo "install.sh: $1" >&2
  exit "${2:-1}"
}
bad_usage() { fail "$1; see install.sh --help" 2; }

ROOT=/opt/snowhat
ETC=/etc/snowhat
STATE=/var/lib/snowhat
COMMAND=/usr/local/bin/snowhat
UNITS=/etc/systemd/system
NODE_HINT='on Debian 13 and Raspberry Pi OS 13: apt-get install --no-install-recommends nodejs npm; elsewhere see https://nodejs.org/en/download'

role='' package='' broker='' username='' password_file='' ca_file='' cert_file='' key_file='' hostname='' simulate=no
account='' snowflake_url='' private_key_file='' token_file='' action=install start=yes
# What is left for a person to do; the exit code is 1 then.
todo=()

parse() {
  while [ $# -gt 0 ]; do
    case $1 in
      -h | --help) usage && exit 0 ;;
      --uninstall | --purge) action=${1#--} ;;
      --simulate) simulate=yes ;;
      --no-start) start=no ;;
      --package | --broker | --username | --password-file | --ca-file | --cert-file | --key-file | --hostname | --account | --snowflake-url | --private-key-file | --token-file)
        [ $# -ge 2 ] || bad_usage "$1 needs a value"
        # A line break would be a line of the settings, a quote the end of a value.
        case $2 in '' | *[[:cntrl:]\"\\]*) bad_usage "$1 cannot have that value" ;; esac
        local name=${1#--}
        printf -v "${name//-/_}" '%s' "$2"
        shift
        ;;
      publisher | bridge | phone)
        [ -z "$role" ] || bad_usage 'one of publisher, bridge and phone at a time'
        role=$1
        ;;
      *) bad_usage "there is no $1" ;;
    esac
    shift
  done
  [ -n "$role" ] || bad_usage 'say publisher, bridge or phone'
  # The key for Snowflake has no place on a Pi, nor where phones come in.
  [ "$role" = bridge ] || [ -z "$account$snowflake_url$private_key_file" ] ||
    bad_usage '--account, --snowflake-url and --private-key-file are for the bridge'
  [ "$role" = publisher ] || [ "$hostname$simulate" = no ] || bad_usage '--hostname and --simulate are for the publisher'
  [ "$role" = phone ] || [ -z "$token_file" ] || bad_usage '--token-file is for phones'
  [ -z "$cert_file$key_file" ] || { [ -n "$cert_file" ] && [ -n "$key_file" ]; } || bad_usage '--cert-file and --key-file go together'
  [ "$(id -u)" = 0 ] || fail 'run it as root: sudo install.sh …'
  unit=snowhat-$role.service
  config=$ETC/$role.yaml
  case $role in
    publisher) user=snowhat data=$STATE/outbox ;;
    bridge) user=snowhat-bridge data=$STATE/spool ;;
    phone) user=snowhat-phone data=$STATE/phone ;;
  esac
}

systemd_runs() { [ -d /run/systemd/system ]; }

# --- before anything is changed

check() {
  [ -n "$package" ] || bad_usage 'name the package: --package snowhat-X.tgz'
  [ -f "$package" ] || fail "there is no $package"
  package=$(realpath "$package")
  tar -xzOf "$package" package/package.json >/dev/null 2>&1 || fail "$package is no npm package"
  if [ ! -e "$config" ] && [ "$role" = publisher ] && [ -z "$broker" ]; then
    bad_usage 'name the broker: --broker mqtt://nas:1883'
  fi
  if [ ! -e "$config" ] && [ "$role" = bridge ] && [ -z "$account$snowflake_url" ]; then
    bad_usage 'name the account: --account ORG-ACCOUNT'
  fi
  local file
  for file in "$ca_file" "$cert_file" "$key_file" "$private_key_file" "$token_file" "${password_file#-}"; do
    [ -z "$file" ] || [ -r "$file" ] || fail "$file cannot be read"
  done
  [ -d "$UNITS" ] || fail "there is no $UNITS: this is for systemd"
  command -v node >/dev/null || fail "there is no Node.js where a service finds it (/usr/bin, /usr/local/bin): $NODE_HINT"
  command -v npm >/dev/null || fail "there is no npm: $NODE_HINT"
  node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
    fail "Node.js is $(node --version), and Snowhat needs 20.19 or newer: $NODE_HINT"
}

# --- the program

# Loads an addon as the program would.
has_addon() { (cd "$1/lib/node_modules/snowhat" && node -e "require('$2')") 2>/dev/null; }
can_compile() { command -v make >/dev/null && command -v g++ >/dev/null && command -v python3 >/dev/null; }

# Each release has a directory of its own, and a link says which is in use: a power cut in between leaves the old one whole.
install_program() {
  local sum release
  sum=$(sha256sum "$package" | cut -c1-12)
  release=$ROOT/releases/$(node -p 'process.versions.modules')-$sum
  mkdir -p "$ROOT/releases"
  rm -rf "$ROOT"/releases/new.*
  if [ -e "$release" ] && ! has_addon "$release" i2c-bus && can_compile; then
    say 'there is a compiler now: installing again, so that i2c-bus is compiled'
    npm_install "$ROOT/releases/new.again"
    mv "$release" "$ROOT/releases/new.old"
    mv "$ROOT/releases/new.again" "$release"
  elif [ ! -e "$release" ]; then
    npm_install "$release"
  fi
  ln -sfn "$release" "$ROOT/new-current"
  mv -T "$ROOT/new-current" "$ROOT/current"
  ln -sfn "$ROOT/current/bin/snowhat" "$COMMAND"
  say "snowhat $("$COMMAND" --version) is in $release"
}

npm_install() {
  local new=$ROOT/releases/new.$$ log=$ROOT/releases/new.log
  say 'installing with npm, which fetches the libraries; on a small Pi that takes minutes'
  # Debian's headers, where they are those of this Node; otherwise node-gyp fetches them.
  if [ -e /usr/include/node/node_version.h ] && [ "$(command -v node)" = /usr/bin/node ]; then export npm_config_nodedir=/usr; fi
  # npm 11 runs the build of a dependency only where it is named.
  if ! npm_config_allow_scripts=i2c-bus,unix-dgram npm install --global --prefix "$new" --omit=dev \
    --no-audit --no-fund --no-update-notifier --loglevel=error --fetch-timeout=60000 --fetch-retry-maxtimeout=10000 "$package" >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    rm -rf "$new" "$log"
    fail 'npm could not install the package (see above); nothing has changed'
  fi
  rm -f "$log"
  if [ ! -e "$new/lib/node_modules/snowhat/deploy/systemd/$unit" ] || ! "$new/bin/snowhat" --version >/dev/null; then
    rm -rf "$new"
    fail "what is in $package does not run; nothing has changed"
  fi
  mv "$new" "$1"
}

remove_old_releases() {
  local used one
  # What runs still loads from the old one.
  [ "$start" = yes ] || return 0
  used=$(readlink "$ROOT/current")
  for one in "$ROOT"/releases/*; do [ "$one" = "$used" ] || rm -rf "$one"; done
}

# --- user, settings, secrets

make_user() {
  if ! getent passwd "$user" >/dev/null; then
    useradd --system --user-group --home-dir "$STATE" --no-create-home --shell /usr/sbin/nologin "$user"
    say "the user $user is new"
  fi
  if [ "$role" = publisher ]; then
    local group
    # The unit names them, and systemd starts nothing in a group that is not there.
    for group in i2c input video; do
      getent group "$group" >/dev/null || groupadd --system "$group"
      usermod --append --groups "$group" "$user"
    done
  fi
  install -d -m 0755 "$ETC" "$STATE"
  install -d -m 0750 -o "$user" -g "$user" "$data"
}

# A secret is never readable by anybody else, and never half written.
keep_secret() {
  local to=$2
  (umask 077 && if [ "$1" = - ]; then cat; else cat -- "$1"; fi >"$to.new")
  [ -s "$to.new" ] || { rm -f "$to.new" && fail "the secret for $to is empty"; }
  chown "$user:$user" "$to.new"
  chmod 0600 "$to.new"
  mv "$to.new" "$to"
}

keep_public() {
  [ -z "$1" ] || [ "$1" -ef "$2" ] || install -m 0644 "$1" "$2"
}

keep_secrets() {
  [ -z "$password_file" ] || keep_secret "$password_file" "$ETC/$role.password"
  [ -z "$private_key_file" ] || keep_secret "$private_key_file" "$ETC/snowhat_key.p8"
  [ -z "$key_file" ] || keep_secret "$key_file" "$ETC/$role.key"
  if [ -n "$token_file" ]; then
    keep_secret "$token_file" "$ETC/phone.token"
  elif [ "$role" = phone ] && [ ! -e "$ETC/phone.token" ]; then
    head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n' | keep_secret - "$ETC/phone.token"
  fi
  keep_public "$cert_file" "$ETC/$role.crt"
  keep_public "$ca_file" "$ETC/ca.pem"
}

setting() { [ -z "$2" ] || printf '  %s: "%s"\n' "$1" "$2"; }

settings() {
  cat <<TEXT
# Settings of the $role. This file is yours: install.sh never changes it. All settings, and what they mean:
# $ROOT/current/lib/node_modules/snowhat/docs/settings.md
# After a change: sudo systemctl restart ${unit%.service}
mqtt:
  url: "${broker:-mqtt://127.0.0.1:1883}"
TEXT
  setting username "$username"
  [ ! -e "$ETC/$role.password" ] || setting password_file "$ETC/$role.password"
  [ -z "$ca_file" ] || setting ca_file "$ETC/ca.pem"
  [ -z "$cert_file" ] || setting cert_file "$ETC/$role.crt"
  [ -z "$key_file" ] || setting key_file "$ETC/$role.key"
  case $role in
    publisher)
      echo 'publisher:'
      setting hostname "$hostname"
      [ "$simulate" = no ] || echo '  simulate: true'
      setting outbox_dir "$data"
      ;;
    bridge)
      echo 'spool:'
      setting dir "$data"
      echo 'snowflake:'
      if [ -n "$snowflake_url" ]; then setting url "$snowflake_url"; else printf '  account: "%s"\n' "$account"; fi
      [ ! -e "$ETC/snowhat_key.p8" ] || setting private_key_file "$ETC/snowhat_key.p8"
      printf 'http:\n  host: 127.0.0.1  # 0.0.0.0 shows the page to the whole network\n'
      ;;
    phone)
      echo 'phone:'
      setting dir "$data"
      setting token_file "$ETC/phone.token"
      printf '  host: 0.0.0.0  # 127.0.0.1 where a proxy in front speaks HTTPS\n'
      ;;
  esac
  printf 'log:\n  format: pretty  # json for programs that read logs\n'
}

# A file that was given, and that settings written earlier do not name.
check_named() {
  [ -z "$1" ] || grep -q "$2:" "$config" || todo+=("$config does not use $3: name it there, as $2 under $4")
}

write_settings() {
  if [ -e "$config" ]; then
    local given="$broker$username$hostname$account$snowflake_url"
    [ -z "$given" ] || say "$config is there and stays as it is; change it there"
    check_named "$password_file" password_file "$ETC/$role.password" mqtt
    check_named "$ca_file" ca_file "$ETC/ca.pem" mqtt
    check_named "$cert_file" cert_file "$ETC/$role.crt" mqtt
    check_named "$key_file" key_file "$ETC/$role.key" mqtt
    check_named "$private_key_file" private_key_file "$ETC/snowhat_key.p8" snowflake
    check_named "$token_file" token_file "$ETC/phone.token" phone
    return
  fi
  settings >"$config.new"
  chown "root:$user" "$config.new"
  chmod 0640 "$config.new"
  mv "$config.new" "$config"
  say "the settings are in $config"
}

# --- the board

has_board() { [ "$role" = publisher ] && ! grep -Eq '^ *simulate: *true' "$config"; }

enable_i2c() {
  has_board && command -v raspi-config >/dev/null || return 0
  [ "$(raspi-config nonint get_i2c)" != 0 ] || return 0
  raspi-config nonint do_i2c 0
  say 'I2C is switched on'
}

look_at_board() {
  has_board || return 0
  if ! has_addon "$ROOT/current" i2c-bus; then
    todo+=('the Sense HAT is read over the package i2c-bus, which was not compiled: apt-get install --no-install-recommends build-essential python3, then run this again')
    return 0
  fi
  runuser -u "$user" -- "$COMMAND" publisher probe --config "$config" ||
    todo+=("the Sense HAT was not found (see above); once it is there, the publisher begins by itself: snowhat publisher probe")
}

# --- the service

install_unit() {
  install -m 0644 "$ROOT/current/lib/node_modules/snowhat/deploy/systemd/$unit" "$UNITS/$unit"
  if ! systemd_runs; then
    # Only makes the link that the next start of the machine follows.
    systemctl enable --quiet "$unit" 2>/dev/null ||
      { mkdir -p "$UNITS/multi-user.target.wants" && ln -sfn "../$unit" "$UNITS/multi-user.target.wants/$unit"; }
    say 'systemd is not running here: everything is installed, and nothing was started'
    return
  fi
  systemctl daemon-reload
  systemctl enable --quiet "$unit"
  if [ "$start" = no ]; then
    say "nothing was started, as you wished: systemctl start ${unit%.service}"
    return
  fi
  # The program is one for all: no other part must not go on with a release that is about to be deleted.
  local other
  for other in snowhat-publisher.service snowhat-bridge.service snowhat-phone.service; do
    if [ "$other" = "$unit" ] || systemctl is-active --quiet "$other"; then restart "$other"; fi
  done
}

restart() {
  systemctl reset-failed "$1" 2>/dev/null || true
  if systemctl restart "$1"; then
    say "${1%.service} is running"
  else
    journalctl --unit "$1" --lines 10 --no-pager --output cat >&2 || true
    todo+=("${1%.service} did not start; its last words are above: journalctl -u ${1%.service}")
  fi
}

what_next() {
  local one
  for one in "${todo[@]}"; do echo "install.sh: TO DO: $one" >&2; done
  cat <<TEXT

  how it is    systemctl status ${unit%.service}
  its log      journalctl -fu ${unit%.service}
  settings     $config
  data         $data
TEXT
  [ "$role" != phone ] || echo "  token        $ETC/phone.token; phones send to http://$(uname -n):8090/sensor-data/<token>"
  [ ${#todo[@]} = 0 ]
}

# --- the way back

uninstall() {
  if systemd_runs; then systemctl disable --quiet --now "$unit" 2>/dev/null || true; fi
  rm -f "$UNITS/$unit" "$UNITS/multi-user.target.wants/$unit"
  if systemd_runs; then systemctl daemon-reload; fi
  if compgen -G "$UNITS/snowhat-*.service" >/dev/null; then
    say "the program stays: $(basename -a "$UNITS"/snowhat-*.service | tr '\n' ' ')uses it"
  else
    rm -rf "$ROOT"
    [ "$(readlink "$COMMAND" || true)" != "$ROOT/current/bin/snowhat" ] || rm -f "$COMMAND"
  fi
  [ "$action" = uninstall ] || return 0
  say "$role is uninstalled. Settings and secrets are kept in $ETC, its data in $data; --purge removes them"
}

purge() {
  local directory
  rm -rf "$data" "$config" "$ETC/$role".{password,token,crt,key} "$UNITS/$unit.d"
  [ "$role" != bridge ] || rm -f "$ETC/snowhat_key.p8"
  # Another part may be there.
  if ! compgen -G "$ETC/*.yaml" >/dev/null; then rm -f "$ETC/ca.pem"; fi
  rmdir "$ETC" "$STATE" 2>/dev/null || true
  if getent passwd "$user" >/dev/null; then userdel "$user"; fi
  say "nothing of what this has made for the $role is left"
  for directory in "$ETC" "$STATE"; do
    [ ! -d "$directory" ] || say "still in $directory: $(find "$directory" -mindepth 1 -maxdepth 1 -printf '%f ')"
  done
}

main() {
  parse "$@"
  case $action in
    uninstall) uninstall ;;
    purge)
      uninstall
      purge
      ;;
    install)
      check
      install_program
      make_user
      keep_secrets
      write_settings
      enable_i2c
      look_at_board
      install_unit
      remove_old_releases
      what_next
      ;;
  esac
}

# All of it is read before anything of it runs: an update may replace this file.
main "$@"
exit
