#!/bin/sh
# archer.sh FOLDER - does libomp load Archer in the ThreadSanitizer build? If
# it did not, race-free loops would be reported.
set -eu
program=$(find "$1/tests" -maxdepth 1 -name 'test_tensor' -type f)
OMP_TOOL_VERBOSE_INIT=stderr "$program" 2>&1 |
    tee /dev/stderr | grep -q 'Tool was started'
