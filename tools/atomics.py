#!/usr/bin/env python3
"""atomics.py [ROOT] - do kernels add up in an order of their own?

Whole numbers may be added in any order; sums of floats then have other bits
each time. So no kernel may use atomicAdd or atomicSub, or make one from
atomicCAS on a float's bits, unless a comment on its line says `// integers`.
"""
import pathlib
import re
import sys

FOLDERS = ("tensor", "autograd", "ops", "nn", "datasets")
ADDITION = re.compile(r"\batomic(Add|Sub)\w*\s*\(|\b(red|atom)\.[\w.]*add"
                      r"|\batomicCAS\w*\s*\(.*__(float|double)_as_")


def uncommented(text):
    """The same lines, without what stands between /* and */."""
    blank = lambda match: re.sub(r"[^\n]", " ", match[0])
    return re.sub(r"/\*.*?\*/", blank, text, flags=re.S)


def additions(root):
    for folder in FOLDERS:
        for path in sorted((root / folder).glob("*.cu*")):
            lines = uncommented(path.read_text(encoding="utf-8")).splitlines()
            for number, line in enumerate(lines, 1):
                code, _, comment = line.partition("//")
                if ADDITION.search(code) and "integers" not in comment:
                    yield f"{path}:{number}: {line.strip()}"


def main():
    here = pathlib.Path(__file__).resolve().parent.parent
    found = list(additions(pathlib.Path(sys.argv[1]) if sys.argv[1:] else here))
    print("\n".join(found) or "no kernel adds floats in an order of its own")
    return bool(found)


sys.exit(main())
