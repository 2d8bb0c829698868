#!/usr/bin/env python3
"""same_bits.py BUILD [ORDER...] - do the emulated GPU's orders of threads agree?

Each setup device_ORDER of tests/meson.build leaves in BUILD/bits-ORDER a number
a test program, made of all bytes that came from the device (bits.cpp in
tests/cuda_on_cpu). Programs that ran in several orders must have one number, if
they brought as many arrays: what a test of files asks for may differ from run to
run, in any order.
"""
import pathlib
import sys

ORDERS = ("forward", "reverse", "random", "other")


def numbers(folder):
    """{program: what it brought} of one order."""
    return {path.name: path.read_text(encoding="utf-8").strip()
            for path in folder.glob("test_*_on_device")}


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    orders = sys.argv[2:] or ORDERS
    found = {order: numbers(pathlib.Path(sys.argv[1]) / f"bits-{order}")
             for order in orders}
    in_all = set.intersection(*(set(programs) for programs in found.values()))
    bad = 0
    for name in sorted(set().union(*found.values())):
        seen = {order: x[name] for order, x in found.items() if name in x}
        if len({text.split()[0] for text in seen.values()}) > 1:
            print(f"{name} did not bring as many arrays each time")
        elif len(set(seen.values())) > 1:
            bad += 1
            print(f"{name} depends on the order of threads:",
                  *(f"\n    {order}: {text}" for order, text in seen.items()))
    print(f"{len(in_all)} programs ran in {len(orders)} orders, {bad} differ")
    return bad > 0 or not in_all


sys.exit(main())
