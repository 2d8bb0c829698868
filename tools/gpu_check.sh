#!/bin/sh
# gpu_check.sh - what there is to learn on a machine with a GPU, in ten minutes
# and without a network: builds, runs the tests on the device, measures beside
# PyTorch, looks for bad accesses and races. The most important comes first, so
# that little is lost when it is cut off; every step leaves its result at once,
# and there are at most seven files.
#
#   OUT                      where results go (bench/results/gpu-DATE)
#   HOURGLASS_GPU_SECONDS    how long it may take (570)
#   HOURGLASS_GPU_ARCH       what to compile for (90 is 9.0; asked of the GPU)
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
behind=76 # exit code of a step that measured all, but less than was wanted
failed=0
group=

# ---- What the steps find around them ----------------------------------------

# ahead VARIABLE FOLDER: where this list of folders begins from now on.
ahead() {
    eval "export $1=\"\$2\${$1:+:\$$1}\""
}

# The libraries of tools/gpu_pack.sh, before those of the machine.
take_pack() {
    pack=$root/.gpu-pack/root
    [ -d "$pack" ] || return 0
    libraries=$pack/usr/lib/x86_64-linux-gnu
    export PATH="$PATH:$pack/usr/bin" PKG_CONFIG_SYSROOT_DIR="$pack"
    ahead LD_LIBRARY_PATH "$libraries"
    ahead LIBRARY_PATH "$libraries"
    ahead PKG_CONFIG_PATH "$pack/usr/share/pkgconfig"
    ahead PKG_CONFIG_PATH "$libraries/pkgconfig"
    ahead C_INCLUDE_PATH "$pack/usr/include"
    ahead CPLUS_INCLUDE_PATH "$pack/usr/include"
}

# PyTorch's wheels bring cuBLAS where the toolkit came without it.
take_wheels() {
    nvcc=$(command -v nvcc) || return 0
    toolkit=$(dirname "$(dirname "$(readlink -f "$nvcc")")")
    found=$(find -L "$toolkit/lib64" -name 'libcublas.so*' 2>/dev/null)
    [ -e "$toolkit/include/cublas_v2.h" ] && [ -n "$found" ] && return
    for module in nvidia.cu13 nvidia.cublas; do
        wheel=$("$python" -c "import $module as n
print(list(n.__path__)[0])" 2>/dev/null) || continue
        ahead LD_LIBRARY_PATH "$wheel/lib"
        ahead C_INCLUDE_PATH "$wheel/include"
        ahead CPLUS_INCLUDE_PATH "$wheel/include"
    done
}

# Machine code for the one GPU that is here, if it answers.
choose_arch() {
    arch=${HOURGLASS_GPU_ARCH:-$(nvidia-smi --query-gpu=compute_cap \
        --format=csv,noheader 2>/dev/null | head -n 1 | tr -d .)}
    case $arch in
    '' | *[!0-9]*) ;;
    *) export HOURGLASS_GPU_ARCH="$arch" ;;
    esac
}

prepare() {
    take_pack
    [ -x /usr/local/cuda/bin/nvcc ] && export PATH="$PATH:/usr/local/cuda/bin"
    take_wheels
    choose_arch
    # -lineinfo: compute-sanitizer names lines.
    export NVCC_APPEND_FLAGS="--threads 4 -lineinfo"
    export CK_FORK=no OMP_WAIT_POLICY=passive PYTHONUNBUFFERED=1
    export HOURGLASS_OFFLINE=1 HOURGLASS_TEST_SOURCE="$root"
}

# ---- Steps ------------------------------------------------------------------

left() {
    echo $((limit - $(date +%s) + begun))
}

# What a step has left running goes with it; it would disturb the next one.
end_group() {
    [ -n "$group" ] && kill -s KILL -- "-$group" 2>/dev/null
    group=
}

# One line in the summary; of what is not well the end of its log, too.
conclude() {
    case $code in
    0) word="ok      " ;;
    77) word="skipped " ;;
    124 | 137) word="CUT OFF " failed=1 ;;
    "$behind") word="behind  " failed=1 ;;
    *) word="FAILED  " failed=1 ;;
    esac
    echo "$word  $name ($(($(date +%s) - from)) s)" | tee -a "$summary"
    case $code in
    0 | 77 | "$behind") ;;
    *) tail -n 5 "$log" | sed 's/^/          /' | tee -a "$summary" ;;
    esac
    return "$code"
}

# step NAME SECONDS LOG FUNCTION... : at most that long and until the end of
# all, by itself, so that it can be cut off.
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
    timeout -k 5 "$seconds" "$self" --do "$@" >>"$log" 2>&1 &
    group=$! # timeout leads one
    wait "$group"
    code=$?
    end_group
    conclude
}

