#!/usr/bin/env bash
# Makes the environment of the end-to-end tests: Debian's servers and two Python environments with the
# clients. Does nothing where all is there.
#
#   setup.sh [CACHE]      CACHE: where the Python environments go (default: target/e2e of the workspace)
#
# Exit status: 0 all is there; 3 no Python 3.8 to be had (all else is there); 1 anything else.
# Servers that the packages start are not used and not stopped: each test starts its own, on a free port
# of 127.0.0.1, with its data in a temporary directory.
set -euo pipefail

readonly NO_PYTHON_38=3
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
cache=${1:-${CARGO_TARGET_DIR:-$root/target}/e2e}

# The founding case: the last wheel of this grpcio is for Python 3.8.
readonly PY38_PACKAGES=(grpcio==1.28.1 protobuf==3.20.3 'setuptools==59.8.0' six==1.17.0)
# The one whose children shut the connection down; it has wheels for that Python, too.
readonly GRPC_1_49_PACKAGES=(grpcio==1.49.1 six==1.17.0)
# The newest of everything else.
readonly PY3_PACKAGES=(
    grpcio==1.85.1 h2==4.4.1 hpack==4.2.0 hyperframe==6.1.0 psycopg2-binary==2.9.12 redis==8.1.0 requests==2.34.2
    pymysql==1.2.4
    pika==1.4.4 paho-mqtt==2.2.0 gunicorn==27.0.1 'celery[redis]==5.7.0'
)

say() { echo "setup: $*" >&2; }
die() { say "$*"; exit 1; }

# A package's name, if the program that it brings is missing.
missing_package() {
    local program=$1 package=$2
    command -v "$program" >/dev/null || [[ -x /usr/sbin/$program ]] || echo "$package"
}

postgres_bin() { ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1; }

install_packages() {
    local packages
    mapfile -t packages < <(
        missing_package strace strace
        # The server alone, without a database of its own: 45 MB.
        missing_package mariadbd mariadb-server-core
        missing_package redis-server redis-server
        missing_package nginx nginx-light
        missing_package apache2 apache2-bin
        compgen -G '/usr/sbin/php-fpm*' >/dev/null || echo php-fpm
        missing_package cgi-fcgi libfcgi-bin
        missing_package sshd openssh-server
        missing_package ssh openssh-client
        missing_package node nodejs
        missing_package make make
        missing_package tmux tmux
        missing_package mosquitto mosquitto
        # With the Erlang that it runs on 35 MB; 20 seconds.
        missing_package rabbitmq-server rabbitmq-server
        missing_package openssl openssl
        missing_package setcap libcap2-bin
        missing_package nghttp nghttp2-client
        missing_package nghttpd nghttp2-server
        missing_package curl curl
        missing_package setpriv util-linux
        missing_package ip iproute2
        [[ -x $(postgres_bin)/postgres ]] || echo postgresql
        [[ -n $(newest_python) ]] || echo python3
        newest=$(newest_python)
        "${newest:-false}" -c 'import ensurepip' 2>/dev/null || echo python3-venv
        # Python's own tests, which distributions package apart.
        "${newest:-false}" -c 'import test.test_subprocess' 2>/dev/null || echo libpython3-testsuite
    )
    ((${#packages[@]})) || return 0
    command -v apt-get >/dev/null || die "missing: ${packages[*]}; this is no Debian, install them by hand"
    ((EUID == 0)) || die "missing: ${packages[*]}; install them as root: apt-get install ${packages[*]}"
    say "installing ${packages[*]}"
    export DEBIAN_FRONTEND=noninteractive
    apt_install "${packages[@]}" || { apt-get -q update >&2 && apt_install "${packages[@]}"; } ||
        die "apt-get could not install ${packages[*]}"
}

# Another apt-get may be at work: seconds to wait for its end.
apt_install() { apt-get -q -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@" >&2; }

# All Pythons that could do: the system's and pyenv's. Its shims are left out: they run any version.
pythons() {
    local found
    for found in /usr/bin/"$1" /usr/local/bin/"$1" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin/"$1"; do
        [[ -x $found ]] && echo "$found"
    done
    return 0
}

version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null; }

python_38() {
    local candidate
    while read -r candidate; do
        [[ $(version_of "$candidate") == 3.8 ]] && { echo "$candidate"; return; }
    done < <(pythons python3.8; command -v python3.8)
    return 0
}

# The newest from 3.11 on that the pinned wheels are known to exist for.
newest_python() {
    local minor candidate
    for minor in 13 12 11; do
        while read -r candidate; do
            [[ $(version_of "$candidate") == "3.$minor" ]] && { echo "$candidate"; return; }
        done < <(pythons "python3.$minor")
    done
    return 0
}

# make_venv NAME PYTHON PACKAGE...: a stamp of what is in it is written last, so that half of one is redone.
make_venv() {
    local name=$1 python=$2 stamp
    shift 2
    stamp="$python $*"
    [[ -f $cache/$name/stamp && $(<"$cache/$name/stamp") == "$stamp" && -x $cache/$name/bin/python ]] && return 0
    say "making $cache/$name with $python: $*"
    rm -rf "${cache:?}/$name"
    "$python" -m venv "$cache/$name"
    "$cache/$name/bin/python" -m pip -q --disable-pip-version-check install --only-binary :all: "$@" >&2
    echo "$stamp" >"$cache/$name/stamp"
}

main() {
    local modern old
    install_packages
    mkdir -p "$cache"
    # Two at once would build the same environment twice.
    exec 9>"$cache/lock"
    flock 9
    modern=$(newest_python)
    [[ -n $modern ]] || die "no Python 3.11, 3.12 or 3.13: install one (Debian: python3 python3-venv)"
    make_venv py3 "$modern" "${PY3_PACKAGES[@]}"
    old=$(python_38)
    if [[ -z $old ]]; then
        say "no Python 3.8 here: install one (for example 'pyenv install 3.8'); grpcio 1.28.1 has no later wheel"
        exit $NO_PYTHON_38
    fi
    make_venv py38 "$old" "${PY38_PACKAGES[@]}"
    make_venv grpc-1.49 "$old" "${GRPC_1_49_PACKAGES[@]}"
}

main
