#!/usr/bin/env python3
"""layers.py - do the arrows between the rooms point down only?

Reads the #include lines of every room and prints those that reach upwards or
sideways, against the table of CONTRIBUTING.md.
"""
import pathlib
import re
import sys

MAY_USE = {
    "tensor": {"tensor"},
    "autograd": {"autograd", "tensor"},
    "ops": {"ops", "autograd", "tensor"},
    "nn": {"nn", "ops", "autograd", "tensor"},
    "datasets": {"datasets", "tensor"},
    "models": {"models", "nn", "datasets", "ops", "autograd", "tensor"},
}
MAY_USE["apps"] = {"apps", "hourglass.h"} | MAY_USE["models"]
MAY_USE["examples"] = {"hourglass.h"}
INCLUDE = re.compile(r'\s*#\s*include\s+"([^"]+)"')
KINDS = {".c", ".h", ".cu", ".cuh", ".def"}


def room_of(included, source, root):
    """The room of an include: by its path from the root, or beside source."""
    if "/" not in included and (source.parent / included).exists():
        return source.relative_to(root).parts[0]
    return pathlib.PurePath(included).parts[0]


def violations(root):
    for room, allowed in MAY_USE.items():
        for source in sorted((root / room).rglob("*")):
            if source.suffix not in KINDS:
                continue
            lines = source.read_text(encoding="utf-8").splitlines()
            for number, line in enumerate(lines, 1):
                match = INCLUDE.match(line)
                if match and room_of(match[1], source, root) not in allowed:
                    yield f"{source}:{number}: {room} may not use {match[1]}"


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    found = list(violations(root))
    print("\n".join(found) or "all arrows point down")
    return bool(found)


sys.exit(main())
