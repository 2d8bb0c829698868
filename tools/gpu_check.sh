#!/bin/sh
# gpu_check.sh - what there is to learn on a machine with a GPU, in ten minutes
# and without a network: builds, runs the tests on the device, measures beside
# PyTorch, looks for bad accesses and races. The most important comes first, so
# that little is lost when it is cut off; every step leaves its result at once.
#
#   OUT                      where results go (bench/results/gpu-DATE)
#   HOURGLASS_GPU_SECONDS    how long it may take (570)
#   PYTHON                   an interpreter that has torch (python3)
#
# A rehearsal without a GPU runs the tests on the emulated one and takes
# stand-ins for what is missing, named by these (tools/gpu_rehearse.sh):
#
#   HOURGLASS_GPU_EMULATED=1 the tests of tests/on_device
#   HOURGLASS_GPU_PROGRAM    in place of the built program
#   HOURGLASS_GPU_BUILD      an existing build folder
# shellcheck disable=SC2317 # functions are called through --do
set -u
cd "$(dirname "$0")/.." || exit 1
root=$PWD
self=$root/tools/gpu_check.sh
out=${OUT:-$root/bench/results/gpu-$(date +%F)}
limit=${HOURGLASS_GPU_SECONDS:-570}
build=${HOURGLASS_GPU_BUILD:-$root/build-gpu}
program=${HOURGLASS_GPU_PROGRAM:-$build/apps/hourglass}
emulated=${HOURGLASS_GPU_EMULATED:-}
python=${PYTHON:-python3}
jobs=$(getconf _NPROCESSORS_ONLN)
begun=$(date +%s)
failed=0

# The libraries of tools/gpu_pack.sh, before those of the machine.
pack=$root/.gpu-pack/root
if [ -d "$pack" ]; then
    libraries=$pack/usr/lib/x86_64-linux-gnu
    export PATH="$PATH:$pack/usr/bin"
    export LD_LIBRARY_PATH="$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
    export LIBRARY_PATH="$libraries" PKG_CONFIG_SYSROOT_DIR="$pack"
    export PKG_CONFIG_PATH="$libraries/pkgconfig:$pack/usr/share/pkgconfig"
    export C_INCLUDE_PATH="$pack/usr/include"
    export CPLUS_INCLUDE_PATH="$pack/usr/include"
fi
[ -x /usr/local/cuda/bin/nvcc ] && export PATH="$PATH:/usr/local/cuda/bin"
export CK_FORK=no OMP_WAIT_POLICY=passive PYTHONUNBUFFERED=1
export NVCC_APPEND_FLAGS="--threads 4"

left() {
    echo $((limit - $(date +%s) + begun))
}

# step NAME SECONDS LOG FUNCTION... : at most that long and until the end of
# all, by itself, so that it can be cut off; one line in the summary, output in
# the log.
step() {
    name=$1 seconds=$2 log=$out/$3
    shift 3
    rest=$(left)
    [ "$seconds" -le "$rest" ] || seconds=$rest
    if [ "$seconds" -lt 5 ]; then
        echo "left out  $name: the time is up" | tee -a "$summary"
        return 1
    fi
    from=$(date +%s)
    printf '\n== %s\n' "$name" >>"$log"
    timeout -k 5 "$seconds" "$self" --do "$@" >>"$log" 2>&1
    code=$?
    case $code in
    0) word="ok      " ;;
    77) word="skipped " ;;
    124 | 137) word="CUT OFF " failed=1 ;;
    *) word="FAILED  " failed=1 ;;
    esac
    echo "$word  $name ($(($(date +%s) - from)) s)" | tee -a "$summary"
    [ "$code" -ne 0 ] && [ "$code" -ne 77 ] && tail -n 5 "$log" |
        sed 's/^/          /' | tee -a "$summary"
    return "$code"
}

facts() {
    uname -a
    nvidia-smi
    nvcc --version | tail -n 2
    cc --version | head -n 1
    meson --version
    pkg-config --version
    "$python" -c 'import torch; print("torch", torch.__version__)'
    git describe --always --dirty
    true # what is missing shows in the steps that need it
}

