"""compare.py - hourglass against PyTorch and others, interleaved in one run.

    python3 bench/compare.py --python PYTHON [--peer PROGRAM]... [WORKLOAD...]

PYTHON is an interpreter that has torch ($PYTHON does as well), PROGRAM one of
what peers/build.sh builds. Each workload starts a process for hourglass, one for
each variant of PyTorch and one for each other peer that has the workload, which
then take turns, block by block: A B A B ... The figure of a side is the median
of its blocks (and the least beside it), that of PyTorch its best variant. Peak
memory is VmHWM of each process, on a GPU what each took there. Writes
bench/results/DATE-DEVICE.json and .md after every workload, and prints the
table. Bars are about PyTorch; the other peers have a table of their own.

A variant of the peer that fails is named and left out; where hourglass fails,
or no variant runs, the workload is.

Exit code: 0 all bars of the table are met, 1 one is not, 2 a workload could not
be run.
"""

import argparse
import contextlib
import datetime
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

import tables

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent

# Steps a block; the peer's variants; how often faster hourglass has to be.
WORKLOADS = {
    "ae-b32": (200, ["eager"], 1.5),
    "ae-b128": (200, ["eager"], 1.0),
    "vae-b32": (200, ["eager"], 1.0),
    "aae-b100": (25, ["eager"], 1.0),
    "convvae-b256": (50, ["eager", "channels_last"], 1.0),
    "tfpvae-b64": (8, ["eager", "channels_last"], None),
}
# What the peers in C have (peers/NAME.c).
OTHERS = {
    "kann": ["ae-b32", "ae-b128", "vae-b32"],
    "ggml": ["ae-b32", "ae-b128"],
}
# On a GPU: blocks are short there, so more steps; the peer is eager, compiled
# (reduce-overhead) and captured by hand; milliseconds allowed, and how often
# faster than some of its variants hourglass has to be.
STEPS_ON_GPU = 10
VARIANTS_ON_GPU = ["eager", "compile", "graph"]
BARS_ON_GPU = {
    "ae-b32": (0.060, {"eager": 8.0, "graph": 1.5}),
    "aae-b100": (0.180, {}),
}
MEMORY = 1 / 3  # of the peer's peak at most, where speed has a bar
REST = 0.3  # seconds between blocks: threads that still spin go to sleep


class Failure(Exception):
    pass


