#!/usr/bin/env python3
"""coverage.py - which lines of the engine do the tests reach?

    tools/coverage.py BUILD [--missing]

Runs the four rooms' own tests and the comparisons with PyTorch, also on the emulated GPU, in a build with
-Db_coverage=true, adds up what gcov says of its objects (a line counts as
reached if one of the libraries reaches it) and prints a table of the rooms.
Fails below 95 % of the lines of a room.
--missing looks at the last run only and lists the lines that were not reached.
"""
import collections
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROOMS = "tensor", "autograd", "ops", "nn"
LEAST = 95  # percent of each room's lines
# Stands in for a GPU that is not there, where nobody calls it.
NOT_COUNTED = "tensor/no_cuda.c"


def tests_of_rooms(build):
    """Names of the tests of a room, and of the same tests on the device."""
    tests = json.loads(subprocess.run(
        ["meson", "introspect", "--tests", build], check=True,
        capture_output=True).stdout)
    suites = {t["name"]: {s.split(":")[-1] for s in t["suite"]} for t in tests}
    own = {name for name, of in suites.items()
           if of & {*ROOMS, "golden"} and "slow" not in of}
    return sorted(own | {f"{name}_on_device" for name in own
                         if f"{name}_on_device" in suites
                         and "golden" not in suites[name]})


def run_tests(build):
    for old in build.rglob("*.gcda"):
        old.unlink()
    if subprocess.run(["meson", "test", "-C", build, "--no-rebuild", "--quiet",
                       "--setup", "device_forward",
                       *tests_of_rooms(build)]).returncode:
        sys.exit("coverage: the tests do not pass")


def reports(build):
    """What gcov writes of each object, as JSON."""
    for data in sorted(build.rglob("*.gcda")):
        text = subprocess.run(["gcov", "--json-format", "--stdout", data],
                              cwd=build, capture_output=True, check=True)
        yield from map(json.loads, text.stdout.splitlines())


def lines_of(build):
    """path -> {line: how often it ran}"""
    files = collections.defaultdict(collections.Counter)
    for report in reports(build):
        for source in report["files"]:
            path = os.path.relpath(build / source["file"], ROOT)
            if path.split("/")[0] not in ROOMS or path == NOT_COUNTED:
                continue
            for line in source["lines"]:
                files[path][line["line_number"]] += line["count"]
    return files


def ranges(numbers):
    """1, 2, 3, 7 as 1-3 7."""
    found = []
    for n in sorted(numbers):
        if found and found[-1][1] == n - 1:
            found[-1][1] = n
        else:
            found.append([n, n])
    return " ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in found)


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    missing = "--missing" in sys.argv
    if not missing:
        run_tests(build)
    files = lines_of(build)
    short = []
    for room in ROOMS:
        reached = total = 0
        for path in sorted(f for f in files if f.startswith(room + "/")):
            absent = [n for n, count in files[path].items() if not count]
            total += len(files[path])
            reached += len(files[path]) - len(absent)
            if absent and missing:
                print(f"{path}: {ranges(absent)}")
        share = 100 * reached / max(total, 1)
        print(f"{room:10} {reached:5} of {total:5} lines, {share:.1f} %")
        if share < LEAST:
            short.append(room)
    if short:
        print(f"below {LEAST} %:", *short)
    return bool(short)


sys.exit(main())
