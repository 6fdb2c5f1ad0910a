#!/bin/sh
# Sets up .venv/ from a lock with hashes, once: `venv.sh demo` or `venv.sh dev`. The dev lock holds the demo's versions,
# so an environment made for tests serves the demo too. It is made anew when the checkout moved or its Python is gone.
set -eu

wanted=$1
stamps=.venv/rondgang
python=.venv/bin/python

same() { # whether .venv/ was set up from exactly this lock and project file
    cmp -s "requirements/$1.lock" "$stamps/$1.lock" && cmp -s pyproject.toml "$stamps/pyproject.toml"
}

here=$(pwd -P)
if [ -d .venv ]; then
    if [ ! -d "$stamps" ]; then
        echo "There is a .venv/ here that make did not set up. Move it away or remove it, then run this again." >&2
        exit 2
    fi
    made_in=$(cat "$stamps/checkout" 2>/dev/null || true)
    if [ "$made_in" != "$here" ] || ! "$python" -c '' 2>/dev/null; then
        rm -rf .venv
    elif same dev || same "$wanted"; then
        exit 0
    fi
fi

# Nothing of the caller's environment may choose other packages or put them elsewhere.
unset PYTHONPATH PYTHONHOME PIP_TARGET PIP_PREFIX PIP_USER PIP_REQUIRE_VIRTUALENV PIP_CONSTRAINT || true
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

if [ ! -d .venv ]; then
    base=$(sh compose/ci/python.sh)
    echo "Setting up .venv with $("$base" --version)."
    mkdir -p "$stamps"
    "$base" -m venv .venv
    printf '%s\n' "$here" >"$stamps/checkout"
fi
rm -f "$stamps/demo.lock" "$stamps/dev.lock"

quietly=--quiet
if [ -t 1 ]; then
    quietly='' # a person sees pip's progress
fi

echo "Installing the packages of requirements/$wanted.lock: a minute or two, once."
"$python" -m pip install $quietly $quietly --require-hashes --requirement "requirements/$wanted.lock"
"$python" -m pip install --quiet --quiet --no-deps --no-build-isolation --no-index --editable .

cp pyproject.toml "$stamps/pyproject.toml"
cp "requirements/$wanted.lock" "$stamps/$wanted.lock"
