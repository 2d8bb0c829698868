#!/bin/sh
# gpu_rehearse.sh BUILD [SECONDS] - tools/gpu_check.sh without a GPU: the tests
# of BUILD run on the emulated one, and stand-ins take the place of the driver's
# tools, the program's benchmark and PyTorch. Shows that every step is reached
# and leaves its result, not what the result would be.
set -eu
build=$(realpath "${1:?the build folder}")
cd "$(dirname "$0")/.."
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
stand_in() {
    cat >"$stage/$1"
    chmod +x "$stage/$1"
}
stand_in nvidia-smi <<'END'
#!/bin/sh
echo "rehearsal, no driver"
END
# Runs the program after its own options.
stand_in compute-sanitizer <<'END'
#!/bin/sh
while [ $# -gt 1 ]; do shift; done
exec "$1"
END
stand_in hourglass <<'END'
#!/usr/bin/env python3
import json
import sys
row = {"workload": sys.argv[-1], "device": "cuda", "ms_per_step": 0.05,
       "peak_mib": 3.0, "launches": 18, "version": "rehearsal", "adam": "-"}
if "--serve" in sys.argv:
    for line in sys.stdin:
        print(json.dumps(row), flush=True)
else:
    print(json.dumps(row))
END
# Plays PyTorch where the peer is asked for, else is Python.
stand_in python <<END
#!/bin/sh
case \$1 in
*/pytorch.py)
    shift
    exec "$stage/hourglass" "\$@"
    ;;
esac
exec python3 "\$@"
END
out=${OUT:-$stage/out}
code=0
PATH=$stage:$PATH PYTHON=$stage/python HOURGLASS_GPU_EMULATED=1 \
    HOURGLASS_GPU_BUILD=$build HOURGLASS_GPU_PROGRAM=$stage/hourglass \
    HOURGLASS_GPU_SECONDS=${2:-570} OUT=$out \
    tools/gpu_check.sh || code=$?
find "$out" -type f | sort
if [ "$(find "$out" -type f | wc -l)" -gt 7 ]; then
    echo "gpu_rehearse.sh: these are more than seven files" >&2
    exit 1
fi
exit $code
