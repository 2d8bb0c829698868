#!/usr/bin/env python3
"""zoo.py - trains the zoo on MNIST and writes docs/zoo.md, with its pictures.

    tools/zoo.py [--runs DIR] [--program FILE] [--only NAME...] [--page]
                 [--check] [--plan FILE] [--docs DIR] [--threads N]

tools/zoo.toml says what: families of runs (options, seeds, what was published),
what is measured on them, pictures, and the bars they are to reach. A run or a
measure that is there already is not made again (unless its command has changed),
nor a picture younger than its runs (remove one whose command has changed), so
the command can be stopped and given again at any time. A run NAME with seed S
lies in RUNS/NAME-sS; what this program measured there, with the command and the
processor's seconds, in its folder zoo/.

The figures of complete runs are kept in docs/zoo/figures.json, and the page is
made of that file and of the pictures: rows and pictures whose runs lie elsewhere
stay as they are. --only makes the named runs (or families), no page; --page
takes the figures of what is there and makes the page, and with --only, of the
named alone; --check says whether the page is what the figures and the plan make
of it. --threads N lets a run have more than one core.
"""

import argparse
import datetime
import hashlib
import json
import os
import pathlib
import re
import resource
import shutil
import shlex
import subprocess
import sys
import tomllib

from zoo_page import (Figures, commands_of, differences, paths_of, pictures_of,
                      trained_by, write_page)

ROOT = pathlib.Path(__file__).resolve().parent.parent


class Failure(Exception):
    """What could not be done, in a sentence."""


# ---- Runs and measures ------------------------------------------------------


class Runs:
    """The folder of runs, and the program that fills it."""

    def __init__(self, a, data):
        self.folder, self.program = a.runs.resolve(), a.program.resolve()
        self.threads, self.docs, self.data = a.threads, a.docs, data
        self.now = None  # what is measured now is measured on and with

    def at(self, name, seed):
        return self.folder / f"{name}-s{seed}"

    def call(self, line, log):
        """Runs the program; its output and the processor's seconds."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        words = [str(self.program), *shlex.split(line)]
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=log,
                              text=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            raise Failure(f"hourglass {line}: exit code {done.returncode},"
                          f" see {log.name}")
        seconds = (after.ru_utime + after.ru_stime
                   - before.ru_utime - before.ru_stime)
        return done.stdout, seconds

    def once(self, run, key, line, extra):
        """What `line` printed: kept in the run, made if it is not there."""
        path = run / "zoo" / f"{key}.json"
        if path.exists():
            kept = json.loads(path.read_text(encoding="utf-8"))
            if kept["command"] == line:
                return kept
        path.parent.mkdir(parents=True, exist_ok=True)
        print(f"{run.name}: hourglass {line}", flush=True)
        with open(path.with_suffix(".log"), "w", encoding="utf-8") as log:
            text, seconds = self.call(f"{line} {extra}", log)
        self.now = self.now or made_now(self.program)
        kept = {"command": line, "seconds": seconds, "made": self.now,
                "output": text}
        part = path.with_suffix(".part")
        part.write_text(json.dumps(kept, indent=1), encoding="utf-8")
        part.rename(path)
        return kept

    def forget_other(self, run, line):
        """What was trained by another command goes, with its measures."""
        path = run / "zoo" / "train.json"
        if path.exists():
            kept = json.loads(path.read_text(encoding="utf-8"))
            if kept["command"] != line:
                shutil.rmtree(run)

    def train(self, plan, seed):
        run = self.at(plan["name"], seed)
        line = trained_by(plan, seed, self.data)
        if line:
            self.forget_other(run, line)
            self.once(run, "train", line,
                      f"--threads {self.threads} --out {self.folder}"
                      f" --name {run.name} --resume --sample-every 1000")
        for measure in plan.get("measure", []):
            line = measure.format(run=run.name, seed=seed)
            where = f" --out {self.folder}" if "{run}" in measure else ""
            self.once(run, key_of(measure), line,
                      f"--threads {self.threads}{where}")


def key_of(measure):
    """measure-COMMAND-HASH: a name for a file."""
    digest = hashlib.sha256(measure.encode()).hexdigest()[:8]
    return f"{measure.split()[0]}-{digest}"


# ---- Figures ----------------------------------------------------------------


def said(words):
    """A line of standard output; None where the command fails."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT,
                              check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def processor():
    for line in open("/proc/cpuinfo", encoding="utf-8"):
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return None


def made_now(program):
    version = said([str(program), "--version"]) or ""
    return {"date": datetime.date.today().isoformat(),
            "version": version.removeprefix("hourglass "),
            "commit": said(["git", "describe", "--always", "--dirty"]),
            "processor": processor()}


def step_into(value, word):
    """A member by name, an element by number or by one of its members."""
    if isinstance(value, dict):
        return value.get(word)
    if "=" in word:
        name, wanted = word.split("=")
        return next((v for v in value if str(v[name]) == wanted), None)
    return value[int(word)]


def look_up(value, path):
    if path.startswith("error "):
        accuracy = look_up(value, path.removeprefix("error "))
        return None if accuracy is None else 100 * (1 - accuracy)
    for word in path.split("/"):
        if value is None:
            return None
        value = step_into(value, word)
    return value


