#!/usr/bin/env python3
"""count_tests.py LOG - sums what `meson test` wrote to testlog.json.

Prints "PASSED FAILED SKIPPED" over single tests, where a program speaks TAP,
and over programs otherwise. A program that ends badly though none of its
tests did (a crash, a leak, a time-out) counts as one failure.
"""
import json
import re
import sys


def count(run):
    lines = (run.get("stdout") or "").splitlines()
    skipped = sum(bool(re.match(r"ok\b.*# skip", l, re.I)) for l in lines)
    passed = sum(bool(re.match(r"ok\b", l)) for l in lines) - skipped
    failed = sum(bool(re.match(r"not ok\b", l)) for l in lines)
    good = run["result"] in ("OK", "EXPECTEDFAIL")
    if run["result"] == "SKIP":
        skipped = max(skipped, 1)
    elif good and passed + failed + skipped == 0:
        passed = 1
    elif not good and failed == 0:
        failed = 1
    return passed, failed, skipped


def main():
    with open(sys.argv[1], encoding="utf-8") as log:
        totals = [count(json.loads(line)) for line in log]
    print(*(sum(column) for column in zip(*totals)) if totals else (0, 0, 0))


main()
