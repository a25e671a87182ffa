#!/usr/bin/env bash
# Installs the publisher on several Pis at once over ssh, or brings it up to date there. Needs bash, ssh and scp here, and on
# each Pi a key of yours (ssh-copy-id) and sudo that asks for no password, as Raspberry Pi OS has it; or root@.
# shellcheck disable=SC2029  # What stands in a command for the other side is meant to be expanded on this one.
set -euo pipefail
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)

usage() {
  cat <<'TEXT'
to-pi.sh --broker mqtt://nas:1883 [OPTION...] pi@HOST[=NAME]...

  --broker URL        mqtt:// or mqtts://, host and port; only a Pi that is new needs it
  --package FILE      what `npm pack` has made; without it it is made now, from this checkout
  --secrets DIR       the broker's users, one file each with its password; default secrets/mqtt beside compose.yaml
  --ca-file FILE      the CA that signed the broker's certificate
  --certificates DIR  over TLS without passwords: DIR/NAME of each Pi, as deploy/tls/make-certificates.sh makes them in
                      secrets/tls/clients; a Pi that is known gets its renewed one
  --simulate          simulated readings, for Pis without a Sense HAT
  --ssh-config FILE   instead of ~/.ssh/config
  --dry-run           says what would be done, and does nothing

Each Pi gets an MQTT user of its own: NAME, or its host name. Its password is read from DIR/NAME, and made there
where there is none. A Pi that has Snowhat keeps its settings, its user and its outbox.
TEXT
}

fail() {
  echo "to-pi.sh: $1" >&2
  exit "${2:-1}"
}
bad_usage() { fail "$1; see to-pi.sh --help" 2; }

broker='' package='' secrets=$here/../secrets/mqtt ca_file='' certificates='' simulate=no dry_run=no
hosts=() ssh_options=(-o BatchMode=yes -o ConnectTimeout=15 -o ServerAliveInterval=15)

parse() {
  while [ $# -gt 0 ]; do
    case $1 in
      -h | --help) usage && exit 0 ;;
      --simulate) simulate=yes ;;
      --dry-run) dry_run=yes ;;
      --broker | --package | --secrets | --ca-file | --certificates | --ssh-config)
        [ $# -ge 2 ] || bad_usage "$1 needs a value"
        case $2 in '' | *[[:cntrl:]]*) bad_usage "$1 cannot have that value" ;; esac
        if [ "$1" = --ssh-config ]; then ssh_options+=(-F "$2"); else
          local name=${1#--}
          printf -v "${name//-/_}" '%s' "$2"
        fi
        shift
        ;;
      -*) bad_usage "there is no $1" ;;
      # What begins with a hyphen would be an option of ssh.
      *[!A-Za-z0-9@._=-]* | *@-* | *=*=*) bad_usage "$1 is no host" ;;
      *) hosts+=("$1") ;;
    esac
    shift
  done
  [ ${#hosts[@]} -gt 0 ] || bad_usage 'name the Pis'
  [ -z "$package" ] || [ -f "$package" ] || fail "there is no $package"
  [ -z "$ca_file" ] || [ -r "$ca_file" ] || fail "$ca_file cannot be read"
  [ -z "$certificates" ] || [ -z "$ca_file" ] || bad_usage 'with --certificates the CA is that of the certificates'
}

# Words for the shell at the other end.
quoted() {
  local word
  for word in "$@"; do printf "'%s' " "${word//\'/\'\\\'\'}"; done
}

# Runs on the Pi: its name as Snowhat makes it of the host name, whether it has Snowhat, and how it becomes root.
ASK=$(
  cat <<'SH'
name=$(uname -n | tr '[:upper:]' '[:lower:]' | tr -c 'a-z0-9_\n-' '-' | sed 's/^[^a-z0-9]*//' | cut -c 1-63)
if [ "$name" = raspberrypi ]; then
  serial=$(tr -d '\0' </proc/device-tree/serial-number 2>/dev/null || sed -n 's/^Serial[^:]*: *//p' /proc/cpuinfo)
  name=$name-$(printf %s "$serial" | tail -c 4)
fi
if [ -e /etc/snowhat/publisher.yaml ]; then state=known; else state=new; fi
if [ "$(id -u)" = 0 ]; then root=root; elif sudo -n true 2>/dev/null; then root=sudo; else root=none; fi
echo "$name $state $root"
SH
)

# Notes NAME, new or known, root or sudo. A name of one of the broker's other users would hand out that one's password.
ask() {
  local host=${1%%=*} answer name state root
  answer=$(ssh "${ssh_options[@]}" "$host" "$ASK")
  read -r name state root <<<"$answer"
  [ "$1" = "$host" ] || name=${1#*=}
  case $name in
    '' | [!a-z0-9]* | *[!a-z0-9_-]*) fail "no user can be made of the name \"$name\": give one, $host=pi-attic" ;;
    bridge | elastic | homeassistant | replay | admin) fail "a Pi must not be called $name: give another name, $host=pi-attic" ;;
  esac
  [ "$root" != none ] || fail 'sudo asks for a password there: let it not, or use root@'
  [ "$state" = known ] || [ -n "$broker" ] || fail 'this Pi is new: name the broker, --broker mqtt://nas:1883'
  echo "$name $state $root" >"$work/answers/$host"
}

check_certificate() {
  local file
  for file in ca.crt client.crt client.key; do
    [ -r "$certificates/$1/$file" ] ||
      fail "$certificates/$1/$file cannot be read: docker compose --profile tls run --rm certificates $1"
  done
}

