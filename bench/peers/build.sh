#!/bin/sh
# build.sh - peers in C, beside checkouts of what they measure:
#
#     bench/peers/build.sh kann CHECKOUT     makes build/peers/kann
#     bench/peers/build.sh ggml CHECKOUT     makes build/peers/ggml (with cmake)
#
# Both optimised for this machine. KANN multiplies by a BLAS if BLAS names one
# ("-lopenblas"), else by its own SSE loops.
set -eu

usage() {
    sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
    exit 2
}

[ $# -eq 2 ] || usage
peer=$1
checkout=$(cd "$2" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
out=$(dirname "$(dirname "$here")")/build/peers
mkdir -p "$out"
compile="${CC:-cc} -O3 -march=native -I$here"

case $peer in
kann)
    # shellcheck disable=SC2086 # flags are words
    $compile -DHAVE_PTHREAD ${BLAS:+-DHAVE_CBLAS} -I"$checkout" \
        "$here/kann.c" "$checkout/kann.c" "$checkout/kautodiff.c" \
        ${BLAS:-} -lm -lpthread -o "$out/kann"
    ;;
ggml)
    cmake -S "$checkout" -B "$out/ggml-build" -DCMAKE_BUILD_TYPE=Release \
        -DBUILD_SHARED_LIBS=OFF -DGGML_NATIVE=ON -DGGML_OPENMP=ON \
        -DGGML_BUILD_TESTS=OFF -DGGML_BUILD_EXAMPLES=OFF
    cmake --build "$out/ggml-build" -j 2
    # shellcheck disable=SC2086
    $compile -I"$checkout/include" "$here/ggml.c" \
        -L"$out/ggml-build/src" -lggml -lggml-cpu -lggml-base \
        -lstdc++ -fopenmp -lm -lpthread -ldl -o "$out/ggml"
    ;;
*) usage ;;
esac
echo "$out/$peer"
