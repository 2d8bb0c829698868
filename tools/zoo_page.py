"""zoo_page.py - docs/zoo.md, and the figures that it is made of.

What was measured stays beside the page, in docs/zoo/figures.json, so that the
page can be made where none of the runs is:

    {"rows": {NAME: {SEED: {"commands": [...], "date", "version", "commit",
                            "processor", "seconds", "figures": {PATH: number}}}},
     "printed": {PICTURE: [line, ...]}}

Figures whose command is not the plan's any more are not shown. Rows from before
there was this file have the figures as the page showed them, in four digits, and
the commit that put them there.
"""

import json
import re
import statistics

SEEDS = 3  # that a bar is meant for
TRAINED = {"final", "val", "train"}  # where a path into a training begins
HEAD = """# The zoo, measured

Written by `tools/zoo.py` from the figures of [zoo/figures.json](zoo/figures.json),
which it takes from the runs that `tools/zoo.toml` plans; do not edit it by hand.
All figures are from MNIST's 10,000 test images unless said otherwise, after
training on all 60,000 (`--data mnist --val 0`, unless the command has another
`--val`). Time is what one thread needed for the training, in seconds of the
processor{machine}.
Losses are nats an image, `recon_mse` a squared error a pixel; what the names
mean is in [tasks.md](tasks.md), what the recipes are in [models.md](models.md).
`tools/zoo.py --only NAME` makes one run of the plan again, and with `--page` takes
over its figures and pictures.
"""


# ---- What a plan asks for ---------------------------------------------------


def trained_by(run, seed, data):
    if "train" not in run:
        return None
    words = f"train {run['train']} --data {data}"
    if "--val" not in run["train"] and "faithful" not in run["train"]:
        words += " --val 0"
    return f"{words} --seed {seed}"


def commands_of(run, seed, data):
    """All that a run's figures come from: its training, its measures."""
    name = f"{run['name']}-s{seed}"
    first = trained_by(run, seed, data)
    return ([first] if first else []) + [
        measure.format(run=name, seed=seed) for measure in run.get("measure", [])]


def paths_of(plan, run):
    """The figures of a run that the page shows somewhere."""
    paths = set(run["figures"].values())
    paths |= {bar["figure"] for bar in plan["bar"]
              if run["name"] in (bar["run"], bar.get("below"))}
    widths = plan.get("same_width", {})
    if run["name"] in widths or run["name"] in widths.values():
        paths.add("final/recon_mse")
    return sorted(paths)


# ---- What is known ----------------------------------------------------------


class Figures:
    """docs/zoo/figures.json."""

    def __init__(self, docs, data):
        self.docs, self.data = docs, data
        self.path = docs / "zoo" / "figures.json"
        self.rows, self.printed = {}, {}
        if self.path.exists():
            kept = json.loads(self.path.read_text(encoding="utf-8"))
            self.rows, self.printed = kept["rows"], kept["printed"]

    def put(self, name, seed, entry):
        self.rows.setdefault(name, {})[str(seed)] = entry

    def text(self):
        """One line a seed, so that a row renewed is a line changed."""
        def lines(entries, indent):
            return ",\n".join(f"{indent}{json.dumps(key)}: {value}"
                              for key, value in entries)

        def plain(value):
            return json.dumps(value, ensure_ascii=False)

        rows = []
        for name, seeds in sorted(self.rows.items()):
            of = sorted(seeds.items(), key=lambda item: int(item[0]))
            of = lines(((seed, plain(entry)) for seed, entry in of), "   ")
            rows.append((name, "{\n" + of + "\n  }"))
        printed = [(name, "[\n" + ",\n".join("   " + plain(x) for x in text)
                    + "\n  ]") for name, text in sorted(self.printed.items())]
        return ('{\n "rows": {\n' + lines(rows, "  ") + '\n },\n "printed": {\n'
                + lines(printed, "  ") + "\n }\n}\n")

    def save(self):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_suffix(".part")
        part.write_text(self.text(), encoding="utf-8")
        part.rename(self.path)

    def entry(self, run, seed):
        """None where there is none, or another command trained it."""
        found = self.rows.get(run["name"], {}).get(str(seed))
        trained = trained_by(run, seed, self.data)
        if not found or (trained and trained not in found["commands"]):
            return None
        return found

    def known(self, run, seed):
        """{PATH: number} of what the plan's commands measured."""
        entry = self.entry(run, seed)
        if not entry:
            return {}
        have = {line.split()[0] for line in commands_of(run, seed, self.data)
                if line in entry["commands"]}
        if "train" in have:
            have |= TRAINED
        found = {path: value for path, value in entry["figures"].items()
                 if path.removeprefix("error ").split("/")[0] in have}
        if have:
            found["seconds"] = entry["seconds"]
        return found

    def values(self, run, path):
        """The figure of every seed that there is."""
        seen = [self.known(run, seed).get(path) for seed in run["seeds"]]
        return [value for value in seen if value is not None]

    def processors(self, plan):
        found = {(self.entry(run, seed) or {}).get("processor")
                 for family in plan["family"] for run in family.get("run", [])
                 for seed in run["seeds"]}
        return sorted(found - {None, ""})


