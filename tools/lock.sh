#!/usr/bin/env bash
# Writes requirements.lock anew from requirements.in: the newest versions that fit, each exact and hashed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/python" -m pip --disable-pip-version-check install --quiet uv==0.13.9
# "$@": options of uv, as --upgrade-package NAME. The old lock is read, so that nothing else moves.
cp requirements.lock "$work/requirements.lock"
"$work/venv/bin/uv" pip compile requirements.in --python-version 3.11 --generate-hashes --no-annotate --no-header \
    --no-emit-index-url --no-emit-find-links --quiet --output-file "$work/requirements.lock" "$@"
mv "$work/requirements.lock" requirements.lock
