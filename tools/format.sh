#!/bin/sh
# format.sh [--fix] - are all sources laid out by .clang-format? Tables (.def)
# are laid out by hand. Versions differ in taste; the one asked is 14.
set -eu
cd "$(dirname "$0")/.."
tool=clang-format
command -v clang-format-14 >/dev/null && tool=clang-format-14
case $($tool --version) in
*" 14."*) ;;
*)
    echo "skipped: this needs clang-format 14, here is $($tool --version)"
    exit 77
    ;;
esac
mode="--dry-run -Werror"
[ "${1:-}" != --fix ] || mode=-i
# shellcheck disable=SC2086 # two words
find . \( -path './build*' -o -path './.*' \) -prune -o \
    -name '*.[ch]' -print0 | xargs -0 $tool $mode