def kept_of(runs, plan, seed):
    """What the plan's commands left in the run, its training first; nothing
    where one of them was not made, or is another's."""
    run, kept = runs.at(plan["name"], seed), []
    keys = ["train"] if "train" in plan else []
    keys += [key_of(measure) for measure in plan.get("measure", [])]
    for key, line in zip(keys, commands_of(plan, seed, runs.data)):
        path = run / "zoo" / f"{key}.json"
        if not path.exists():
            return []
        kept.append(json.loads(path.read_text(encoding="utf-8")))
        if kept[-1]["command"] != line:
            return []
        kept[-1].setdefault("made", {"date": datetime.date.fromtimestamp(
            path.stat().st_mtime).isoformat()})
    return kept


def results(runs, plan, seed, kept):
    """All that is known of one run: {"final", "val", COMMAND: object}."""
    found = {}
    if "train" in plan:
        lines = runs.at(plan["name"], seed) / "metrics.jsonl"
        for line in filter(None, lines.read_text(encoding="utf-8").split("\n")):
            record = json.loads(line)
            final = record["event"] == "final"
            found["final" if final else record["split"]] = record
    for one in kept["train" in plan:]:
        found[one["command"].split()[0]] = json.loads(one["output"])
    return found


def take(runs, plan, run, seed, figures):
    """The figures of a complete run, in the place of older ones."""
    kept = kept_of(runs, run, seed)
    if not kept:
        return
    found = results(runs, run, seed, kept)
    numbers = {path: look_up(found, path) for path in paths_of(plan, run)}
    figures.put(run["name"], seed, {
        "commands": [one["command"] for one in kept], **kept[-1]["made"],
        "seconds": round(kept[0]["seconds"], 1),
        "figures": {path: float(f"{number:.7g}")
                    for path, number in numbers.items() if number is not None}})


# ---- Pictures ---------------------------------------------------------------


def printed_by(runs, picture):
    """Where what the command of a picture printed is kept."""
    return runs.folder / f"{picture['file']}.txt"


def runs_of(picture):
    """The runs, NAME-sSEED, that a picture shows."""
    if "copy" in picture:
        return {picture["copy"].split("/")[0]}
    named = re.findall(r"\{runs\}/([^\s/]+)", picture["command"])
    return {name for name in named if "." not in name}


def draw_one(runs, picture, figures):
    to = runs.docs / "zoo" / picture["file"]
    if "copy" in picture:
        source = runs.folder / picture["copy"]
        if source.exists():
            shutil.copyfile(source, to)
        return
    needed = [runs.folder / name / "zoo" / "train.json"
              for name in runs_of(picture)]
    if not all(path.exists() for path in needed):
        return
    printed = printed_by(runs, picture)
    if not (to.exists() and printed.exists()) or any(
            path.stat().st_mtime > printed.stat().st_mtime for path in needed):
        line = picture["command"].format(runs=runs.folder)
        with open(os.devnull, "w", encoding="utf-8") as log:
            line += f" --threads {runs.threads} --to {to}"
            printed.write_text(runs.call(line, log)[0], encoding="utf-8")
    if picture.get("printed"):
        text = printed.read_text(encoding="utf-8")
        figures.printed[picture["file"]] = text.splitlines()


def draw(runs, plan, figures, names):
    """Every picture of the plan that shows one of these runs."""
    (runs.docs / "zoo").mkdir(parents=True, exist_ok=True)
    for picture in pictures_of(plan):
        if runs_of(picture) & names:
            draw_one(runs, picture, figures)


def arguments():
    about, _, more = __doc__.partition("\n\n")
    a = argparse.ArgumentParser(
        description=about, epilog=more,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--runs", type=pathlib.Path, default=ROOT / "runs" / "zoo")
    a.add_argument("--program", type=pathlib.Path,
                   default=ROOT / "build" / "apps" / "hourglass")
    a.add_argument("--plan", type=pathlib.Path,
                   default=ROOT / "tools" / "zoo.toml")
    a.add_argument("--docs", type=pathlib.Path, default=ROOT / "docs")
    a.add_argument("--only", nargs="+", default=[], metavar="NAME")
    a.add_argument("--page", action="store_true")
    a.add_argument("--check", action="store_true")
    a.add_argument("--threads", type=int, default=1)
    return a.parse_args()


def chosen(plan, only):
    """Runs and seeds; `only` are names of families, of runs or NAME-sSEED."""
    for family in plan["family"]:
        for run in family.get("run", []):
            for seed in run["seeds"]:
                names = {family["title"], run["name"], f"{run['name']}-s{seed}"}
                if not only or names & set(only):
                    yield run, seed


def main():
    a = arguments()
    plan = tomllib.loads(a.plan.read_text(encoding="utf-8"))
    runs = Runs(a, plan.get("data", "mnist"))
    figures = Figures(a.docs, runs.data)
    if a.check:
        found = list(differences(figures, plan))
        print("\n".join(found) or "the page is what its figures say")
        return bool(found)
    which = list(chosen(plan, a.only))
    if not a.page:
        for run, seed in which:
            runs.train(run, seed)
    if a.page or not a.only:
        for run, seed in which:
            take(runs, plan, run, seed, figures)
        draw(runs, plan, figures, {f"{run['name']}-s{seed}"
                                   for run, seed in which})
        figures.save()
        write_page(figures, plan)
    return False


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Failure, OSError) as trouble:
        sys.exit(f"zoo.py: {trouble}")
