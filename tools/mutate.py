#!/usr/bin/env python3
"""mutate.py - would the tests notice a wrong derivative?

Makes every small mistake it can in the derivative columns of
ops/pointwise.def and in the backward rules of ops/*.c and autograd/*.c: a
sign flipped, an operator exchanged, a whole gradient negated. For each
mistake, rebuilds the double library's tests of operations in a copy of the
tree and runs one after the other until one fails, short ones and those that
noticed much before first. Prints the mistakes that no test notices; mistakes
that change nothing stand in tools/mutants_equivalent.txt, one a line, with
the reason.

    tools/mutate.py [--jobs N] [--only REGEX] [--list]
"""
import argparse
import collections
import json
import os
import pathlib
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TABLE = "ops/pointwise.def"
TIMEOUT = 300  # seconds: a mistake may make a loop endless
COLUMNS = {  # of each kind of row: those that hold derivatives
    "UNARY": {2: "gradient", 4: "curvature"},
    "BINARY": {2: "dx", 3: "dy", 5: "dxx", 6: "dxy", 7: "dyy"},
    "LINEAR": {2: "dx", 3: "dy"},
}
COLUMNS["UNARY_A"] = COLUMNS["UNARY_AB"] = COLUMNS["UNARY"]
CONSTANT = re.compile(r"NONE|-?R\(0\)|NULL|0")
SWAPS = {"+": "-", "-": "+", "*": "/", "/": "*", "<": ">", ">": "<",
         "<=": ">=", ">=": "<="}
SWAPS |= {"hg_add": "hg_sub", "hg_sub": "hg_add",
          "hg_mul": "hg_div", "hg_div": "hg_mul", "hg_neg": ""}
# Skipped or single tokens of C: strings and comments, two-letter operators,
# names, the rest.
TOKEN = re.compile(r"'\\?.'|"
                   r'"(?:\\.|[^"\\])*"|/\*.*?\*/|//[^\n]*'
                   r"|->|\+\+|--|[-+*/<>=!]=|<<|>>|&&|\|\||\w+|\S", re.S)


class Mutant:
    """One mistake: `file` with text[begin:end] replaced by `new`."""

    def __init__(self, file, where, begin, end, old, new):
        self.file, self.where = file, where
        self.begin, self.end, self.new = begin, end, new
        self.name = f"{file} {where}: {squeeze(old)} => {squeeze(new)}"


def squeeze(text):
    return " ".join(text.split())


def is_unary(before):
    """Is a minus after the token `before` a sign?"""
    return (before is None or before == "return"
            or not re.match(r"[\w)\]]", before))


def exchanges(text):
    """Every (begin, end, new) that exchanges one operator of an expression."""
    before = None
    for match in TOKEN.finditer(text):
        token = match[0]
        if token == "-" and is_unary(before):
            yield match.start(), match.end(), ""
        elif token == "*" and not text[match.end():match.end() + 1].isspace():
            pass  # a pointer: products have spaces around them
        elif token in SWAPS:
            yield match.start(), match.end(), SWAPS[token]
        before = token


def mutants_of(file, where, base, text, negated):
    """Mistakes in an expression that starts at `base` of its file."""
    end = base + len(text)
    yield Mutant(file, where, base, end, text, negated % text)
    for begin, stop, new in exchanges(text):
        wrong = text[:begin] + new + text[stop:]
        yield Mutant(file, where, base, end, text, wrong)


def closing(text, at):
    """The index of the bracket that closes the one at `at`."""
    depth = 0
    for match in TOKEN.finditer(text, at):
        depth += (match[0] in "([{") - (match[0] in ")]}")
        if depth == 0:
            return match.start()
    raise ValueError("unbalanced brackets")


def arguments(text, begin, end):
    """(begin, end) of each argument between two brackets."""
    depth, start = 0, begin
    for match in TOKEN.finditer(text, begin, end):
        depth += (match[0] in "([{") - (match[0] in ")]}")
        if match[0] == "," and depth == 0:
            yield start, match.start()
            start = match.end()
    yield start, end


def mutants_of_table(text):
    for row in re.finditer(r"^(\w+)\(", text, re.M):
        columns = COLUMNS.get(row[1], {})
        cells = list(arguments(text, row.end(),
                               closing(text, row.end() - 1)))
        name = text[slice(*cells[0])].strip()
        negated = "hg_neg(%s)" if row[1] == "LINEAR" else "-(%s)"
        for index, column in columns.items():
            begin, end = cells[index]
            cell = text[begin:end]
            begin += len(cell) - len(cell.lstrip())
            cell = cell.strip()
            if not CONSTANT.fullmatch(cell):
                yield from mutants_of(TABLE, f"{name}.{column}", begin, cell,
                                      negated)


def functions(text):
    """name -> (begin, end) of the body of every static function."""
    head = re.compile(r"^static \w[^;{}()]*?(\w+)\([^;{}]*\)\n\{", re.M)
    return {found[1]: (found.end(), closing(text, found.end() - 1))
            for found in head.finditer(text)}


def rules(text, bodies):
    """Backward rules, kernels of gradients, and what they call here."""
    named = set(re.findall(r"\.backward = (\w+)", text)) & set(bodies)
    named |= {name for name in bodies
              if re.search(r"backward|gradient|_d[xyg]\b|_d[xyg]_", name)
             and not name.endswith("_parts")}  # for a GPU: tests/test_fuse.c
    for chapter in re.finditer(r"/\* -+ Backward -+ \*/", text):
        end = text.find("/* ----", chapter.end())
        end = len(text) if end < 0 else end
        named |= {name for name, (begin, _) in bodies.items()
                  if chapter.end() < begin < end}
    while True:
        called = {word for name in named
                  for word in re.findall(r"\w+", text[slice(*bodies[name])])}
        more = (called & set(bodies)) - named
        if not more:
            return sorted(named)
        named |= more


