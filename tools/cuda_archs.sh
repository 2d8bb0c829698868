#!/bin/sh
# Prints nvcc's -gencode flags, asked from nvcc, never from a GPU. `all`: machine
# code for the first of each generation from 7.5 on, and PTX of the newest for
# those that come later. `quick`: machine code for 7.5 and PTX of it, which
# newer devices translate when they first meet it. HOURGLASS_GPU_ARCH (90 is
# 9.0): for this one alone, if nvcc knows it.
#     tools/cuda_archs.sh NVCC all|quick
set -eu
one=${HOURGLASS_GPU_ARCH:-}
if [ -n "$one" ] && "$1" --list-gpu-arch | grep -qx "compute_$one"; then
    echo "-gencode=arch=compute_$one,code=sm_$one"
    exit
fi
"$1" --list-gpu-arch | sed -n 's/^compute_\([0-9]*\)$/\1/p' | sort -n |
    awk -v quick="$([ "$2" = quick ] && echo 1)" '
    $1 >= 75 && (!quick || !newest) {
        generation = int($1 / 10)
        if (!(generation in seen)) {
            seen[generation] = 1
            printf "-gencode=arch=compute_%d,code=sm_%d\n", $1, $1
        }
        newest = $1
    }
    END { printf "-gencode=arch=compute_%d,code=compute_%d\n", newest, newest }'
