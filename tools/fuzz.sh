# shellcheck shell=sh
# fuzz.sh - `./dev fuzz [SECONDS] [TARGET...]`: libFuzzer on every reader, one
# after the other, under the address and undefined-behaviour sanitizers. What is
# found lies in build-fuzz/findings; the committed corpus is not touched.

seconds=${1:-300}
[ $# -eq 0 ] || shift
targets=${*:-idx gzip npy npz csv pack picture safetensors config}

CC=clang CXX=clang++ configure build-fuzz -Dtests=enabled -Df64=false \
    -Dfuzz=true -Dbuildtype=debugoptimized -Db_lundef=false \
    -Donednn=disabled -Db_sanitize=address,undefined \
    -Dc_args="-fsanitize=fuzzer-no-link -fno-sanitize-recover=all"
for target in $targets; do
    ninja -C build-fuzz "tests/fuzz/fuzz_$target"
done

found=0
for target in $targets; do
    mkdir -p "build-fuzz/corpus/$target" build-fuzz/findings
    log=build-fuzz/fuzz-$target.log
    if OMP_NUM_THREADS=1 UBSAN_OPTIONS=print_stacktrace=1 \
        "build-fuzz/tests/fuzz/fuzz_$target" -max_total_time="$seconds" \
        -max_len=4096 -timeout=20 -rss_limit_mb=4096 -print_final_stats=1 \
        -artifact_prefix="build-fuzz/findings/$target-" \
        "build-fuzz/corpus/$target" "tests/fuzz/corpus/$target" >"$log" 2>&1
    then
        echo "$target: no finding in $seconds s," \
            "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs"
    else
        found=1
        echo "$target: a finding, see $log"
    fi
done
[ $found -eq 0 ]
