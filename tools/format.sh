#!/bin/sh
# format.sh [--fix] - are all sources laid out by .clang-format? Tables (.def)
# are laid out by hand, goldens by their script. Versions of clang-format
# differ in taste: 14 is asked.
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
sources() {
    find . \( -path './build*' -o -path './.*' -o \
        -path ./tests/golden \) -prune -o \
        -name '*.[ch]' -print0
}
if [ "${1:-}" = --fix ]; then
    sources | xargs -0 "$tool" -i
else
    places=$(sources | xargs -0 "$tool" --dry-run -Werror 2>&1 |
        sed -n 's/^\(.*:[0-9]*\):[0-9]*: error:.*/\1/p' | uniq)
    [ -z "$places" ] || {
        echo "$places"
        echo "./dev format puts these right"
        exit 1
    }
fi
