#!/usr/bin/env python3
"""zoo.py - trains the zoo on MNIST and writes docs/zoo.md, with its pictures.

    tools/zoo.py [--runs DIR] [--program FILE] [--only NAME...] [--page]
                 [--plan FILE] [--docs DIR] [--threads N]

tools/zoo.toml says what: families of runs (options, seeds, what was published),
what is measured on them, pictures, and the bars they are to reach. A run or a
measure that is there already is not made again (unless its command has changed),
nor a picture younger than its runs (remove one whose command has changed), so
the command can be stopped and given again at any time. --only makes the named
runs (or families) and no page, --page the page of what is there, --threads N
lets a run have more than one core.

Data are looked for as `hourglass train --data mnist` does. A run NAME with seed
S lies in RUNS/NAME-sS; what this program measured there, with the command and
the processor's seconds, in its folder zoo/.
"""

import argparse
import hashlib
import json
import os
import pathlib
import re
import resource
import shutil
import shlex
import statistics
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
SEEDS = 3  # that a bar is meant for
HEAD = """# The zoo, measured

Written by `tools/zoo.py` from the runs that `tools/zoo.toml` plans; do not edit
it by hand. All figures are from MNIST's 10,000 test images unless said
otherwise, after training on all 60,000 (`--data mnist --val 0`, unless the
command has another `--val`). Time is what one thread needed for the training,
in seconds of the processor{machine}.
Losses are nats an image, `recon_mse` a squared error a pixel; what the names
mean is in [tasks.md](tasks.md), what the recipes are in [models.md](models.md).
"""


class Failure(Exception):
    """What could not be done, in a sentence."""


# ---- Runs and measures ------------------------------------------------------


class Runs:
    """The folder of runs, and the program that fills it."""

    def __init__(self, a, data):
        self.folder, self.program = a.runs.resolve(), a.program.resolve()
        self.threads, self.docs, self.data = a.threads, a.docs, data

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
        kept = {"command": line, "seconds": seconds, "output": text}
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


def trained_by(plan, seed, data):
    if "train" not in plan:
        return None
    words = f"train {plan['train']} --data {data}"
    if "--val" not in plan["train"] and "faithful" not in plan["train"]:
        words += " --val 0"
    return f"{words} --seed {seed}"


# ---- Figures ----------------------------------------------------------------


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


def results(runs, plan, seed):
    """All that is known of one run: {"final", "val", COMMAND: object}; nothing
    of one that another command trained."""
    run, found = runs.at(plan["name"], seed), {}
    trained = run / "zoo" / "train.json"
    if trained.exists():
        kept = json.loads(trained.read_text(encoding="utf-8"))
        if kept["command"] != trained_by(plan, seed, runs.data):
            return {}
        lines = (run / "metrics.jsonl").read_text(encoding="utf-8").split("\n")
        for line in filter(None, lines):
            record = json.loads(line)
            final = record["event"] == "final"
            found["final" if final else record["split"]] = record
        found["seconds"] = kept["seconds"]
    for measure in plan.get("measure", []):
        path = run / "zoo" / f"{key_of(measure)}.json"
        if path.exists():
            kept = json.loads(path.read_text(encoding="utf-8"))
            found[measure.split()[0]] = json.loads(kept["output"])
            found.setdefault("seconds", kept["seconds"])
    return found


def values(runs, plan, path):
    """The figure of every seed that there is."""
    seen = [look_up(results(runs, plan, s), path) for s in plan["seeds"]]
    return [v for v in seen if v is not None]


def digits(number):
    """Four significant ones, five where that is not enough of a percentage."""
    return f"{number:.4g}" if abs(number) < 100 else f"{number:.1f}"


def with_spread(numbers):
    if not numbers:
        return "not run"
    if len(numbers) == 1:
        return f"{digits(numbers[0])} (one seed)"
    listed = ", ".join(digits(n) for n in numbers)
    return f"{digits(statistics.mean(numbers))} ({listed})"


# ---- The page ---------------------------------------------------------------


def ours(runs, plan):
    cells = []
    for label, path in plan["figures"].items():
        numbers = values(runs, plan, path)
        shown = ", ".join(digits(n) for n in numbers) or "not run"
        cells.append(f"{label} {shown}")
    return "<br>".join(cells)


def run_rows(runs, family):
    yield "| command | seeds | published | ours | time |"
    yield "| --- | --- | --- | --- | ---: |"
    for plan in family.get("run", []):
        seconds = values(runs, plan, "seconds")
        line = plan["train"] if "train" in plan else plan["measure"][0]
        line = re.sub(r" --(json|seed \{seed\}|data mnist)", "", line)
        line = ("train " if "train" in plan else "") + line
        time = f"{statistics.mean(seconds):.0f} s" if seconds else ""
        seeds = ", ".join(str(seed) for seed in plan["seeds"]
                          if results(runs, plan, seed))
        yield (f"| `{line}` | {seeds} | {plan.get('published', '')} |"
               f" {ours(runs, plan)} | {time} |")


