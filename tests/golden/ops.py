"""ops.py - values and gradients of the operations, from PyTorch in float32.

Writes ops.json, one case a line of the tables here and in ops_layers.py;
README.md beside this file says how to read it. Inputs are not stored but drawn
by philox.py: element e of input i of case NAME is element e of the sequence
FNV-1a("NAME:i") in the data domain under seed 11, and the gradient of the
output that of "NAME:g".

    python3 ops.py [--output FILE]

Needs numpy and PyTorch, 1.13 or newer.
"""

import argparse
import math
import pathlib

import torch
from torch.nn import functional as F

import ops_layers
import philox
from cases import CASES, SEED, binary, case, index, levels, positive, real, wide
from record import write

UNARY = [torch.neg, torch.abs, torch.sign, torch.square, torch.exp, torch.expm1]
UNARY += [
    torch.sin,
    torch.cos,
    torch.tanh,
    torch.erf,
    torch.sigmoid,
    torch.round,
]
UNARY += [F.softplus, F.relu, F.selu, F.gelu, F.silu]
UNARY_POSITIVE = [torch.sqrt, torch.rsqrt, torch.reciprocal, torch.log]
UNARY_POSITIVE += [torch.log1p, torch.lgamma, torch.digamma]


def pointwise():
    x = wide(5, 13)
    for function in UNARY:
        case(function.__name__, function, x)
    for function in UNARY_POSITIVE:
        case(function.__name__, function, positive(5, 13))
        spread = real(5, 13, low=0.05, high=20)
        case(function.__name__ + "-wide", function, spread)
    case("logsigmoid", F.logsigmoid, x)
    case("leaky_relu", lambda x: F.leaky_relu(x, 0.2), x, a=0.2)
    case("elu", lambda x: F.elu(x, 1.5), x, a=1.5)
    case("clamp", lambda x: torch.clamp(x, -0.5, 1.25), x, a=-0.5, b=1.25)
    case("scale", lambda x: x * -1.7, x, a=-1.7)
    case("shift", lambda x: x + 0.3, x, a=0.3)
    case("rsub", lambda x: 0.3 - x, x, a=0.3)
    case("rdiv", lambda x: 0.3 / x, positive(5, 13), a=0.3)
    case("pow_scalar", lambda x: x**2.5, positive(5, 13), a=2.5)
    case("exp-transposed", torch.exp, real(5, 13, permute=[1, 0]))
    case("tanh-strided", torch.tanh, real(5, 13, slice=[1, 1, 13, 3]))
    case("sigmoid-expanded", torch.sigmoid, real(5, 1, expand=[5, 4]))
    case("square-scalar", torch.square, real())


SHAPES = {
    "": ((5, 13), (5, 13)),
    "-row": ((5, 13), (13,)),
    "-column": ((5, 13), (5, 1)),
    "-both": ((4, 1, 5), (3, 1)),
    "-scalar": ((), (2, 3)),
}
COMPARISONS = {
    "less": torch.lt,
    "less_equal": torch.le,
    "greater": torch.gt,
    "greater_equal": torch.ge,
    "equal": torch.eq,
    "not_equal": torch.ne,
}


def bce_with_logits(x, y):
    return F.binary_cross_entropy_with_logits(x, y, reduction="none")


def pointwise_of_two():
    for shapes, (a, b) in SHAPES.items():
        x, y = real(*a), real(*b)
        for name in "add", "sub", "mul", "minimum", "maximum":
            case(name + shapes, getattr(torch, name), x, y)
        case("div" + shapes, torch.div, x, positive(*b))
        case("pow" + shapes, torch.pow, positive(*a), wide(*b))
    case("bce_with_logits", bce_with_logits, wide(5, 13), real(5, 13, low=0))
    case("mul-views", torch.mul, real(5, 13, permute=[1, 0]), real(13, 1))
    for name, function in COMPARISONS.items():
        x = levels(5, 13, below=4)
        case(name, lambda x, y: function(x, y).float(), x, x)

    def where(condition, x, y):
        return torch.where(condition > 0, x, y)

    choice = binary(5, 13)
    case("where", where, choice, real(5, 13), real(5, 13))
    case("where-broadcast", where, choice, real(13), real(5, 1))


