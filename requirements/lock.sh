#!/bin/sh
# Rewrites the hash-pinned locks from pyproject.toml.  Needs uv.  Usage: requirements/lock.sh [--upgrade]
set -eu
cd "$(dirname "$0")/.."

compile() {
  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate "$@"
}

# dev is the widest set; the others take its versions, so that tests run on what the image holds.
compile --extra dev pyproject.toml -o requirements/dev.lock "$@"
compile -c requirements/dev.lock pyproject.toml -o requirements/lab.lock
compile -c requirements/dev.lock --extra packages pyproject.toml -o requirements/packages.lock

# The extra alone, without the project's own dependencies.
awk '/^actors = \[/ { on = 1; next } /^\]/ { on = 0 } on { gsub(/[",]/, ""); print }' pyproject.toml |
  compile -c requirements/dev.lock - -o requirements/actors.lock

if grep -nE 'https?:|--index|--find-links' requirements/*.lock; then
  echo "a lock names a host" >&2
  exit 1
fi
