#!/bin/sh
# Everything `make check` looks at. Runs every step even when one fails, and writes nothing into the checkout but caches.
set -u

bin=$PWD/.venv/bin
failed=''
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT

step() { # NAME COMMAND...
    name=$1
    shift
    if "$@" >"$scratch/out" 2>&1; then
        echo "ok      $name"
    else
        cat "$scratch/out"
        echo "FAILED  $name"
        failed="$failed $name"
    fi
}

generated() { # the committed code is what the generator makes of the committed sources
    mkdir "$scratch/protos" || return 1
    sh compose/ci/protos.sh "$bin/python" "$scratch/protos" || return 1
    rm -rf "$scratch/committed" && mkdir -p "$scratch/committed/rondgang/v1" || return 1
    cp protos/rondgang/v1/*_pb2* "$scratch/committed/rondgang/v1/" || return 1
    diff -r "$scratch/committed" "$scratch/protos" && return 0
    echo 'Generated code differs from its sources: run `make protos` and commit the result.'
    return 1
}

schemas() { # the committed schemas are those of the committed models
    sh compose/ci/schemas.sh "$bin/python" "$scratch/schemas" || return 1
    diff -r policies/schemas "$scratch/schemas" && return 0
    echo 'The JSON Schemas differ from the models: run `make schemas` and commit the result.'
    return 1
}

buf_lint() { # buf wants a place for its cache even when it fetches nothing
    (cd protos && BUF_CACHE_DIR="$scratch/buf" "$bin/buf" lint)
}

step lint "$bin/python" -m ruff check
step format "$bin/python" -m ruff format --check
step types "$bin/python" -m mypy
step floors "$bin/lint-imports"
step messages buf_lint
step generated generated
step schemas schemas
step licences "$bin/python" -m compose.ci.licences
step shape "$bin/python" -m pytest -q tests/shape

if [ -n "$failed" ]; then
    echo "make check failed:$failed"
    exit 1
fi
