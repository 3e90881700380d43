#!/bin/sh
# Makes .venv and installs a requirements file into it, but only when that file changed since.
# Usage: scripts/setup-venv.sh requirements.txt
set -eu
cd "$(dirname "$0")/.."
requirements=$1

say() { echo "make: $*" >&2; }

find_python() {
    for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    say "Python 3.11 or newer is needed (Debian 12, Ubuntu 24.04: apt-get install python3 python3-venv)."
    exit 1
}

install_venv_package() {
    if [ "$(id -u)" = 0 ] && [ -e /etc/debian_version ]; then
        export DEBIAN_FRONTEND=noninteractive
        say "installing python3-venv"
        apt-get install -y -qq python3-venv >/dev/null 2>&1 ||
            { apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null; }
    else
        say "Python's venv module is missing: sudo apt-get install python3-venv"
        exit 1
    fi
}

if ! .venv/bin/python -c '' 2>/dev/null; then
    python=$(find_python)
    "$python" -c 'import ensurepip, venv' 2>/dev/null || install_venv_package
    say "making .venv with $("$python" --version)"
    rm -rf .venv
    "$python" -m venv .venv
fi

# What is installed depends on these, and on Python's own version.
wanted=$( (cat "$requirements" pyproject.toml; .venv/bin/python --version; pwd) | sha256sum | cut -d' ' -f1)
stamp=.venv/.installed-$(basename "$requirements" .txt)
if [ "$(cat "$stamp" 2>/dev/null || true)" != "$wanted" ]; then
    say "installing $requirements"
    export PIP_DISABLE_PIP_VERSION_CHECK=1
    .venv/bin/python -m pip install --quiet --quiet --no-input -r "$requirements"
    .venv/bin/python -m pip install --quiet --quiet --no-input --no-deps -e .
    echo "$wanted" >"$stamp"
fi
