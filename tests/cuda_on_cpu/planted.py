#!/usr/bin/env python3
"""planted.py TABLE BUILD=PROGRAM... - do the builds catch the planted bugs?

Runs every case of planted.cu in every build and compares with the table (its
columns are the builds, its cells words that the outcome must contain; "-": the
build sees nothing, "*": it may or may not). TAP on standard output; --show
prints the outcomes instead, as a new table.
"""
import os
import re
import subprocess
import sys

BY_STATUS = {0: "-", 3: "different", 4: "error", 5: "nan", 6: "wrong"}
PATTERNS = (r"cuda on cpu: (.*)", r"(AddressSanitizer: [a-zA-Z-]+)",
            r"(runtime error: .*)")


def outcome(program, case):
    """What the program noticed, as one line."""
    environment = dict(os.environ, CUDA_ON_CPU_PROTECT="1",
                       ASAN_OPTIONS="detect_leaks=0")
    run = subprocess.run([program, case], env=environment, check=False,
                         capture_output=True, text=True, errors="replace")
    words = [BY_STATUS.get(run.returncode, "")]
    if run.returncode == -11:
        words.append("fault")
    if run.returncode == 4:
        words.append(run.stderr.strip())
    for pattern in PATTERNS:
        match = re.search(pattern, run.stderr)
        if match:
            words.append(match[1])
    text = " ".join(word for word in words if word)
    return text or f"status {run.returncode}"


def table(path):
    """{case: {build: words}}; columns are two spaces or more apart."""
    with open(path, encoding="utf-8") as file:
        rows = [re.split(r"  +", line.strip()) for line in file
                if line.strip() and not line.startswith("#")]
    builds = rows[0][1:]
    return {row[0]: dict(zip(builds, row[1:])) for row in rows[1:]}


def holds(wanted, got):
    if wanted == "*":
        return True
    return got == "-" if wanted == "-" else wanted in got


def main():
    show = "--show" in sys.argv
    path, *builds = [a for a in sys.argv[1:] if a != "--show"]
    programs = dict(build.split("=", 1) for build in builds)
    cases = subprocess.run([next(iter(programs.values()))], check=True,
                           capture_output=True, text=True).stdout.split()
    wanted = table(path)
    if sorted(wanted) != sorted(cases):
        sys.exit(f"the table and the program differ in their cases: "
                 f"{sorted(set(wanted) ^ set(cases))}")
    if not show:
        print(f"1..{len(cases) * len(programs)}")
    number = 0
    for case in cases:
        for build, program in programs.items():
            number += 1
            got = outcome(program, case)
            if show:
                print(f"{case:34}{build:8}{got}")
                continue
            good = holds(wanted[case][build], got)
            print(f"{'ok' if good else 'not ok'} {number} - {case} in the "
                  f"{build} build"
                  + ("" if good else f": wants '{wanted[case][build]}', "
                     f"got '{got}'"))


main()
