"""tables.py - the results of compare.py, for reading and for keeping."""

import json


def is_pytorch(name):
    return name.startswith("PyTorch")


def table(result):
    rows = [
        "| workload | hourglass ms (least) | PyTorch ms (least) | variant |"
        " medians | minima | MiB | of PyTorch's | bar |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for w in result["workloads"]:
        ours = w["sides"][0]
        peer = next(s for s in w["sides"] if s["name"] == w["best_peer"])
        bar = "-" if w["bar"] is None else f"{w['bar']:.1f}x"
        cells = [
            w["workload"],
            f"{ours['ms_per_step']:.3f} ({ours['ms_min']:.3f})",
            f"{peer['ms_per_step']:.3f} ({peer['ms_min']:.3f})",
            w["best_peer"].partition(" ")[2],
            f"{w['ratio_of_medians']:.2f}x",
            f"{w['ratio_of_minima']:.2f}x",
            f"{ours['peak_mib']:.0f}",
            f"{w['memory']:.2f}",
            bar + ("" if w["met"] else " missed"),
        ]
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)


def all_variants(result):
    """Milliseconds a step of every side: on a GPU the worse ones tell too."""
    rows = ["| workload | side | ms (least) | launches |", "| --- " * 4 + "|"]
    for w in result["workloads"]:
        for side in w["sides"]:
            rows.append(
                f"| {w['workload']} | {side['name']} | "
                f"{side['ms_per_step']:.4f} ({side['ms_min']:.4f}) | "
                f"{side['report'].get('launches', '-')} |"
            )
    return "\n".join(rows)


def other_peers(result):
    """What the peers in C take, beside hourglass in the same run."""
    rows = [
        "| workload | peer | optimiser | ms (least) | of hourglass's medians |"
        " minima | MiB |",
        "| --- " * 7 + "|",
    ]
    for w in result["workloads"]:
        ours = w["sides"][0]
        for side in w["sides"][1:]:
            if is_pytorch(side["name"]):
                continue
            cells = [
                w["workload"],
                side["report"]["version"],
                side["report"]["adam"],
                f"{side['ms_per_step']:.3f} ({side['ms_min']:.3f})",
                f"{side['ms_per_step'] / ours['ms_per_step']:.2f}x",
                f"{side['ms_min'] / ours['ms_min']:.2f}x",
                f"{side['peak_mib']:.0f}",
            ]
            rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows) if len(rows) > 2 else None


def line_of(side):
    return (
        f"{side['name']}: {side['ms_per_step']:.4f} ms a step "
        f"(least {side['ms_min']:.4f}), {side['peak_mib']:.0f} MiB"
    )


def heading(result):
    m, peer = result["machine"], result["workloads"][0]["sides"][1]["report"]
    return (
        f"{result['date']}, {m['gpu'] + ', ' if m['gpu'] else ''}"
        f"{m['cpu']}, {m['cpus']} CPUs, {result['threads']} "
        f"threads, hourglass {result['revision']}, {peer['version']} "
        f"(Adam {peer['adam']}), {result['blocks']} blocks a side, interleaved."
    )


def write(result, folder):
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / f"{result['date']}-{result['device']}"
    stem.with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n")
    text = f"{heading(result)}\n\n{table(result)}\n"
    if result["device"] != "cpu":
        text += "\n" + all_variants(result) + "\n"
    if others := other_peers(result):
        text += "\n" + others + "\n"
    stem.with_suffix(".md").write_text(text)
    return text
