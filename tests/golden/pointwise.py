#!/usr/bin/env python3
"""Writes pointwise.def: every function of one variable of pointwise.def
and its derivative, by PyTorch in double, at NaN, the infinities, 0 and two
ordinary points.

    tests/golden/pointwise.py > tests/golden/pointwise.def
"""

import math

import torch
import torch.nn.functional as F

POINTS = [math.nan, math.inf, -math.inf, 0.0, 0.7, -1.3]

# As the tests call them: a = 0.3 and b = 0.8 where parameters are taken.
ROWS = {
    "neg": torch.neg,
    "abs": torch.abs,
    "sign": torch.sign,
    "square": torch.square,
    "sqrt": torch.sqrt,
    "rsqrt": torch.rsqrt,
    "reciprocal": torch.reciprocal,
    "exp": torch.exp,
    "expm1": torch.expm1,
    "log": torch.log,
    "log1p": torch.log1p,
    "sin": torch.sin,
    "cos": torch.cos,
    "tanh": torch.tanh,
    "erf": torch.erf,
    "lgamma": torch.lgamma,
    "digamma": torch.digamma,
    "sigmoid": torch.sigmoid,
    "logsigmoid": F.logsigmoid,
    # Its default switches to the identity at 20.
    "softplus": lambda x: F.softplus(x, threshold=1e9),
    "relu": F.relu,
    "leaky_relu": lambda x: F.leaky_relu(x, 0.3),
    "elu": lambda x: F.elu(x, 0.3),
    "selu": F.selu,
    "gelu": F.gelu,
    "silu": F.silu,
    "clamp": lambda x: x.clamp(0.3, 0.8),
    "round": torch.round,
    "scale": lambda x: x * 0.3,
    "shift": lambda x: x + 0.3,
    "rsub": lambda x: 0.3 - x,
    "rdiv": lambda x: 0.3 / x,
    "pow_scalar": lambda x: x**0.3,
}

# Here NaN passes through where PyTorch loses it.
PASSES_NAN = {("sign", 0), ("abs", 1), ("elu", 1), ("selu", 1)}


def trigamma(x):
    """PyTorch's is good to nine digits only."""
    terms = 100_000
    y = x + terms
    return (math.fsum((x + k) ** -2 for k in range(terms))
            + 1 / y + 0.5 / y ** 2 + 1 / (6 * y ** 3))


def number(x):
    if math.isnan(x):
        return "NAN"
    if math.isinf(x):
        return "INFINITY" if x > 0 else "-INFINITY"
    return repr(x)


print(
    """/* pointwise.def - made by tests/golden/pointwise.py with PyTorch %s.
 * GOLDEN(name, values, derivatives) at NaN, inf, -inf, 0, 0.7 and -1.3. */"""
    % torch.__version__.split("+")[0]
)
for name, function in ROWS.items():
    x = torch.tensor(POINTS, dtype=torch.float64, requires_grad=True)
    y = function(x)
    y.sum().backward()
    columns = []
    for which, t in enumerate((y.detach(), x.grad)):
        values = t.tolist()
        if (name, which) in PASSES_NAN:
            values[0] = math.nan
        if (name, which) == ("digamma", 1):
            values[4:] = map(trigamma, POINTS[4:])
        columns.append("{" + ", ".join(number(v) for v in values) + "}")
    print(
        f"GOLDEN({name}, ({columns[0]}),\n       ({columns[1]}))".replace(
            "({", "LIST("
        ).replace("})", ")")
    )
