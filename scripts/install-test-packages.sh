#!/bin/sh
# Installs what the tests run for real: Redis, PostgreSQL, Chromium, download clients. Debian and root, or one line.
set -eu
cd "$(dirname "$0")/.."

missing=
have() { command -v "$1" >/dev/null 2>&1; }
have redis-server || have valkey-server || missing="$missing redis-server"
have initdb || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
have chromium || have chromium-browser || have google-chrome || missing="$missing chromium"
have fc-list && [ -n "$(fc-list :lang=zh 2>/dev/null)" ] || missing="$missing fonts-noto-cjk fontconfig"
have qbittorrent-nox || missing="$missing qbittorrent-nox"
have transmission-daemon || missing="$missing transmission-daemon"
have aria2c || missing="$missing aria2"
have nzbget || missing="$missing nzbget"
have mktorrent || missing="$missing mktorrent"
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ] && [ -e /etc/debian_version ]; then
    # shellcheck disable=SC2086 # a list of words
    exec scripts/apt-install.sh $missing
fi
echo "make: the tests need$missing (Debian: sudo apt-get install$missing)." >&2
exit 1
