# shellcheck shell=sh
# stages.sh - what each stage of tools/test.sh does.

# Hundreds of test programs are linked: gold takes a third of the time.
if command -v ld.gold >/dev/null; then
    export CC_LD=gold CXX_LD=gold
fi

passed=0 failed=0 skipped=0
logs=build/dev-logs
mkdir -p $logs

# check NAME COMMAND... : one check, by exit status; 77 means skipped.
check() {
    name=$1
    shift
    log=$logs/$(echo "$name" | tr -c 'a-z0-9\n' '-').log
    code=0
    "$@" >"$log" 2>&1 || code=$?
    case $code in
    0)
        passed=$((passed + 1))
        echo "ok       $name"
        ;;
    77)
        skipped=$((skipped + 1))
        echo "skipped  $name: $(tail -n 1 "$log")"
        ;;
    *)
        failed=$((failed + 1))
        echo "FAILED   $name"
        grep -A 4 -E 'error:|warning:|undefined|FAILED' "$log" | tail -n 60
        tail -n 20 "$log"
        ;;
    esac
    [ $code -eq 0 ]
}

# compiled FOLDER OPTION... : configured and built, one check.
compiled() {
    check "build in $1" configure_and_build "$@"
}

configure_and_build() {
    configure "$@" && ninja -C "$1" -k 0
}

# suites FOLDER SETUP [OPTION...]: runs Meson's tests under one of the setups
# of tests/meson.build and adds up the single tests. One more at a time than
# there are cores: many wait for a disk or for one another.
suites() {
    echo "         tests in $1, $2"
    rm -f "$1/meson-logs/testlog-$2.json"
    folder=$1 setup=$2
    shift 2
    meson test -C "$folder" --setup "$setup" "$@" --no-rebuild \
        --num-processes $(($(nproc) + 1)) --print-errorlogs \
        >"$logs/tests-$folder-$setup.log" 2>&1 || true
    grep -E '^ *[0-9]+/[0-9]+ .*(FAIL|ERROR|TIMEOUT)|^not ok' \
        "$logs/tests-$folder-$setup.log" || true
    numbers=$(python3 tools/count_tests.py "$folder/meson-logs/testlog-$setup.json") ||
        numbers="0 1 0"
    # shellcheck disable=SC2086 # three numbers
    set -- $numbers
    passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
    echo "         $1 passed, $2 failed, $3 skipped"
}

stage_house() {
    check "layout of the sources" tools/format.sh || true
    check "arrows between the rooms point down" python3 tools/layers.py || true
    check "lengths of files and functions" python3 tools/budget.py || true
    check "no sums of floats in any order" python3 tools/atomics.py || true
    check "table of operations" python3 tools/op_table.py --check || true
    check "the zoo's page and its figures" python3 tools/zoo.py --check || true
    check "a system without apt" tools/no_apt.sh || true
    check "shell scripts" shellcheck -x dev .ci/run tools/*.sh bench/peers/*.sh || true
}

# gcc, as one installs it, with the double library.
stage_release() {
    compiled build -Dtests=enabled -Dwerror=true -Dgpu_generations=quick || return 0
    suites build plain
}

stage_installed() {
    check "programs outside the tree" tools/installed.sh build || true
}

# GPUs, emulated: all tests of the library on that device, those of operations
# and optimisers in three further orders of its threads, and all but the models
# under the checker of races and uninitialised reads.
stage_device() {
    suites build device_forward --suite on_device --suite cuda_on_cpu \
        --suite on_device_check
    for order in reverse random other; do
        suites build "device_$order" --suite kernels_on_device
    done
    check "the same bits in four orders of threads" \
        python3 tools/same_bits.py build || true
}

# The same in double precision, 200 steps of every model on both devices and
# beside PyTorch, device memory closed to the host, each barrier taken away in
# turn. Takes long, so it is not among the stages of ./dev test; asked for by
# HOURGLASS_STAGES="house release races".
stage_races() {
    compiled build -Dtests=enabled -Dwerror=true -Dgpu_generations=quick \
        -Dlong_tests=true || return 0
    suites build long --suite golden
    suites build device_forward --suite on_device_long
    suites build device_protected --suite on_device --suite on_device_check
    check "every barrier is needed" python3 tools/barriers.py build || true
}

stage_valgrind() {
    suites build valgrind
}

# clang, as one installs it, with the double library. That clang compiles
# everything is shown by stage_tsan too, so it is not among those of ./dev test.
stage_clang() {
    CC=clang CXX=clang++ compiled build-clang -Dtests=enabled -Dwerror=true \
        -Dcuda=disabled -Demulation=disabled || return 0
    suites build-clang quick --no-suite models --no-suite apps
}

# Memory errors, leaks and undefined behaviour, with gcc: the search for leaks of
# Debian 12's clang now and then dies of threads that end. Without
# detect_stack_use_after_return: gcc's fake stacks do not keep the alignment of
# vectors, so kernels would fault on their own locals.
stage_asan() {
    LSAN_OPTIONS=suppressions=$PWD/tools/lsan.supp:print_suppressions=0
    export LSAN_OPTIONS
    export UBSAN_OPTIONS=print_stacktrace=1
    compiled build-asan -Dtests=enabled -Dwerror=true -Df64=false \
        -Dcuda=disabled \
        -Db_sanitize=address,undefined -Doptimization=1 -Ddebug=false \
        "-Dc_args=-g1 -fno-sanitize-recover=all" -Dcpp_args=-g1 || return 0
    suites build-asan quick --no-suite models
    suites build-asan device_reverse --suite kernels_on_device
}

# Races. gcc's libgomp is opaque to ThreadSanitizer; clang's libomp tells it
# what it does through Archer. oneDNN, which is not instrumented, stays out.
stage_tsan() {
    OMP_TOOL_LIBRARIES=$(find /usr/lib/llvm-*/lib -name libarcher.so | head -1)
    export OMP_TOOL_LIBRARIES
    export TSAN_OPTIONS=ignore_noninstrumented_modules=1
    CC=clang CXX=clang++ compiled build-tsan -Dtests=enabled -Dwerror=true -Df64=false \
        -Dcuda=disabled -Demulation=disabled \
        -Donednn=disabled -Db_sanitize=thread -Db_lundef=false \
        -Doptimization=1 -Ddebug=false -Dc_args=-g1 || return 0
    check "Archer is loaded" tools/archer.sh build-tsan || true
    suites build-tsan quick --no-suite apps
}
