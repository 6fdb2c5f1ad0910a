#!/bin/sh
# Prints the Python to use: `python.sh`. One of 3.11 to 3.14 that can make virtual environments;
# `PYTHON=/path/to/python` in the environment is tried first. Without one it says what to install and exits 2.
set -eu

fits() {
    command -v "$1" >/dev/null 2>&1 &&
        "$1" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' >/dev/null 2>&1
}

for candidate in "${PYTHON:-}" python3.11 python3.12 python3.13 python3.14 python3 python; do
    if [ -n "$candidate" ] && fits "$candidate"; then
        echo "$candidate"
        exit 0
    fi
done

echo "Rondgang needs Python 3.11, 3.12, 3.13 or 3.14 with its venv module, and found none. Install one:" >&2
if command -v apt-get >/dev/null 2>&1; then
    echo "    sudo apt-get install python3 python3-venv" >&2
elif command -v dnf >/dev/null 2>&1; then
    echo "    sudo dnf install python3.13" >&2
elif command -v brew >/dev/null 2>&1; then
    echo "    brew install python@3.13" >&2
else
    echo "    https://www.python.org/downloads/ (or your system's packages: python3 and its venv module)" >&2
fi
exit 2