# ---- Numbers ----------------------------------------------------------------


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


# ---- Tables -----------------------------------------------------------------


def ours(figures, run):
    cells = []
    for label, path in run["figures"].items():
        numbers = figures.values(run, path)
        shown = ", ".join(digits(n) for n in numbers) or "not run"
        cells.append(f"{label} {shown}")
    return "<br>".join(cells)


def run_rows(figures, family):
    yield "| command | seeds | published | ours | time |"
    yield "| --- | --- | --- | --- | ---: |"
    for run in family.get("run", []):
        seconds = figures.values(run, "seconds")
        line = run["train"] if "train" in run else run["measure"][0]
        line = re.sub(r" --(json|seed \{seed\}|data mnist)", "", line)
        line = ("train " if "train" in run else "") + line
        time = f"{statistics.mean(seconds):.0f} s" if seconds else ""
        seeds = ", ".join(str(seed) for seed in run["seeds"]
                          if figures.known(run, seed))
        yield (f"| `{line}` | {seeds} | {run.get('published', '')} |"
               f" {ours(figures, run)} | {time} |")


def by_name(plan):
    return {run["name"]: run for family in plan["family"]
            for run in family.get("run", [])}


def bar_rows(figures, plan):
    runs = by_name(plan)
    yield "| bar | figure | reached | how, and what was tried |"
    yield "| --- | --- | --- | --- |"
    for bar in plan["bar"]:
        numbers = figures.values(runs[bar["run"]], bar["figure"])
        against = (figures.values(runs[bar["below"]], bar["figure"])
                   if "below" in bar else [])
        yield (f"| {bar['claim']} | {figure_of(bar, numbers, against)} |"
               f" {verdict(bar, numbers, against)} | {bar.get('tried', '')} |")


def pca_rows(figures, plan):
    """Reconstructions beside those of as many principal components."""
    runs = by_name(plan)
    yield "| run | squared error a pixel | PCA of the same width |"
    yield "| --- | ---: | ---: |"
    for name, components in plan.get("same_width", {}).items():
        numbers = figures.values(runs[name], "final/recon_mse")
        pca = figures.values(runs[components], "final/recon_mse")
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


# ---- The page ---------------------------------------------------------------


def pictures_of(plan):
    for family in plan["family"]:
        yield from family.get("picture", [])


def picture_lines(figures, picture):
    yield f"\n{picture['shows']}\n"
    if "copy" in picture:
        yield f"    runs/{picture['copy']}\n"
    else:
        shown = picture["command"].replace("{runs}", "runs")
        yield f"    hourglass {shown} --to docs/zoo/{picture['file']}\n"
    printed = figures.printed.get(picture["file"])
    if picture.get("printed") and printed:
        yield "".join(f"    {line}\n" for line in printed)
    text = re.sub("[*`]", "", picture["shows"])
    yield f"![{text}](zoo/{picture['file']})"


def page_of(figures, plan):
    """The whole text, with the pictures that are there."""
    named = " or ".join(figures.processors(plan))
    parts = [HEAD.format(machine=f" ({named})" if named else ""),
             "## What it has to reach\n",
             plan["about_bars"].strip() + "\n", *bar_rows(figures, plan)]
    if "same_width" in plan:
        parts += ["\n## Against PCA of the same width\n",
                  *pca_rows(figures, plan)]
    for family in plan["family"]:
        parts += [f"\n## {family['title']}\n", family["text"].strip() + "\n",
                  *run_rows(figures, family)]
        for picture in family.get("picture", []):
            if (figures.docs / "zoo" / picture["file"]).exists():
                parts += picture_lines(figures, picture)
    return "\n".join(parts) + "\n"


def write_page(figures, plan):
    path = figures.docs / "zoo.md"
    path.write_text(page_of(figures, plan), encoding="utf-8")


def differences(figures, plan):
    """Sentences on where the page, its figures and its pictures disagree."""
    path = figures.docs / "zoo.md"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    there, wanted = text.splitlines(), page_of(figures, plan).splitlines()
    for i in range(max(len(there), len(wanted))):
        if there[i:i + 1] != wanted[i:i + 1]:
            yield (f"{path}:{i + 1}: is not what zoo/figures.json and the plan "
                   f"say; run tools/zoo.py --page")
            break
    planned = {picture["file"] for picture in pictures_of(plan)}
    for name in sorted(p.name for p in (figures.docs / "zoo").glob("*.png")):
        if name not in planned:
            yield f"{path.parent / 'zoo' / name}: no picture of the plan"
    for name, seeds in sorted(figures.rows.items()):
        run = by_name(plan).get(name)
        for seed in sorted(seeds):
            if not run or int(seed) not in run["seeds"]:
                yield f"{figures.path}: the plan has no {name} of seed {seed}"
            elif not figures.entry(run, seed):
                yield f"{figures.path}: another command made {name}-s{seed}"