configured() {
    meson setup "$build" -Dcuda=enabled -Dtests=enabled -Df64=false \
        -Demulation=disabled -Ddocs=disabled
}

# The programs of tests that have something to say on a device, one a line.
test_programs() {
    if [ -n "$emulated" ]; then
        find "$build/tests/on_device" -name 'test_*_on_device' -type f | sort
        return
    fi
    meson introspect --tests "$build" | "$python" -c '
import json, sys
for test in json.load(sys.stdin):
    suites = " ".join(test["suite"])
    away = ("off-device", "f64", "apps", "house", "examples", "cuda_on_cpu")
    if test["protocol"] == "tap" and not any(word in suites for word in away):
        print(test["cmd"][0])
' | sort -u
}

# run_one FOLDER PROGRAM: on the device; what failed, and a line for the reader.
run_one() {
    name=$(basename "$2") log=$1/$(basename "$2").tap
    if CK_TAP_LOG_FILE_NAME=- CK_VERBOSITY=silent HOURGLASS_TEST_DEVICE=cuda \
        timeout 120 "$2" >"$log" 2>&1; then
        word=PASS
    else
        word=FAIL
    fi
    grep -E '^not ok|cuda on cpu' "$log" | head -n 20
    echo "$word $name: $(grep -c '^ok' "$log") ok," \
        "$(grep -c '^not ok' "$log") not ok"
    [ "$word" = PASS ]
}

device_suite() {
    logs=$(mktemp -d)
    test_programs >"$logs/programs"
    [ -s "$logs/programs" ] || {
        echo "there are no test programs"
        return 1
    }
    code=0
    xargs -P "$jobs" -n 1 "$self" --do run_one "$logs" <"$logs/programs" ||
        code=1
    rm -rf "$logs"
    return "$code"
}

sanitized() {
    tool=$1
    shift
    code=0
    for name; do
        file=$(test_programs | grep "/test_$name\(_on_device\)\?\$" | head -n 1)
        [ -n "$file" ] || continue
        echo "-- $tool, $name"
        CK_VERBOSITY=silent HOURGLASS_TEST_DEVICE=cuda \
            compute-sanitizer --tool "$tool" --error-exitcode 9 \
            --print-limit 5 "$file" || code=1
    done
    return "$code"
}

measured() {
    "$python" bench/compare.py --device cuda --program "$program" \
        --python "$python" "$@"
}

alone() {
    for workload in ae-b32 vae-b32 aae-b100 convvae-b256; do
        "$program" bench "$workload" --device cuda --json || return 1
    done
}

built() {
    ninja -C "$build" -j "$jobs" "$@"
}

asked() {
    "$program" doctor
}

if [ "${1:-}" = --do ]; then
    shift
    "$@"
    exit
fi

mkdir -p "$out" || exit 1
summary=$out/summary.txt
: >"$summary"
rm -f "$out"/*.log
step "what is here" 60 build.log facts
if [ -z "${HOURGLASS_GPU_BUILD:-}" ]; then
    step "configuring" 90 build.log configured
    step "building the program" 240 build.log built apps/hourglass || exit 1
    step "building the tests" 200 build.log built -k 0
fi
step "hourglass doctor" 30 build.log asked
step "steps measured alone" 60 bench.log alone
step "tests on the device" 200 tests.log device_suite
step "ae and aae beside PyTorch, eager and captured" 90 bench.log \
    measured --variants eager,graph --blocks 5 --results "$out/quick" \
    ae-b32 aae-b100
step "memcheck" 90 sanitizer.log sanitized memcheck pointwise matmul conv reduce
step "racecheck" 90 sanitizer.log sanitized racecheck softmax reduce optim norm
step "all workloads beside PyTorch, compiled too" 400 bench.log \
    measured --results "$out/all"
step "initcheck" 60 sanitizer.log sanitized initcheck pointwise optim
echo "results are in $out"
exit $failed
