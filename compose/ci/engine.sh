#!/bin/sh
# Sees to it that a Docker engine with Compose and buildx answers: `engine.sh [up|down|status]`.
# An engine that answers is used as it is. Where there is none, root on a Debian or Ubuntu machine gets one: installed
# if need be, and started without an init system. `down` ends only an engine that this script started.
set -eu

state=${RONDGANG_ENGINE_STATE:-/var/tmp/rondgang-engine}
pid_file=$state/dockerd.pid
plugins=/usr/local/lib/docker/cli-plugins
# The engine's own pools hold some thirty networks. A federation has one for each node: many small ones.
networks=${RONDGANG_ENGINE_NETWORKS:-10.201.0.0/16}

answers() { timeout 10 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

equipped() { docker compose version >/dev/null 2>&1 && docker buildx version >/dev/null 2>&1; }

cannot() {
    echo "No Docker engine answers, and I cannot start one: $1." >&2
    echo "Start Docker (with its compose and buildx plugins), or run this as root on Debian or Ubuntu." >&2
    exit 2
}

packages() { # NAME...
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >"$state/apt.log" 2>&1 || {
        tail -n 20 "$state/apt.log" >&2
        cannot "these packages cannot be installed: $*"
    }
}

offered() { apt-cache show "$1" >/dev/null 2>&1; }

# Debian 12 has neither plugin. The packages of Debian 13 hold one binary each that runs there as well; they are
# unpacked beside the system, whose own list of sources stays as it is.
plugins_of_debian_13() {
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep '/debian/*$' | head -n 1)
    [ -n "$mirror" ] || cannot "this machine has no Debian mirror, and no package for compose and buildx"
    aside=$state/debian-13
    mkdir -p "$aside/lists/partial" "$aside/cache/archives/partial" "$aside/sources" "$aside/unpacked" "$plugins"
    printf 'Types: deb\nURIs: %s\nSuites: trixie\nComponents: main\nSigned-By: %s\n' \
        "$mirror" /usr/share/keyrings/debian-archive-keyring.gpg >"$aside/sources/debian-13.sources"
    (
        cd "$aside"
        apt() {
            apt-get -qq -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$aside/sources" \
                -o Dir::State::lists="$aside/lists" -o Dir::Cache="$aside/cache" \
                -o Acquire::Languages=none -o APT::Sandbox::User=root "$@"
        }
        apt update
        apt download docker-compose/trixie docker-buildx/trixie
        for archive in docker-compose_*.deb docker-buildx_*.deb; do
            dpkg -x "$archive" unpacked
        done
    )
    for plugin in docker-compose docker-buildx; do
        install -m 755 "$aside/unpacked/usr/libexec/docker/cli-plugins/$plugin" "$plugins/$plugin"
    done
}

provide() { # what is missing of engine and plugins
    [ "$(id -u)" -eq 0 ] || cannot "that takes root"
    command -v apt-get >/dev/null 2>&1 || cannot "there is no apt-get to install it with"
    if ! command -v dockerd >/dev/null 2>&1 || ! command -v iptables >/dev/null 2>&1; then
        echo "Installing the Docker engine."
        apt-get update -qq
        packages docker.io iptables
    fi
    if ! equipped; then
        echo "Installing the plugins compose and buildx."
        if offered docker-compose-v2 && offered docker-buildx; then
            packages docker-compose-v2 docker-buildx
        else
            plugins_of_debian_13
        fi
        equipped || cannot "docker finds no compose and buildx after installing them"
    fi
}

start() {
    answers && return 0
    # shellcheck disable=SC2086 # several words are meant
    setsid nohup dockerd --pidfile "$pid_file" --default-address-pool "base=$networks,size=26" --log-level warn \
        ${RONDGANG_ENGINE_FLAGS:-} >>"$state/dockerd.log" 2>&1 </dev/null 9>&- &
    tries=0
    until answers; do
        tries=$((tries + 1))
        if [ "$tries" -ge 120 ]; then
            tail -n 20 "$state/dockerd.log" >&2
            cannot "it did not come up in a minute; the log is $state/dockerd.log"
        fi
        sleep 0.5
    done
}

up() {
    if answers && equipped; then
        return 0
    fi
    mkdir -p "$state" 2>/dev/null || cannot "that takes root"
    # Of two that come at once the second waits, and finds an engine.
    exec 9>"$state/lock"
    flock 9
    provide
    start
}

down() {
    if [ ! -s "$pid_file" ]; then
        echo "No engine that this script started is running."
        return 0
    fi
    pid=$(cat "$pid_file")
    kill "$pid" 2>/dev/null || true
    tries=0
    while kill -0 "$pid" 2>/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -lt 60 ] || { echo "The engine (process $pid) does not stop." >&2; exit 1; }
        sleep 0.5
    done
}

case ${1:-up} in
    up)
        up
        docker version --format 'engine {{.Server.Version}}'
        docker compose version --short
        docker buildx version
        ;;
    down) down ;;
    status)
        if answers; then
            echo up
        else
            echo down
            exit 1
        fi
        ;;
    *)
        echo "usage: engine.sh [up|down|status]" >&2
        exit 2
        ;;
esac
