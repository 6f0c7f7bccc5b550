#!/usr/bin/env bash
# Runs a command as an ordinary user who is made for this and removed after it.
#
#   as_user.sh COMMAND [ARG...]
#
# Programs may lie below folders that only root may enter (a clone or a Python in root's home): in a mount namespace
# of the command's own, such a folder is covered by one that all may enter, with the programs' folders in it.
set -euo pipefail

if [[ ${FORKSCOPE_TEST_MOUNTS:-} != own ]]; then
    export FORKSCOPE_TEST_MOUNTS=own
    exec unshare --mount --propagation private "$0" "$@"
fi

user=forkscope-test-$$
useradd --no-create-home --no-user-group --gid nogroup --shell /bin/sh "$user"
trap 'userdel "$user"' EXIT

# The folders that the command's words lead to, through links, and what those need: a Python's own prefix.
needed() {
    local word real
    for word in "$@"; do
        [[ -e $word ]] || continue
        real=$(realpath "$word")
        dirname "$word"
        dirname "$real"
        [[ $real == */bin/* ]] && dirname "$(dirname "$real")"
        [[ $word == */bin/* ]] && dirname "$(dirname "$word")"
    done | sort -u
}

# The first folder on the way that others may not enter.
closed() {
    local path=
    local part
    while read -r -d / part; do
        path=$path${part:+/$part}
        [[ -z $path || $(stat -c %A "$path") == *[xt] ]] || { echo "$path"; return; }
    done <<<"$1/"
    return 0
}

declare -A held
while read -r folder; do
    top=$(closed "$folder")
    [[ -n $top ]] || continue
    if [[ -z ${held[$top]:-} ]]; then
        held[$top]=$(mktemp -d)
        mount --bind "$top" "${held[$top]}"
        mount -t tmpfs -o mode=755 none "$top"
    fi
    mkdir -p "$folder"
    mount --bind "${held[$top]}${folder#"$top"}" "$folder"
done < <(needed "$@")

setpriv --reuid="$user" --regid=nogroup --clear-groups --inh-caps=-all "$@"
