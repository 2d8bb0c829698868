#!/bin/sh
# coverage.sh FOLDER - lines of the engine's rooms that the tests reach, in a
# build with -Db_coverage=true; fails below 95 %.
set -eu
find "$1" -name '*.gcda' -delete
meson test -C "$1" --quiet --no-rebuild || true
gcovr --root . --object-directory "$1" --print-summary \
    --filter 'tensor/' --filter 'autograd/' --filter 'ops/' --filter 'nn/' \
    --exclude-unreachable-branches --sort-percentage --fail-under-line 95