AXES = {
    "-all": ([0, 1, 2], False),
    "-first": ([0], False),
    "-middle": ([1], False),
    "-last": ([2], False),
    "-keep": ([1], True),
    "-outer": ([0, 2], True),
}
REDUCTIONS = {
    "sum": torch.sum,
    "mean": torch.mean,
    "max": torch.amax,
    "min": torch.amin,
    "logsumexp": torch.logsumexp,
    "norm": lambda x, axes, keep: torch.linalg.vector_norm(x, 3, axes, keep),
}


def reductions():
    x = wide(4, 7, 6)
    for suffix, (axes, keep) in AXES.items():
        on = {"axes": axes, "keep": keep}
        for name, function in REDUCTIONS.items():
            more = {"p": 3} if name == "norm" else {}
            reduce = lambda x: function(x, axes, keep)  # noqa: E731
            case(name + suffix, reduce, x, **on, **more)
        for name, correction in ("population", 0), ("sample", 1):

            def var(x, unbiased=bool(correction)):
                return torch.var(x, axes, unbiased=unbiased, keepdim=keep)

            case(f"var-{name}{suffix}", var, x, correction=correction, **on)
    on = {"axes": [0], "keep": False}
    case("sum-view", lambda x: x.sum(0), real(9, 6, permute=[1, 0]), **on)
    length = lambda x: torch.linalg.vector_norm(x, 2, 0)  # noqa: E731
    case("norm-length", length, wide(7, 6), p=2, **on)
    case("sum-long", lambda x: x.sum(), real(70000), **on)


def along_an_axis():
    x, y = wide(4, 7, 6), wide(4, 7, 6)
    for axis in 0, 1, 2:
        for name in "cumsum", "softmax", "log_softmax":
            function = getattr(torch, name)
            case(f"{name}-{axis}", lambda x: function(x, axis), x, axis=axis)
        for name in "argmax", "argmin":
            function = getattr(torch, name)
            case(f"{name}-{axis}", lambda x: function(x, axis), x, axis=axis)
        for part, name in enumerate(("topk", "topk_index")):
            best = lambda x: torch.topk(x, 3, axis)[part]  # noqa: E731
            case(f"{name}-{axis}", best, y, axis=axis, k=3)


def shapes():
    x = real(4, 7, 6)
    case("reshape", lambda x: x.reshape(6, 28), x, shape=[6, 28])
    turned = real(4, 7, 6, permute=[2, 0, 1])
    case("reshape-view", lambda x: x.reshape(12, 14), turned, shape=[12, 14])
    case("permute", lambda x: x.permute(2, 0, 1), x, axes=[2, 0, 1])
    case("transpose", lambda x: x.transpose(-1, -2), x)
    case("expand", lambda x: x.expand(3, 4, 5), real(4, 1), shape=[3, 4, 5])
    case("squeeze", lambda x: x.squeeze(1), real(4, 1, 6), axes=[1])
    case("unsqueeze", lambda x: x.unsqueeze(1), real(4, 6), axis=1)
    part = {"axis": 1, "start": 1, "stop": 6}
    case("slice", lambda x: x[:, 1:6], x, step=1, **part)
    case("slice-step", lambda x: x[:, 1:6:2], x, step=2, **part)
    case("select", lambda x: x.select(1, 3), x, axis=1, position=3)
    case("split", lambda x: x.chunk(3, 2)[1], x, axis=2, parts=3, part=1)
    case("flip", lambda x: x.flip(1), x, axes=[1])
    case("flip-two", lambda x: x.flip(0, 2), x, axes=[0, 2])
    ends = {"before": 2, "after": 1}
    case("pad", lambda x: F.pad(x, (2, 1)), x, axis=2, **ends)
    case("pad-middle", lambda x: F.pad(x, (0, 0, 2, 1)), x, axis=1, **ends)


