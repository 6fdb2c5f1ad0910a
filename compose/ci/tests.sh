#!/bin/sh
# Runs the tests: `tests.sh test|test-all|thorough|bench [PYTEST OPTIONS]`. Tests marked `alone` come last, one at a time.
# RONDGANG_REQUIRE=postgres,strace makes a skip of a test with that mark a failure.
set -eu

kind=$1
shift

case $kind in
    test) chosen='not bench and not slow and not thorough and not postgres and not browser and not docker' ;;
    test-all) chosen='not bench and not thorough' ;;
    thorough) chosen='thorough' ;;
    bench) exec .venv/bin/python -m pytest -m bench --capture=no -p no:xdist "$@" ;;
    *)
        echo "usage: tests.sh test|test-all|thorough|bench [PYTEST OPTIONS]" >&2
        exit 2
        ;;
esac

# A file stays on one worker, and with it the federation that its tests share.
.venv/bin/python -m pytest -n 2 --dist loadfile --benchmark-disable -m "$chosen and not alone" "$@"

# Without options only the files that have such tests: to collect all the others again takes longer than to run these.
if [ $# -eq 0 ]; then
    # shellcheck disable=SC2046 # a word for each file
    set -- $(grep -rl --include='test_*.py' 'mark\.alone' tests)
fi
status=0
.venv/bin/python -m pytest -p no:xdist --benchmark-disable -m "$chosen and alone" "$@" || status=$?
if [ "$status" -eq 5 ]; then # no test is marked so: nothing to run is no failure
    status=0
fi
exit "$status"
