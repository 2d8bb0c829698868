"""record.py - how the golden scripts write what they found."""

import json
import pathlib


def digits(value, count):
    """Rounded to `count` significant digits."""
    return float(f"{value:.{count}g}")


def layout(value, depth=0):
    """JSON in which whatever fits a line stands on one."""
    line = json.dumps(value)
    scalars = isinstance(value, list) and not any(
        isinstance(item, (list, dict)) for item in value
    )
    if (
        len(line) + depth <= 100
        or scalars
        or not isinstance(value, (list, dict))
    ):
        return line
    pad = "\n" + " " * (depth + 1)
    if isinstance(value, list):
        body = ("," + pad).join(layout(item, depth + 1) for item in value)
        return f"[{pad}{body}\n{' ' * depth}]"
    rows = (
        f"{json.dumps(k)}: {layout(v, depth + 1)}" for k, v in value.items()
    )
    return "{" + pad + ("," + pad).join(rows) + "\n" + " " * depth + "}"


def write(path, value):
    pathlib.Path(path).write_text(layout(value) + "\n")
