#!/usr/bin/env python3
"""barriers.py BUILD [WORD...] - is every barrier of the kernels needed?

Takes away each __syncthreads and __syncwarp of the .cu and .cuh files in turn
and runs the tests of the emulated GPU that reach it: one must turn red, or
tools/barriers_needless.txt must say why the barrier stays. Nothing is compiled
anew: the emulation (tests/cuda_on_cpu) passes the barrier as if it were not
there. First the race checker's programs (-Dlong_tests=true) are asked, then the
plain ones under four orders of threads. With words, only barriers whose place holds one of them.
"""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROOMS = ("tensor", "autograd", "ops", "nn", "datasets", "models")
BARRIER = re.compile(r"\b(__sync(?:threads|warp)\w*)\s*\(")
ORDERS = ("forward", "reverse", "random:1", "random:2")
LIMIT = 600  # seconds a program may run; one that hangs has turned red


def without_comments(text):
    """The same lines and columns, comments and literals blanked."""
    pattern = r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"'
    return re.sub(pattern, lambda m: re.sub(r"[^\n]", " ", m[0]), text,
                  flags=re.S)


def enclosing(lines, number):
    """The name of the function whose body holds line `number`."""
    for start in range(number - 1, -1, -1):
        if lines[start].startswith("{"):
            head = " ".join(lines[max(0, start - 8):start])
            head = re.split(r"[;}]", head)[-1]
            names = re.findall(r"\b(\w+)\s*\(", head)
            names = [n for n in names if n != "__launch_bounds__"]
            return names[0] if names else "?"
    return "?"


def barriers():
    """(place FILE:LINE, name FILE function n) of each, in order."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.cu*")):
            text = without_comments(path.read_text(encoding="utf-8"))
            lines, counts = text.splitlines(), {}
            file = path.relative_to(ROOT)
            for number, line in enumerate(lines, 1):
                for _ in BARRIER.finditer(line):
                    function = enclosing(lines, number)
                    counts[function] = counts.get(function, 0) + 1
                    yield (f"{file}:{number}",
                           f"{file} {function} {counts[function]}")


def needless():
    """{name: reason} of the barriers that may go unnoticed."""
    path = ROOT / "tools" / "barriers_needless.txt"
    rows = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            name, _, reason = line.partition(": ")
            rows[name.strip()] = reason.strip()
    return rows


def environment(**more):
    return dict(os.environ, CK_FORK="no", CK_VERBOSITY="silent",
                HOURGLASS_TEST_DEVICE="cuda", OMP_NUM_THREADS="1",
                HOURGLASS_TEST_SOURCE=str(ROOT), **more)


def run(program, **more):
    try:
        return subprocess.run([program], env=environment(**more), timeout=LIMIT,
                              check=False, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode
    except subprocess.TimeoutExpired:
        return -1


def programs(build):
    """The checker's programs, each with its plain twin."""
    folder = pathlib.Path(build) / "tests" / "on_device"
    for checked in sorted(folder.glob("test_*_on_device_check")):
        plain = checked.with_name(checked.name.removesuffix("_check"))
        if os.access(checked, os.X_OK) and plain.exists():
            yield checked, plain


def reached(program):
    """Green at all? And which places FILE:LINE it passes, without folders."""
    with tempfile.NamedTemporaryFile("r", suffix=".places") as places:
        status = run(program, CUDA_ON_CPU_PLACES=places.name)
        return status == 0, places.read().split()


def ends_with(whole, place):
    return whole == place or whole.endswith("/" + place)


def attempts(pair, place):
    """The runs that may turn red without the barrier, likeliest first."""
    checked, plain = pair
    yield checked, {"CUDA_ON_CPU_SKIP": place}
    for order in ORDERS:
        yield plain, {"CUDA_ON_CPU_SKIP": place, "CUDA_ON_CPU_SCHEDULE": order}


def noticed(place, users):
    """The program and setting that turn red without the barrier, or None."""
    rounds = [list(attempts(pair, place)) for pair in users]
    for step in range(1 + len(ORDERS)):
        for tries in rounds:
            program, settings = tries[step]
            if run(program, **settings) != 0:
                order = settings.get("CUDA_ON_CPU_SCHEDULE", "the checker")
                return f"{program.name}, {order}"
    return None


def survey(pairs):
    """{place: pairs that reach it}, and the programs that are not green."""
    users, red = {}, []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(lambda pair: reached(pair[0]), pairs))
    for pair, (green, places) in zip(pairs, found):
        if not green:
            red.append(pair[0].name)
            continue
        for place in places:
            users.setdefault(place, []).append(pair)
    return users, red


def judge(place, name, users, reasons):
    """(good, a line for the reader) of one barrier."""
    pairs = [pair for whole, pairs in users.items()
             if ends_with(whole, place) for pair in pairs]
    if not pairs:
        return False, f"{place}: no test of the emulated GPU reaches it"
    who = noticed(place, pairs)
    if who:
        if name in reasons:
            return False, (f"{place}: noticed by {who}; strike '{name}' from "
                           "tools/barriers_needless.txt")
        return True, f"{place}: noticed by {who}"
    if name in reasons:
        return True, f"{place}: needless, {reasons[name]}"
    return False, (f"{place}: nobody notices its removal. Take it away, or "
                   f"list '{name}: REASON' in tools/barriers_needless.txt")


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    pairs = list(programs(sys.argv[1]))
    if not pairs:
        sys.exit(f"no programs tests/on_device/*_check in {sys.argv[1]}; "
                 "build with -Dlong_tests=true first")
    words, reasons = sys.argv[2:], needless()
    wanted = [b for b in barriers()
              if not words or any(w in b[0] for w in words)]
    users, red = survey(pairs)
    known = {name for _, name in barriers()}
    stale = sorted(set(reasons) - known)
    for name in red:
        print(f"BAD  {name} fails with every barrier in place")
    for name in stale:
        print(f"BAD  tools/barriers_needless.txt: there is no '{name}'")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        verdicts = list(pool.map(
            lambda b: judge(b[0], b[1], users, reasons), wanted))
    for good, line in verdicts:
        print("ok  " if good else "BAD ", line)
    bad = sum(not good for good, _ in verdicts) + len(stale) + len(red)
    print(f"{len(verdicts)} barriers, {bad} to look at")
    return bad > 0


sys.exit(main())
