#!/bin/sh
# Resolves both locks anew, for Python 3.11 to 3.14 on Linux, macOS and Windows. Uses the `uv` on the path, or else
# one installed into .venv/. dev.lock comes first and demo.lock is held to its versions, so that one environment
# can serve both.
set -eu

if command -v uv >/dev/null 2>&1; then
    uv=uv
else
    sh compose/ci/venv.sh dev
    .venv/bin/python -m pip install --quiet uv
    uv=.venv/bin/uv
fi

resolve() { # EXTRA [MORE OPTIONS]
    extra=$1
    shift
    "$uv" pip compile pyproject.toml --extra "$extra" --universal --python-version 3.11 --fork-strategy fewest \
        --generate-hashes --upgrade --no-config --annotation-style line --custom-compile-command 'make lock' --quiet \
        --output-file "requirements/$extra.lock" "$@" >/dev/null
}

resolve dev
resolve demo --constraint requirements/dev.lock