def printed_by(runs, picture):
    """Where what the command of a picture printed is kept."""
    return runs.folder / f"{picture['file']}.txt"


def picture_lines(runs, picture):
    yield f"\n{picture['shows']}\n"
    if "copy" in picture:
        yield f"    runs/{picture['copy']}\n"
    else:
        shown = picture["command"].replace("{runs}", "runs")
        yield f"    hourglass {shown} --to docs/zoo/{picture['file']}\n"
    if picture.get("printed"):
        printed = printed_by(runs, picture).read_text(encoding="utf-8")
        yield "".join(f"    {line}\n" for line in printed.splitlines())
    text = re.sub("[*`]", "", picture["shows"])
    yield f"![{text}](zoo/{picture['file']})"


def bar_rows(runs, plan):
    by_name = {r["name"]: r for f in plan["family"] for r in f.get("run", [])}
    yield "| bar | figure | reached | how, and what was tried |"
    yield "| --- | --- | --- | --- |"
    for bar in plan["bar"]:
        numbers = values(runs, by_name[bar["run"]], bar["figure"])
        against = (values(runs, by_name[bar["below"]], bar["figure"])
                   if "below" in bar else [])
        yield (f"| {bar['claim']} | {figure_of(bar, numbers, against)} |"
               f" {verdict(bar, numbers, against)} | {bar.get('tried', '')} |")


def pca_rows(runs, plan):
    """Reconstructions beside those of as many principal components."""
    by_name = {r["name"]: r for f in plan["family"] for r in f.get("run", [])}
    yield "| run | squared error a pixel | PCA of the same width |"
    yield "| --- | ---: | ---: |"
    for name, components in plan.get("same_width", {}).items():
        numbers = values(runs, by_name[name], "final/recon_mse")
        pca = values(runs, by_name[components], "final/recon_mse")
        if numbers and pca:
            listed = ", ".join(digits(n) for n in numbers)
            yield f"| `{name}` | {listed} | {digits(pca[0])} |"


def figure_of(bar, numbers, against):
    text = with_spread(numbers)
    return f"{text} against {with_spread(against)}" if "below" in bar else text


def verdict(bar, numbers, against):
    """yes, no or not run; bars are meant for three seeds."""
    if not numbers or ("below" in bar and not against):
        return "not run"
    figure = max(numbers) if bar.get("best") else statistics.mean(numbers)
    if "at_least" in bar:
        reached = figure >= bar["at_least"]
    else:
        most = statistics.mean(against) if against else bar["at_most"]
        reached = figure <= most
    seeds = min(len(numbers), len(against) if against else SEEDS)
    few = f", on {seeds} of {SEEDS} seeds" if seeds < SEEDS else ""
    return ("yes" if reached else "no") + few


def machine():
    for line in open("/proc/cpuinfo", encoding="utf-8"):
        if line.startswith("model name"):
            return f" ({line.split(':')[1].strip()})"
    return ""


def page(runs, plan):
    parts = [HEAD.format(machine=machine()), "## What it has to reach\n",
             plan["about_bars"].strip() + "\n", *bar_rows(runs, plan)]
    if "same_width" in plan:
        parts += ["\n## Against PCA of the same width\n",
                  *pca_rows(runs, plan)]
    for family in plan["family"]:
        parts += [f"\n## {family['title']}\n", family["text"].strip() + "\n",
                  *run_rows(runs, family)]
        for picture in family.get("picture", []):
            if (runs.docs / "zoo" / picture["file"]).exists():
                parts += picture_lines(runs, picture)
    (runs.docs / "zoo.md").write_text("\n".join(parts) + "\n", encoding="utf-8")


def draw_one(runs, picture):
    to = runs.docs / "zoo" / picture["file"]
    if "copy" in picture:
        source = runs.folder / picture["copy"]
        if source.exists():
            shutil.copyfile(source, to)
        return
    line = picture["command"].format(runs=runs.folder)
    named = re.findall(rf"{re.escape(str(runs.folder))}/[^\s/]+", line)
    needed = [pathlib.Path(n) / "zoo" / "train.json"
              for n in named if "." not in n]
    if not all(n.exists() for n in needed):
        return
    printed = printed_by(runs, picture)
    if not (to.exists() and printed.exists()) or any(
            n.stat().st_mtime > printed.stat().st_mtime for n in needed):
        with open(os.devnull, "w", encoding="utf-8") as log:
            line += f" --threads {runs.threads} --to {to}"
            printed.write_text(runs.call(line, log)[0], encoding="utf-8")


def draw(runs, plan):
    """Every picture of the plan whose run is there."""
    (runs.docs / "zoo").mkdir(parents=True, exist_ok=True)
    for family in plan["family"]:
        for picture in family.get("picture", []):
            draw_one(runs, picture)


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
    if not a.page:
        for run, seed in chosen(plan, a.only):
            runs.train(run, seed)
    if not a.only:
        draw(runs, plan)
        page(runs, plan)


if __name__ == "__main__":
    try:
        main()
    except (Failure, OSError) as trouble:
        sys.exit(f"zoo.py: {trouble}")