def mutants_of_rules(file, text):
    bodies = functions(text)
    for name in rules(text, bodies):
        body, end = bodies[name]
        for line in re.finditer(r"[^;{}]+;", text[body:end]):
            at, statement = body + line.start(), line[0]
            if re.match(r"\s*(for|case)\b", statement):
                continue
            if "hg_parallel_for" in statement:
                continue  # how work is cut changes no bit
            gradient = re.search(r"\bdx\[[^\]]*\] = (.*);", statement, re.S)
            if gradient and not CONSTANT.fullmatch(gradient[1]):
                yield Mutant(file, name, at + gradient.start(1),
                             at + gradient.end(1), gradient[0],
                             f"hg_neg({gradient[1]})")
            for begin, stop, new in exchanges(statement):
                wrong = statement[:begin] + new + statement[stop:]
                yield Mutant(file, name, at, at + len(statement),
                             statement, wrong)


def all_mutants():
    yield from mutants_of_table((ROOT / TABLE).read_text())
    for room in "autograd", "ops":
        for path in sorted((ROOT / room).glob("*.c")):
            file = f"{room}/{path.name}"
            yield from mutants_of_rules(file, path.read_text())


class Copy:
    """A copy of the tree with its own build of the tests."""

    def __init__(self, folder):
        self.tree, self.build = folder, folder / "build"
        shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(
            "build*", ".git", "runs"))
        # ops.h takes only names from the table; were it to include the very
        # file that changes, every source would be compiled again each time.
        shutil.copy(folder / TABLE, folder / "ops/frozen.def")
        header = folder / "ops/ops.h"
        header.write_text(header.read_text().replace(TABLE, "ops/frozen.def"))
        self.run("meson", "setup", self.build, "-Doptimization=1",
                 "-Ddebug=false", "-Dtests=enabled", check=True)
        tests = json.loads(self.run("meson", "introspect", "--tests",
                                    self.build, check=True).stdout)
        self.tests = [t for t in tests if wanted(t["suite"])]
        self.noticed = collections.Counter()
        self.seconds = {t["name"]: 0 for t in self.tests}
        self.sound = self.run_tests("") == "survived"

    def run(self, *command, **options):
        return subprocess.run(command, capture_output=True, text=True,
                              cwd=self.tree, **options)

    def run_tests(self, file):
        """Builds and runs one test after another until one fails: first those
        that have noticed most mistakes in `file` for the time they take."""
        def promise(test):
            return ((1 + self.noticed[file, test["name"]])
                    / (0.5 + self.seconds[test["name"]]))

        for test in sorted(self.tests, key=promise, reverse=True):
            target = os.path.relpath(test["cmd"][0], self.build)
            if self.run("ninja", "-C", self.build, "-j1", target).returncode:
                return "invalid"
            begun = time.monotonic()
            try:
                failed = self.run(*test["cmd"], timeout=TIMEOUT,
                                  env=os.environ | test["env"]
                                  | {"OMP_NUM_THREADS": "1"}).returncode
            except subprocess.TimeoutExpired:
                failed = True
            if failed:
                self.noticed[file, test["name"]] += 1
                return "noticed"
            self.seconds[test["name"]] = time.monotonic() - begun
        return "survived"

    def verdict(self, mutant):
        path = self.tree / mutant.file
        text = path.read_text()
        path.write_text(text[:mutant.begin] + mutant.new + text[mutant.end:])
        try:
            return self.run_tests(mutant.file)
        finally:
            path.write_text(text)


def wanted(suites):
    names = {name.split(":")[-1] for name in suites}
    return "f64" in names and "slow" not in names and names & {
        "ops", "autograd", "golden"}


def work(folder, todo, verdicts):
    copy = Copy(folder)
    if not copy.sound:
        print("the tests do not pass as they are")
        return
    while True:
        try:
            mutant = todo.get_nowait()
        except queue.Empty:
            return
        verdicts[mutant.name] = verdict = copy.verdict(mutant)
        print(f"{verdict:9} {mutant.name}", flush=True)


def equivalents():
    listed = ROOT / "tools/mutants_equivalent.txt"
    lines = listed.read_text().splitlines() if listed.exists() else []
    return {line.split("  # ")[0].strip() for line in lines
            if line and not line.startswith("#")}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--only", default="", help="a pattern of names")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    mutants = [m for m in all_mutants() if re.search(options.only, m.name)]
    if options.list:
        print("\n".join(m.name for m in mutants))
        return 0
    todo, verdicts = queue.Queue(), {}
    for mutant in mutants:
        todo.put(mutant)
    with tempfile.TemporaryDirectory() as folder:
        workers = [threading.Thread(target=work, args=(
            pathlib.Path(folder) / str(i), todo, verdicts))
            for i in range(options.jobs)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    return report(mutants, verdicts)


def report(mutants, verdicts):
    listed = equivalents()
    counts = {kind: sum(v == kind for v in verdicts.values())
              for kind in ("noticed", "survived", "invalid")}
    survivors = [name for name, verdict in verdicts.items()
                 if verdict == "survived" and name not in listed]
    print(f"\n{len(mutants)} mistakes: {counts['noticed']} noticed, "
          f"{counts['invalid']} do not compile, "
          f"{counts['survived'] - len(survivors)} change nothing, "
          f"{len(survivors)} survivors")
    print("\n".join(survivors))
    return bool(survivors) or len(verdicts) < len({m.name for m in mutants})


sys.exit(main())
