#!/usr/bin/env bash
# Prepares a Python with Snowflake's own streaming SDK (`snowpipe-streaming` on PyPI), and prints the Python's path. Half a minute and
# 50 MB for each version the first time; then at once. Nothing outside the directory is changed.
#
#   environment.sh [VERSION]       1.4.0 by default: the last that speaks plain HTTP
#   SNOWHAT_SNOWFLAKE_SDK_DIR      where it is kept; by default in the user's cache directory
#
# pip's own configuration says where packages come from. There are wheels only, for 64-bit Linux, macOS and Windows.
set -euo pipefail
version=${1:-1.4.0}
directory=${SNOWHAT_SNOWFLAKE_SDK_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/snowhat/snowflake-sdk}
venv=$directory/$version
python=$venv/bin/python
log=$directory/$version.log

if [ ! -e "$venv/ready" ]; then
  mkdir -p "$directory"
  rm -rf "$venv"
  {
    python3 -m venv "$venv" &&
      "$python" -m pip install --only-binary :all: "snowpipe-streaming==$version" &&
      "$python" -c 'import snowflake.ingest.streaming'
  } >"$log" 2>&1 || {
    echo "No snowpipe-streaming $version here; see $log" >&2
    exit 1
  }
  touch "$venv/ready"
fi
echo "$python"
