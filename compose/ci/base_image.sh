#!/bin/sh
# Prints the name of an image to build on: `base_image.sh`. Progress goes to stderr.
# $RONDGANG_BASE_IMAGE is taken at its word. Else it is the public python:3.11-slim, where that is here or can be pulled;
# else a small Debian 12 with its Python 3.11, put together from Debian's packages without any image registry: that
# takes root, and is done once.
set -eu

public=python:3.11-slim
ours=rondgang/base:debian-12
included=python3-minimal,python3-venv,ca-certificates,netbase

have() { docker image inspect "$1" >/dev/null 2>&1; }

cannot() {
    echo "$public cannot be pulled, and $ours cannot be made here: $1." >&2
    echo "Name another Debian with Python 3.11 to 3.14 and its venv module in RONDGANG_BASE_IMAGE." >&2
    exit 2
}

make_ours() {
    [ "$(id -u)" -eq 0 ] || cannot "that takes root"
    command -v apt-get >/dev/null 2>&1 || cannot "this machine has no apt-get"
    if ! command -v mmdebstrap >/dev/null 2>&1 || ! command -v eatmydata >/dev/null 2>&1; then
        echo "Installing mmdebstrap." >&2
        apt-get update -qq >&2
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mmdebstrap eatmydata >&2
    fi
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep '/debian/*$' | head -n 1)
    [ -n "$mirror" ] || cannot "this machine has no Debian mirror"

    # Of two that come at once the second waits, and finds it made.
    exec 9>"${TMPDIR:-/tmp}/rondgang-base-image.lock"
    flock 9
    if have "$ours"; then
        return 0
    fi

    # Unpacked in memory where there is room for it, and without waiting for a disk: the image is a file like any other.
    if [ -w /dev/shm ]; then
        scratch=$(mktemp -d /dev/shm/rondgang-base.XXXXXX)
    else
        scratch=$(mktemp -d)
    fi
    trap 'rm -rf "$scratch"' EXIT
    echo "Making $ours from Debian's packages." >&2
    TMPDIR=$scratch eatmydata mmdebstrap --quiet --mode=root --variant=minbase --include="$included" \
        --hook-dir=/usr/share/mmdebstrap/hooks/eatmydata \
        --aptopt='Acquire::Languages "none"' --aptopt='APT::Install-Recommends "false"' \
        --dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-include=/usr/share/doc/*/copyright' \
        --customize-hook='ln -sf python3 "$1/usr/bin/python"' \
        bookworm "$scratch/root.tar" "$mirror" >"$scratch/log" 2>&1 || {
        tail -n 20 "$scratch/log" >&2
        cannot "Debian's packages cannot be unpacked"
    }
    docker import -c 'CMD ["python3"]' -c 'ENV LANG=C.UTF-8' "$scratch/root.tar" "$ours" >/dev/null
}

if [ -n "${RONDGANG_BASE_IMAGE:-}" ]; then
    echo "$RONDGANG_BASE_IMAGE"
elif have "$public"; then
    echo "$public"
elif have "$ours"; then
    echo "$ours"
elif timeout 300 docker pull --quiet "$public" >/dev/null 2>&1; then
    echo "$public"
else
    make_ours
    echo "$ours"
fi