def pieces():
    parts = real(4, 2), real(4, 5), real(4, 1)
    case("concat", lambda *x: torch.cat(x, 1), *parts, axis=1)
    rows = real(2, 3), real(4, 3)
    case("concat-first", lambda *x: torch.cat(x, 0), *rows, axis=0)
    pair = real(4, 5), real(4, 5)
    case("stack", lambda *x: torch.stack(x, 1), *pair, axis=1)


def indexing():
    x = real(4, 7, 6)
    for axis, size in enumerate((4, 7, 6)):
        name, choice = f"index_select-{axis}", index(9, below=size)
        case(name, lambda x, i: x.index_select(axis, i), x, choice, axis=axis)

    def rows(x, i):
        return torch.zeros(3, 5).index_add(0, i, x)

    def columns(x, i):
        return torch.zeros(4, 6).index_add(1, i, x)

    to = index(9, below=3)
    case("scatter_add-0", rows, real(9, 5), to, axis=0, size=3)
    to = index(9, below=5)
    case("scatter_add-1", columns, real(4, 9), to, axis=1, size=6)
    choice = index(4, 2, 6, below=7)
    take = lambda x, i: torch.gather(x, 1, i)  # noqa: E731
    case("take_along", take, x, choice, axis=1)

    def add_along(x, i):
        return torch.zeros(4, 7, 6).scatter_add(1, i, x)

    case("add_along", add_along, real(4, 2, 6), choice, axis=1, size=7)
    labels = index(8, below=6)
    case("one_hot", lambda i: F.one_hot(i, 6).float(), labels, classes=6)


def products():
    multiply = torch.matmul
    left, right = real(65, 33, permute=[1, 0]), real(47, 65, permute=[1, 0])
    case("matmul", multiply, real(3, 4), real(4, 5))
    case("matmul-odd", multiply, real(33, 65), real(65, 47))
    case("matmul-batched", multiply, real(2, 3, 4), real(2, 4, 5))
    case("matmul-shared", multiply, real(6, 3, 4), real(4, 5))
    case("matmul-broadcast", multiply, real(2, 1, 3, 4), real(5, 4, 2))
    case("matmul-left", multiply, left, real(65, 47))
    case("matmul-right", multiply, real(33, 65), right)
    case("matmul-both", multiply, left, right)
    case("matmul-column", multiply, real(7, 9), real(9, 1))
    case("matmul-outer", multiply, real(7, 1), real(1, 9))
    case("matmul-vector-matrix", multiply, real(9), real(9, 5))
    case("matmul-matrix-vector", multiply, real(7, 9), real(9))
    case("linear", F.linear, real(6, 20), real(11, 20), real(11))
    case("linear-bare", F.linear, real(6, 20), real(11, 20))
    case("linear-three", F.linear, real(2, 3, 20), real(11, 20), real(11))


TABLES = [pointwise, pointwise_of_two, reductions, along_an_axis]
TABLES += [shapes, pieces, indexing, products, *ops_layers.TABLES]


def main():
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", default=here / "ops.json")
    arguments = parser.parse_args()
    philox.check()
    torch.set_num_threads(1)
    for table in TABLES:
        table()
    for row in CASES:
        for part in row["output"], *row.get("gradients", []):
            assert part is None or math.isfinite(part["square_sum"]), row
    head = {"made_with": f"PyTorch {torch.__version__}", "seed": SEED}
    write(arguments.output, {**head, "cases": CASES})
    print(len(CASES), "cases of", len({row["op"] for row in CASES}), "ops")


if __name__ == "__main__":
    main()
