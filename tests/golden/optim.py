"""optim.py - five steps of PyTorch's optimisers, step by step, in float64.

    python3 optim.py > optim.h

Two parameters, w of five elements and u of two; the loss of step t is
sum(c w) + sum(w^2) / 8 + sum(d u) with c[i] = ((7 t + 3 i) mod 11 - 5) / 8 and
d[i] = ((5 t + 2 i) mod 7 - 3) / 4. PyTorch 1.13 and 2.x agree.
"""

import textwrap

import torch

STEPS = 5
SGD, RMS = torch.optim.SGD, torch.optim.RMSprop
ADAM, ADAMW = torch.optim.Adam, torch.optim.AdamW
ADADELTA = torch.optim.Adadelta

CASES = {
    "sgd": (SGD, dict(lr=0.1)),
    "sgd_decay": (SGD, dict(lr=0.1, weight_decay=0.3)),
    "sgd_momentum": (SGD, dict(lr=0.1, momentum=0.9)),
    "sgd_dampened": (SGD, dict(lr=0.1, momentum=0.8, dampening=0.25)),
    "sgd_nesterov": (SGD, dict(lr=0.05, momentum=0.9, nesterov=True)),
    "sgd_all": (
        SGD,
        dict(lr=0.05, momentum=0.7, nesterov=True, weight_decay=0.1),
    ),
    "adam": (ADAM, dict()),
    "adam_all": (
        ADAM,
        dict(lr=0.02, betas=(0.5, 0.95), eps=1e-3, weight_decay=0.2),
    ),
    "adamw": (ADAMW, dict()),
    "adamw_all": (
        ADAMW,
        dict(lr=0.02, betas=(0.8, 0.99), eps=1e-4, weight_decay=0.5),
    ),
    "rmsprop": (RMS, dict()),
    "rmsprop_decay": (
        RMS,
        dict(lr=0.02, alpha=0.9, eps=1e-3, weight_decay=0.2),
    ),
    "rmsprop_momentum": (RMS, dict(lr=0.005, momentum=0.9)),
    "rmsprop_centered": (RMS, dict(lr=0.005, alpha=0.8, centered=True)),
    "rmsprop_all": (
        RMS,
        dict(
            lr=0.005,
            alpha=0.8,
            eps=1e-4,
            momentum=0.5,
            centered=True,
            weight_decay=0.1,
        ),
    ),
    "adadelta": (ADADELTA, dict()),
    "adadelta_all": (
        ADADELTA,
        dict(lr=0.5, rho=0.95, eps=1e-3, weight_decay=0.1),
    ),
}


def vector(values):
    return torch.tensor(values, dtype=torch.float64)


def run(make, options, clip=None):
    w = vector([0.5, -1.25, 2.0, 0.0, -0.375]).requires_grad_()
    u = vector([1.5, -0.75]).requires_grad_()
    optimizer = make([w, u], **options)
    rows = []
    for t in range(STEPS):
        c = vector([((7 * t + 3 * i) % 11 - 5) / 8 for i in range(5)])
        d = vector([((5 * t + 2 * i) % 7 - 3) / 4 for i in range(2)])
        loss = (c * w).sum() + (w * w).sum() / 8 + (d * u).sum()
        optimizer.zero_grad()
        loss.backward()
        if clip:
            clip([w, u])
        optimizer.step()
        rows.append(torch.cat([w, u]).tolist())
    return rows


def table(name, rows):
    print(f"UNUSED static const double golden_{name}[][{len(rows[0])}] = {{")
    for row in rows:
        line = "{" + ", ".join(f"{x:.16g}" for x in row) + "},"
        print(textwrap.indent("\n ".join(textwrap.wrap(line, 75)), "    "))
    print("};\n")


def plateau():
    """The rates while a loss stalls."""
    w = vector([0.0]).requires_grad_()
    optimizer = SGD([w], lr=1.0)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=0.5, patience=2
    )
    losses = [5, 4, 4, 3.9999, 3.9998, 3, 3, 3, 3, 3, 3, 3, 2, float("nan"), 2]
    rows = []
    for loss in losses:
        schedule.step(loss)
        rows.append([loss, optimizer.param_groups[0]["lr"]])
    return rows


def cosine():
    w = vector([0.0]).requires_grad_()
    optimizer = SGD([w], lr=1.0)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(
        optimizer, T_max=8, eta_min=0.1
    )
    rows = []
    for step in range(9):
        rows.append([step, optimizer.param_groups[0]["lr"]])
        optimizer.step()
        schedule.step()
    return rows


def main():
    print("/* Written by optim.py: PyTorch's optimisers, step by step. */")
    print("#ifndef GOLDEN_OPTIM_H\n#define GOLDEN_OPTIM_H\n")
    for name, (make, options) in CASES.items():
        table(name, run(make, options))
    clip = torch.nn.utils
    table(
        "clip_norm",
        run(SGD, dict(lr=0.1), lambda p: clip.clip_grad_norm_(p, 0.75)),
    )
    table(
        "clip_value",
        run(SGD, dict(lr=0.1), lambda p: clip.clip_grad_value_(p, 0.3)),
    )
    table("plateau", [[NAN(x) for x in row] for row in plateau()])
    table("cosine", cosine())
    print("#endif")


class NAN(float):
    """Prints as C spells it."""

    def __format__(self, spec):
        return "NAN" if self != self else super().__format__(spec)


main()
