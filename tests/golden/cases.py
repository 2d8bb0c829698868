"""cases.py - one case of ops.py: draws inputs, runs the op, sums up."""

import numpy as np
import torch

import philox
from record import digits

SEED = 11
CASES = []


# ---- Inputs ----------------------------------------------------------------


def real(*shape, low=-1, high=1, **view):
    """Uniform in [low, high); a view is taken of what was drawn."""
    return {"shape": list(shape), "low": low, "high": high, **view}


def positive(*shape):
    return real(*shape, low=0.5, high=1.5)


def wide(*shape):
    return real(*shape, low=-3, high=3)


def index(*shape, below):
    """int32, floor(below u)."""
    return {"shape": list(shape), "dtype": "int32", "below": below}


def levels(*shape, below):
    """Real, floor(below u): numbers that are often equal; no gradient."""
    return {"shape": list(shape), "dtype": "levels", "below": below}


def binary(*shape):
    """Real, 1 where u < 1/2, else 0; no gradient."""
    return {"shape": list(shape), "dtype": "binary"}


def draw(name, number, spec):
    u = philox.uniform(
        SEED, philox.DATA, philox.hash_text(f"{name}:{number}"), spec["shape"]
    )
    if spec.get("dtype") == "int32":
        return torch.from_numpy(np.floor(u * spec["below"]).astype(np.int64))
    if spec.get("dtype") == "levels":
        return torch.from_numpy(np.floor(u * np.float32(spec["below"])))
    if spec.get("dtype") == "binary":
        return torch.from_numpy((u < 0.5).astype(np.float32))
    low, high = np.float32(spec["low"]), np.float32(spec["high"])
    return torch.from_numpy(np.asarray(low + (high - low) * u)).requires_grad_()


def view(x, spec):
    """The input as the operation sees it, not contiguous if it says so."""
    if "permute" in spec:
        x = x.permute(spec["permute"])
    if "slice" in spec:
        axis, start, stop, step = spec["slice"]
        key = [slice(None)] * x.dim()
        key[axis] = slice(start, stop, step)
        x = x[tuple(key)]
    if "expand" in spec:
        x = x.expand(spec["expand"])
    return x


# ---- Cases -----------------------------------------------------------------


def summary(tensor):
    values = tensor.detach().reshape(-1).double()
    listed = [digits(value, 8) for value in values.tolist()]
    return {
        "shape": list(tensor.shape),
        "sum": digits(values.sum().item(), 8),
        "square_sum": digits((values**2).sum().item(), 8),
        "first": listed[:8],
        "last": listed[-8:],
    }


def case(name, function, *inputs, buffers=None, **attributes):
    """Runs one case; its operation is the name up to the first dash."""
    drawn = [draw(name, i, spec) for i, spec in enumerate(inputs)]
    z = function(*[view(x, spec) for x, spec in zip(drawn, inputs)])
    row = {"name": name, "op": name.split("-")[0]}
    if attributes:
        row["attributes"] = attributes
    row["inputs"] = list(inputs)
    row["output"] = summary(z)
    if z.requires_grad:
        z.backward(draw(name, "g", real(*z.shape)).detach())
        row["gradients"] = [
            None if x.grad is None else summary(x.grad) for x in drawn
        ]
    if buffers:
        row["buffers"] = {key: summary(value) for key, value in buffers.items()}
    assert all(other["name"] != name for other in CASES), name
    CASES.append(row)
