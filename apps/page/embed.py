#!/usr/bin/env python3
"""embed.py - the page's style and script as arrays of a C header.

    embed.py page.css page.js page_files.h
"""
import pathlib
import sys


def array(path):
    name = path.name.replace(".", "_")
    values = [str(b) for b in path.read_bytes()]
    lines = [
        ", ".join(values[i : i + 16]) for i in range(0, len(values), 16)
    ]
    return f"static const unsigned char {name}[] = {{\n" + ",\n".join(lines) + "};\n"


*sources, target = map(pathlib.Path, sys.argv[1:])
target.write_text("".join(array(x) for x in sources))
