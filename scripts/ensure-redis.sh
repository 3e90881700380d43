#!/bin/sh
# Sees to it that there is a Redis to embed: on PATH, in a package of .venv, else from Debian when we may.
set -eu
cd "$(dirname "$0")/.."

have_redis() {
    .venv/bin/python -c 'import sys; from vabhub.redis_server import find_server; sys.exit(find_server() is None)'
}

if [ -n "${REDIS_URL:-}" ] || grep -qs "^REDIS_URL=." .env || have_redis; then
    exit 0
fi
if [ "$(id -u)" = 0 ] && [ -e /etc/debian_version ]; then
    echo "make: installing redis-server" >&2
    exec scripts/apt-install.sh redis-server
fi
.venv/bin/python -c 'import sys; from vabhub.redis_server import MISSING; sys.exit(f"make: {MISSING}")'