make_password() {
  if [ -e "$secrets/$1" ]; then
    [ -r "$secrets/$1" ] || fail "$secrets/$1 cannot be read by you: it belongs to another user"
    return 0
  fi
  mkdir -p "$secrets"
  [ -w "$secrets" ] || fail "no password can be made: $secrets belongs to another user"
  (umask 077 && head -c 24 /dev/urandom | base64 | tr '+/' '-_' >"$secrets/.$1.new")
  mv "$secrets/.$1.new" "$secrets/$1"
  touch "$work/new-users"
}

install_on() {
  local host=${1%%=*} name state root there
  read -r name state root <"$work/answers/$host"
  there=$(ssh "${ssh_options[@]}" "$host" 'umask 077 && mktemp -d')
  case $there in /*/?*) ;; *) fail "no directory could be made: $there" ;; esac
  case $there in *[!A-Za-z0-9/._-]*) fail "a directory of an odd name: $there" ;; esac
  # shellcheck disable=SC2064  # This very directory, whatever comes later.
  trap "ssh ${ssh_options[*]@Q} ${host@Q} 'rm -rf $there' || true" EXIT
  local files=("$package" "$here/install.sh") words=(publisher --package "$there/${package##*/}")
  if [ "$state" = new ]; then
    words+=(--broker "$broker" --hostname "$name")
    [ -n "$certificates" ] || words+=(--username "$name" --password-file "$there/password")
    [ "$simulate" = no ] || words+=(--simulate)
  fi
  if [ -n "$ca_file" ]; then
    files+=("$ca_file")
    words+=(--ca-file "$there/${ca_file##*/}")
  fi
  if [ -n "$certificates" ]; then
    files+=("$certificates/$name/ca.crt" "$certificates/$name/client.crt" "$certificates/$name/client.key")
    words+=(--ca-file "$there/ca.crt" --cert-file "$there/client.crt" --key-file "$there/client.key")
  fi
  scp -q "${ssh_options[@]}" "${files[@]}" "$host:$there/"
  if [ "$state" = new ] && [ -z "$certificates" ]; then ssh "${ssh_options[@]}" "$host" "umask 077 && cat >$there/password" <"$secrets/$name"; fi
  local as_root=''
  [ "$root" = root ] || as_root='sudo -n '
  ssh "${ssh_options[@]}" "$host" "$as_root$(quoted bash "$there/install.sh" "${words[@]}")"
}

# All at once, each line with the Pi's name before it; `result` tells who failed. Never called as a condition: bash would go
# on after what fails in it.
on_all() {
  local act=$1 one i jobs=()
  for one in "${hosts[@]}"; do
    (
      case $act in
        ask) ask "$one" ;;
        install) install_on "$one" ;;
      esac
    ) 2>&1 | sed "s/^/${one%%=*} | /" &
    jobs+=($!)
  done
  failed=0
  for i in "${!jobs[@]}"; do
    result[${hosts[$i]}]=ok
    if ! wait "${jobs[$i]}"; then result[${hosts[$i]}]=FAILED failed=$((failed + 1)); fi
  done
}

check_names() {
  local twice
  twice=$(cd "$work/answers" && cut -d ' ' -f 1 -- "${hosts[@]%%=*}" | sort | uniq -d)
  [ -z "$twice" ] || fail "two Pis are called $twice: give one of them another name, pi@HOST=NAME"
}

summary() {
  local one
  echo
  for one in "${hosts[@]}"; do
    printf '%-8s %-32s %s\n' "${result[$one]}" "${one%%=*}" "$(cut -d ' ' -f 1,2 "$work/answers/${one%%=*}" 2>/dev/null || true)"
  done
  if [ -e "$work/new-users" ]; then
    printf '\nThe broker has to learn of its new users:\n'
    printf '  docker compose run --rm mosquitto-users && docker compose kill -s HUP mosquitto\n'
  fi
}

plan() {
  local one host name
  for one in "${hosts[@]}"; do
    host=${one%%=*} name="its host name"
    [ "$one" = "$host" ] || name=${one#*=}
    echo "$host: ask whether it is new; copy ${package:-the package of this checkout} and install.sh; run it there as root"
    local login="its password from $secrets"
    [ -z "$certificates" ] || login="its certificate from $certificates"
    echo "$host: where it is new: the broker ${broker:-(missing: --broker)}, MQTT user $name, $login"
  done
}

main() {
  parse "$@"
  if [ "$dry_run" = yes ]; then plan && exit 0; fi
  declare -gA result=()
  declare -g failed
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  mkdir "$work/answers"
  on_all ask
  if [ "$failed" != 0 ]; then
    summary
    fail 'nothing was installed: see above'
  fi
  check_names
  if [ -z "$package" ]; then
    (cd "$here/.." && npm pack --silent --pack-destination "$work" >/dev/null) || fail 'the package could not be made: npm ci first'
    package=$(echo "$work"/snowhat-*.tgz)
  fi
  local one name state
  for one in "${hosts[@]}"; do
    read -r name state _ <"$work/answers/${one%%=*}"
    if [ -n "$certificates" ]; then check_certificate "$name"; elif [ "$state" = new ]; then make_password "$name"; fi
  done
  on_all install
  summary
  [ "$failed" = 0 ] || fail "$failed of ${#hosts[@]} failed: see above"
}

main "$@"
exit
