#!/usr/bin/env bash
# Prepares a Python with Home Assistant's core and its MQTT integration, and prints the Python's path. Some minutes the first
# time, and 900 MB; then at once. Nothing outside the directory is changed.
#
#   SNOWHAT_HOME_ASSISTANT_VERSION   the release wanted; one with wheels for Python 3.14, so that no compiler is needed
#   SNOWHAT_HOME_ASSISTANT_DIR       where it is kept; by default in the user's cache directory
#
# pip's own configuration says where packages come from. Home Assistant wants a new Python: this takes one from the PATH, else lets
# uv fetch one, else unpacks Debian's (debian-python.sh).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
version=${SNOWHAT_HOME_ASSISTANT_VERSION:-2026.11.0}
directory=${SNOWHAT_HOME_ASSISTANT_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/snowhat/home-assistant}
venv=$directory/$version
python=$venv/bin/python
log=$directory/environment.log
# Older ones are refused by Home Assistant, newer ones have no wheels of what it needs yet.
wanted='>=3.14.2,<3.15'

fail() {
  echo "No Home Assistant $version here: $1; see $log" >&2
  exit 1
}

python_of_the_path() {
  local candidate
  for candidate in python3.14 python3; do
    "$candidate" -c 'import ensurepip, sys; sys.exit(not (3, 14, 2) <= sys.version_info < (3, 15))' &&
      "$candidate" -m venv "$venv" && return
  done
  return 1
}

python_of_uv() {
  command -v uv && uv venv --seed --python "$wanted" "$venv"
}

python_of_debian() {
  local root=$directory/debian
  command -v apt-get && { "$root/usr/bin/python" -c '' || "$here/debian-python.sh" "$root"; } || return
  # Debian's ensurepip looks for its wheels in the system's directories, where those of another release may be.
  local wheels=("$root"/usr/share/python-wheels/pip-*.whl)
  "$root/usr/bin/python" -m venv --without-pip "$venv" &&
    PYTHONPATH=${wheels[0]} "$python" -m pip install --no-index --find-links "${wheels[0]%/*}" pip
}

# Home Assistant's own constraints: the versions it is released with, and no long search for others. The MQTT integration is of the
# core; what its manifest and its imports want beyond that is named here, and isal, without which the web server warns.
home_assistant() {
  "$python" -m pip install --no-deps "homeassistant==$version" &&
    "$python" -m pip install --prefer-binary "homeassistant==$version" paho-mqtt aiohasupervisor isal \
      --constraint "$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/homeassistant/package_constraints.txt" &&
    "$python" -c 'import homeassistant.bootstrap, homeassistant.components.mqtt.config_flow'
}

if [ ! -e "$venv/ready" ]; then
  mkdir -p "$directory"
  rm -rf "$venv"
  : >"$log"
  { python_of_the_path || { rm -rf "$venv"; python_of_uv; } || { rm -rf "$venv"; python_of_debian; }; } >>"$log" 2>&1 ||
    fail "there is no Python $wanted on the PATH, from uv or from Debian"
  home_assistant >>"$log" 2>&1 || fail "pip could not install it"
  touch "$venv/ready"
fi
echo "$python"
