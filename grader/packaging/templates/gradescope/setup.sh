#!/usr/bin/env bash
# Runs once, as root, when Gradescope builds the container. Installs Python 3.11 or later, the locked packages with
# their hashes, and the kit, which none but root and the grader's own user can read.
set -euo pipefail
source=$(cd "$(dirname "$0")" && pwd)
place=/opt/grader

python=
candidates="python3.12 python3.13 python3.11 python3"
[ ! -d "$source/wheels" ] || candidates=python3.11 # they are for this one
for name in $candidates; do
  if command -v "$name" >/dev/null && "$name" -c 'import sys, ensurepip, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
    python=$name
    break
  fi
done
needed=
[ -n "$python" ] || needed="python3.11 python3.11-venv"
{ command -v setpriv && command -v prlimit; } >/dev/null || needed="$needed util-linux"
if [ -n "$needed" ]; then
  apt-get update -q
  # Ubuntu 22.04 has Python 3.11 beside its own; from 24.04 on, its own will do.
  DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $needed ||
    DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends python3 python3-venv util-linux
  [ -n "$python" ] || python=$(command -v python3.11 || command -v python3)
fi

id grader >/dev/null 2>&1 || useradd --system --uid 990 --user-group --no-create-home --shell /usr/sbin/nologin grader
umask 022
mkdir -p "$place"
"$python" -m venv "$place/venv"
options=(--no-cache-dir --disable-pip-version-check --require-hashes --no-deps)
# Where wheels are in the package, no index is asked.
[ ! -d "$source/wheels" ] || options+=(--no-index "--find-links=$source/wheels")
"$place/venv/bin/python" -m pip install -q "${options[@]}" -r "$source/requirements.txt"
"$place/venv/bin/python" -m compileall -q "$place/venv" || true

rm -rf "$place/kit"
cp -r "$source/kit" "$place/kit"
chown -R root:grader "$place/kit"
chmod -R u=rwX,g=rX,o= "$place/kit"
# The zip as it was unpacked: none but root.
chown -R root:root "$source"
chmod -R go= "$source"
