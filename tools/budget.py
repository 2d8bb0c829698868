#!/usr/bin/env python3
"""budget.py - files under 400 lines, functions at most 60.

Long code is code that nobody reads in class. Prints what is over, and how
long the median function is.
"""
import pathlib
import statistics
import sys

FILE, FUNCTION = 400, 60
FOLDERS = ("tensor", "autograd", "ops", "nn", "datasets", "models", "apps",
           "examples", "bench", "tools")
KINDS = (".c", ".h", ".cu", ".cuh", ".cpp", ".py")


def functions(lines):
    """(first line, length) of each body: braces stand in the first column."""
    start = None
    for number, line in enumerate(lines, 1):
        if line.startswith("{"):
            start = number
        elif line.startswith("}") and start:
            yield start, number - start - 1
            start = None


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    over, lengths = [], []
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.[chp]*")):
            if path.suffix not in KINDS:
                continue
            lines = path.read_text(encoding="utf-8").splitlines()
            if len(lines) > FILE:
                over.append(f"{path}: {len(lines)} lines, {FILE} are allowed")
            for start, length in functions(lines):
                lengths.append(length)
                if length > FUNCTION:
                    over.append(f"{path}:{start}: a function of {length} "
                                f"lines, {FUNCTION} are allowed")
    print("\n".join(over + [f"{len(lengths)} functions, the median has "
                            f"{statistics.median(lengths):g} lines"]))
    return bool(over)


sys.exit(main())
