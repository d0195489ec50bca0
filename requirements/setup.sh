#!/bin/sh
# Makes .venv in this clone and installs the pinned packages and the lab itself.  Run by `make setup`.
# `setup.sh packages`, run by `make packages`, only adds the packages whose servers are graded.
set -eu
cd "$(dirname "$0")/.."

stop() {
  printf 'setup: %s\n' "$*" >&2
  exit 2
}

# A name on PATH proves little: version managers put names there that only print an error.
is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
  for candidate in "${PYTHON:-}" python3.14 python3.13 python3.12 python3.11 python3; do
    if [ -n "$candidate" ] && is_new_enough "$candidate"; then
      echo "$candidate"
      return
    fi
  done
}

python=$(find_python)
[ -n "$python" ] || stop "no Python 3.11 or newer found: install one, or name it: make setup PYTHON=/path/to/python3"

uv=$(command -v uv || true)
if [ -z "$uv" ] && ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  stop "$python has no venv module: install it (on Debian and Ubuntu the package python3-venv), or install uv"
fi

# A half-made environment has no pip, and neither has one that uv made on a machine that lost uv.
is_usable() { is_new_enough .venv/bin/python && { [ -n "$uv" ] || .venv/bin/python -c 'import pip' 2>/dev/null; }; }

if ! is_usable; then
  rm -rf .venv
  if [ -n "$uv" ]; then uv venv --quiet --no-project --python "$python" .venv; else "$python" -m venv .venv; fi
fi

version=$(.venv/bin/python -c 'import platform; print(platform.python_version())')
echo "setup: installing into .venv (Python $version); the first time takes up to a minute" >&2

install() {
  if [ -n "$uv" ]; then
    uv pip install --quiet --python .venv/bin/python "$@"
  else
    # Compiling every module takes longer than compiling the few that get imported, when they do.
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-compile "$@"
  fi
}

if [ "${1:-}" = packages ]; then
  install --require-hashes -r requirements/packages.lock || stop "the packages did not install: see the lines above"
  exit
fi

install --require-hashes -r requirements/dev.lock || stop "the packages did not install: see the lines above"
# The build backend is in the lock, so this line needs no network.
install --no-build-isolation --no-deps -e . || stop "the lab itself did not install: see the lines above"
