#!/bin/sh
# Resolves the locks anew, for Python 3.11 to 3.14 on Linux, macOS and Windows. Uses the `uv` on the path, or else
# one installed into .venv/. dev.lock comes first and the others are held to its versions, so that one environment
# can serve all. What an image installs has a lock of its own: node-serving, node (with what reads files), coordinator,
# audit; and build.lock is what makes a wheel of this checkout.
set -eu

if command -v uv >/dev/null 2>&1; then
    uv=uv
else
    sh compose/ci/venv.sh dev
    .venv/bin/python -m pip install --quiet uv
    uv=.venv/bin/uv
fi

compile() { # SOURCE NAME [MORE OPTIONS]
    source=$1
    name=$2
    shift 2
    "$uv" pip compile "$source" --universal --python-version 3.11 --fork-strategy fewest \
        --generate-hashes --no-config --annotation-style line --custom-compile-command 'make lock' --quiet \
        --output-file "requirements/$name.lock" "$@" >/dev/null
}

compile pyproject.toml dev --extra dev --upgrade
for extra in demo node-serving node coordinator audit; do
    compile pyproject.toml "$extra" --extra "$extra" --upgrade --constraint requirements/dev.lock
done
printf 'hatchling\n' | compile - build --upgrade --constraint requirements/dev.lock