class Side:
    """A program that runs blocks of steps on demand and keeps their times."""

    def __init__(self, name, command, environment):
        self.name, self.times, self.peak = name, [], 0.0
        self.report = {}
        try:
            self.process = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        except OSError as error:
            raise Failure(f"{name}: {error}") from error

    def block(self, steps):
        """Milliseconds a step; the caller decides whether they count."""
        try:
            self.process.stdin.write(f"run {steps}\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
            report = json.loads(line)
            on_gpu = report.get("device", "cpu") != "cpu"
            self.peak = (
                report["peak_mib"] if on_gpu else peak_mib(self.process.pid)
            )
            self.report = report
            return report["ms_per_step"]
        except (BrokenPipeError, json.JSONDecodeError) as error:
            raise Failure(f"{self.name} gave no JSON line") from error
        except (OSError, KeyError) as error:  # it ended, or says too little
            raise Failure(f"{self.name}: {error!r}") from error

    def close(self):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()

    def summary(self):
        return {
            "name": self.name,
            "ms_per_step": round(statistics.median(self.times), 4),
            "ms_min": round(min(self.times), 4),
            "ms_max": round(max(self.times), 4),
            "peak_mib": round(self.peak, 1),
            "blocks": [round(ms, 4) for ms in self.times],
            "report": self.report,
        }


def peak_mib(pid):
    with open(f"/proc/{pid}/status") as status:
        rows = dict(line.split(":", 1) for line in status)
    return int(rows["VmHWM"].split()[0]) / 1024


def environment(threads):
    """Both sides get the same threads; a second pool would fight the first."""
    names = {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
    names["OPENBLAS_NUM_THREADS"] = 1
    return {**os.environ, **{key: str(value) for key, value in names.items()}}


def commands(workload, arguments):
    """Name and command line of every side, hourglass first."""
    options = ["--device", arguments.device]
    options += ["--threads", str(arguments.threads), "--serve"]
    yield "hourglass", [arguments.program, "bench", workload, *options]
    peer = HERE / "peers" / "pytorch.py"
    for variant in variants_of(workload, arguments):
        command = [arguments.python, str(peer), workload, "--variant", variant]
        yield f"PyTorch {variant}", [*command, *options]
    for program in arguments.peer if arguments.device == "cpu" else []:
        name = pathlib.Path(program).name
        if workload in OTHERS[name]:
            yield name, [program, workload, *options]


def variants_of(workload, arguments):
    if arguments.variants:
        return arguments.variants.split(",")
    if arguments.device != "cpu":
        return VARIANTS_ON_GPU
    return WORKLOADS[workload][1] + (["compile"] if arguments.compile else [])


def steps_of(workload, arguments):
    more = 1 if arguments.device == "cpu" else STEPS_ON_GPU
    return arguments.steps or WORKLOADS[workload][0] * more


def opened(name, command, steps, arguments):
    """A side after its warm-up."""
    side = Side(name, command, environment(arguments.threads))
    try:
        side.block(steps)
    except Failure:
        side.close()
        raise
    return side


def leave_out(failure):
    """One variant that cannot run is no reason not to measure the others."""
    print(f"compare.py: left out: {failure}", file=sys.stderr)


def expect_peer(sides):
    if not any(tables.is_pytorch(side.name) for side in sides):
        raise Failure("PyTorch does not run")


def measured_block(sides, steps):
    """One block of every side; returns the sides that got through it."""
    still = []
    for side in sides:
        time.sleep(REST)
        try:
            side.times.append(side.block(steps))
        except Failure as failure:
            if side is sides[0]:
                raise
            leave_out(failure)
            side.close()
            continue
        still.append(side)
    return still


def run(workload, arguments):
    """All blocks of a workload, and of the peer's variants those that run."""
    steps = steps_of(workload, arguments)
    ours, *peers = commands(workload, arguments)
    sides = [opened(*ours, steps, arguments)]
    try:
        for peer in peers:
            try:
                sides.append(opened(*peer, steps, arguments))
            except Failure as failure:
                leave_out(failure)
        for _ in range(arguments.blocks):
            expect_peer(sides)
            sides = measured_block(sides, steps)
        expect_peer(sides)
    finally:
        for side in sides:
            side.close()
    return judge(
        workload, steps, [side.summary() for side in sides], arguments.device
    )


def meets_gpu_bars(workload, sides):
    most, ratios = BARS_ON_GPU.get(workload, (float("inf"), {}))
    ours = sides[0]["ms_per_step"]
    times = {side["name"]: side["ms_per_step"] for side in sides[1:]}
    return ours <= most and all(
        times[f"PyTorch {variant}"] >= ratio * ours
        for variant, ratio in ratios.items()
        if f"PyTorch {variant}" in times
    )


def judge(workload, steps, sides, device):
    """Ratios are PyTorch's over ours: above 1, hourglass is faster."""
    ours = sides[0]
    peers = [side for side in sides if tables.is_pytorch(side["name"])]
    best = min(peers, key=lambda peer: peer["ms_per_step"])
    least = min(peer["ms_min"] for peer in peers)
    memory = ours["peak_mib"] / min(peer["peak_mib"] for peer in peers)
    bar = WORKLOADS[workload][2] if device == "cpu" else None
    ratio = best["ms_per_step"] / ours["ms_per_step"]
    met = bar is None or (ratio >= bar and memory <= MEMORY)
    if device != "cpu":
        met = meets_gpu_bars(workload, sides)
    return {
        "workload": workload,
        "steps": steps,
        "best_peer": best["name"],
        "ratio_of_medians": round(ratio, 3),
        "ratio_of_minima": round(least / ours["ms_min"], 3),
        "memory": round(memory, 3),
        "bar": bar,
        "met": met,
        "sides": sides,
    }


def machine(device):
    with open("/proc/cpuinfo") as info:
        models = [line.split(":")[1].strip() for line in info if "name" in line]
    return {
        "cpu": models[0] if models else platform.machine(),
        "cpus": os.cpu_count(),
        "load": os.getloadavg()[0],
        "gpu": gpu_name() if device != "cpu" else None,
    }


def revision():
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError:  # a machine without git
        return "unknown"
    return done.stdout.strip() or "unknown"


def gpu_name():
    command = ["nvidia-smi", "--query-gpu=name,driver_version"]
    try:
        done = subprocess.run(
            [*command, "--format=csv,noheader"], capture_output=True, text=True
        )
    except OSError:
        return None
    return done.stdout.strip() or None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD")
    parser.add_argument("--python", default=os.environ.get("PYTHON"))
    parser.add_argument("--program", default=str(ROOT / "build/apps/hourglass"))
    parser.add_argument(
        "--results", type=pathlib.Path, default=HERE / "results"
    )
    parser.add_argument("--blocks", type=int, default=7)
    parser.add_argument("--steps", type=int, help="in a block")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument(
        "--compile", action="store_true", help="torch.compile too"
    )
    parser.add_argument("--variants", help="of the peer: eager,compile,graph")
    parser.add_argument(
        "--peer",
        action="append",
        default=[],
        metavar="PROGRAM",
        help="of peers/build.sh, on a CPU",
    )
    arguments = parser.parse_args()
    for program in arguments.peer:
        if pathlib.Path(program).name not in OTHERS:
            parser.error(f"--peer {program}: no {' or '.join(OTHERS)}")
    if not arguments.python:
        parser.error("name an interpreter that has torch: --python or $PYTHON")
    chosen = arguments.workloads or list(WORKLOADS)
    unknown = [name for name in chosen if name not in WORKLOADS]
    if unknown:
        parser.error(
            f"no workload {unknown[0]}; there are {', '.join(WORKLOADS)}"
        )
    result = {"date": datetime.date.today().isoformat()}
    result.update(device=arguments.device, machine=machine(arguments.device))
    result.update(threads=arguments.threads, blocks=arguments.blocks)
    result.update(revision=revision(), workloads=[])
    text, code = None, 0
    for workload in chosen:
        print(workload, file=sys.stderr)
        try:
            result["workloads"].append(run(workload, arguments))
        except Failure as failure:
            print(f"compare.py: {workload}: {failure}", file=sys.stderr)
            code = 2
            continue
        for side in result["workloads"][-1]["sides"]:
            print(f"  {tables.line_of(side)}", file=sys.stderr)
        text = tables.write(result, arguments.results)
    if text:
        print(text)
    return code or int(not all(w["met"] for w in result["workloads"]))


if __name__ == "__main__":
    sys.exit(main())
