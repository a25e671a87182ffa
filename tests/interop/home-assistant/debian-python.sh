#!/usr/bin/env bash
# Unpacks Python 3.14 of Debian 14 into a directory, beside what the system has and without root: for a Debian (or a
# descendant with Debian's keys) whose own Python is older.
#
#   debian-python.sh DIR        afterwards DIR/usr/bin/python runs it, with its own C library
#
# The packages come from the first mirror of Debian in this machine's own sources.
set -euo pipefail
root=${1:?usage: debian-python.sh DIR}
keys=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r "$keys" ] || { echo "no keys of Debian in $keys" >&2; exit 1; }

mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' | head -n 1)
if [ -z "$mirror" ]; then
  # Nobody has run `apt-get update` here yet.
  mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list 2>/dev/null |
    sed -nE 's/^URIs: *([^ ]+).*/\1/p; s/^deb +(\[[^]]*\] +)?([^ ]+) .*/\2/p' | grep -m 1 debian || true)
fi
[ -n "$mirror" ] || { echo "no mirror of Debian in the sources of apt" >&2; exit 1; }

# apt with lists, archives and an empty status of its own: it finds all that is needed and changes nothing here.
apt=$root.apt
rm -rf "$root" "$apt"
mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$root"
trap 'rm -rf "$apt"' EXIT
: >"$apt/status"
printf 'deb [signed-by=%s] %s forky main\n' "$keys" "$mirror" >"$apt/sources.list"
own=(-qq -o Dir::Etc::SourceList="$apt/sources.list" -o Dir::Etc::SourceParts=/dev/null -o Dir::Etc::Preferences=/dev/null
  -o Dir::Etc::PreferencesParts=/dev/null -o Dir::State::Lists="$apt/lists" -o Dir::State::Status="$apt/status" -o Dir::Cache="$apt"
  -o Dir::Cache::Archives="$apt/archives" -o APT::Sandbox::User= -o Debug::NoLocking=1)
apt-get "${own[@]}" update
apt-get "${own[@]}" -y --no-install-recommends --download-only install python3.14-venv libstdc++6 >/dev/null
for package in "$apt"/archives/*.deb; do dpkg-deb --extract "$package" "$root"; done

# Its C library is newer than the system's, so its own loader starts it. As a script it also works through the links of a venv.
cat >"$root/usr/bin/python" <<SCRIPT
#!/bin/sh
libraries=\$(echo '$root'/usr/lib/*-linux-gnu*)
exec "\$libraries"/ld-linux*.so.* --argv0 "\$0" --library-path "\$libraries" '$root/usr/bin/python3.14' "\$@"
SCRIPT
chmod +x "$root/usr/bin/python"
"$root/usr/bin/python" -c 'import ssl, sqlite3'
