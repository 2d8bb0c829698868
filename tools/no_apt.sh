#!/bin/sh
# no_apt.sh - on a system without apt ./dev names what to install, instead.
set -eu
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
for tool in dirname cat grep; do
    ln -s "$(command -v $tool)" "$tools/$tool"
done
for verb in build demo test bench; do
    code=0
    said=$(PATH=$tools ./dev $verb 2>&1) || code=$?
    [ $code -eq 1 ] || {
        echo "./dev $verb: exit code $code"
        exit 1
    }
    for part in "no apt here, and no meson" ninja-build gcc zlib1g-dev; do
        echo "$said" | grep -q "$part" || {
            echo "./dev $verb does not say '$part': $said"
            exit 1
        }
    done
done