facts() {
    uname -a
    nvidia-smi
    echo "compiling for ${HOURGLASS_GPU_ARCH:-all generations}"
    nvcc --version | tail -n 2
    compute-sanitizer --version | head -n 1
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

built() {
    ninja -C "$build" -j "$jobs" "$@"
}

asked() {
    "$program" doctor
}

# ---- Tests ------------------------------------------------------------------

# chosen_tests [SUITE]: programs that have something to say on a device.
chosen_tests() {
    meson introspect --tests "$build" | "$python" -c '
import json, sys
away = {"off-device", "f64", "apps", "house", "examples", "cuda_on_cpu"}
for test in json.load(sys.stdin):
    suites = {suite.split(":")[-1] for suite in test["suite"]}
    if test["protocol"] == "tap" and suites.isdisjoint(away):
        if suites.issuperset(sys.argv[1:]):
            print(test["cmd"][0])
' "$@" | sort -u
}

# What tells most, and what would run alone in the end.
important_first() {
    awk -v first="two_devices zoo training models recipes" '
    BEGIN { for (i = split(first, names); i > 0; i--) place[names[i]] = i }
    {
        name = $0
        sub(/.*\/test_/, "", name)
        sub(/_on_device$/, "", name)
        print (name in place ? place[name] : 99), $0
    }' | sort -s -n -k 1,1 | cut -d ' ' -f 2-
}

# One a line.
test_programs() {
    if [ -n "$emulated" ]; then
        find "$build/tests/on_device" -name 'test_*_on_device' -type f | sort
    else
        chosen_tests
    fi | important_first
}

# run_one PROGRAM: on the device; what failed, and a line for the reader. In the
# foreground, since a timeout with a group of its own survives the step's; and
# killed, since Check hands a SIGTERM on to the whole group, which is the step.
run_one() {
    name=$(basename "$1") from=$(date +%s)
    log=$work/$name.tap word=PASS
    CK_TAP_LOG_FILE_NAME=- CK_VERBOSITY=silent HOURGLASS_TEST_DEVICE=cuda \
        timeout --foreground -s KILL 120 "$1" >"$log" 2>&1
    code=$?
    [ "$code" -eq 0 ] || word=FAIL
    {
        grep -E '^not ok|cuda on cpu' "$log" | head -n 20
        echo "$word $name: $(grep -c '^ok' "$log") ok," \
            "$(grep -c '^not ok' "$log") not ok, exit code $code," \
            "$(($(date +%s) - from)) s"
        [ "$word" = PASS ] || tail -n 12 "$log" | sed 's/^/    /'
    } >"$log.said"
    cat "$log.said"
    [ "$word" = PASS ]
}

device_suite() {
    test_programs >"$work/programs"
    [ -s "$work/programs" ] || {
        echo "there are no test programs"
        return 1
    }
    [ -n "$emulated" ] ||
        echo "not in ./dev test, too long on the emulated device:" \
            "$(chosen_tests slow | sed 's|.*/test_||' | tr '\n' ' ')"
    xargs -P "$jobs" -n 1 "$self" --do run_one <"$work/programs"
}

# Where the tests were cut off.
unfinished() {
    for log in "$work"/*.tap; do
        [ -e "$log" ] || continue
        [ -e "$log.said" ] && continue
        echo "CUT OFF $(basename "$log" .tap): $(grep -c '^ok' "$log") ok"
        tail -n 5 "$log" | sed 's/^/    /'
    done
}

# sanitized TOOL TEST: the tool, for itself a step.
sanitized() {
    command -v compute-sanitizer || return 77
    file=$(test_programs | grep "/test_$2\(_on_device\)\?\$" | head -n 1)
    [ -n "$file" ] || return 77
    CK_VERBOSITY=silent HOURGLASS_TEST_DEVICE=cuda \
        compute-sanitizer --tool "$1" --error-exitcode 9 --print-limit 5 "$file"
}

# sanitize TOOL TEST... : 25 seconds each, so that none takes the time of all;
# the tool starts the program, and both end with the step.
sanitize() {
    tool=$1
    shift
    for tested; do
        step "$tool of $tested" 25 sanitizer.log sanitized "$tool" "$tested"
    done
}

# ---- Measurements -----------------------------------------------------------

measured() {
    "$python" bench/compare.py --device cuda --program "$program" \
        --python "$python" "$@"
    code=$?
    [ "$code" -ne 1 ] || code=$behind
    return "$code"
}

alone() {
    for workload in ae-b32 vae-b32 aae-b100 convvae-b256; do
        "$program" bench "$workload" --device cuda --explain --json || return 1
    done
}

# ---- All of it --------------------------------------------------------------

if [ "${1:-}" = --do ]; then
    shift
    "$@"
    exit
fi

prepare
mkdir -p "$out" || exit 1
work=$(mktemp -d) || exit 1
export work
trap 'end_group; rm -rf "$work"' EXIT
trap 'exit 143' HUP INT TERM
summary=$out/summary.txt
: >"$summary"
rm -f "$out"/*.log
step "what is here" 30 build.log facts
if [ -z "${HOURGLASS_GPU_BUILD:-}" ]; then
    step "configuring" 60 build.log configured
    step "building the program" 240 build.log built apps/hourglass || exit 1
    step "building the tests" 150 build.log built -k 0
fi
step "hourglass doctor" 20 build.log asked
step "tests on the device" 170 tests.log device_suite ||
    unfinished >>"$out/tests.log"
step "steps measured alone" 40 bench.log alone
step "ae and aae beside PyTorch, eager and captured" 60 bench.log \
    measured --variants eager,graph --blocks 5 --results "$work/quick" \
    ae-b32 aae-b100
step "all workloads beside PyTorch, eager and captured" 200 bench.log \
    measured --variants eager,graph --blocks 3 --results "$out"
sanitize memcheck conv reduce matmul pointwise
sanitize racecheck reduce softmax norm optim
step "all workloads beside PyTorch, compiled" 400 bench.log \
    measured --variants compile --blocks 3 --results "$work/compile"
echo "results are in $out"
exit $failed
