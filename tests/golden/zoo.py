"""zoo.py - one training step of every model of the zoo, in PyTorch.

Writes zoo.json: loss and all gradients at the initial weights, for models that
minimise one loss; for those with several, five steps of training: the losses,
and what the weights have become. tests/test_zoo.c does the same with the engine.
Data, initial values and draws are those of training.py; zoo_models.py has the
models.

    python3 zoo.py [--output FILE]

All in float64: the double build agrees to rounding. About a minute.
"""

import argparse
import pathlib

import numpy as np
import torch
from torch import nn

import philox
import training
from record import digits, write
from zoo_models import MODELS, RUNS

DATA_SEED, BATCH, STEPS = 7, 8, 5


class Batch:
    """Images step * BATCH ... of the blobs in their own order; label i % 10."""

    def __init__(self, step):
        rows = np.arange(step * BATCH, (step + 1) * BATCH)
        pixels = training.blobs(DATA_SEED)[rows].astype(np.float64) / 255
        self.x = torch.from_numpy(pixels)
        self.label = torch.from_numpy(rows % 10)
        self.one_hot = nn.functional.one_hot(self.label, 10).double()


class Draws(training.Draws):
    def __init__(self, step):
        super().__init__(step, np.float64)

    def uniform(self, *shape):
        values = philox.uniform(*self.next(), shape)
        return torch.from_numpy(values.astype(np.float64))

    def bernoulli(self, p, shape):
        # As the engine compares: both in its own precision.
        return (self.uniform(*shape) < p).double()


def initialise(model):
    """PyTorch's defaults or Glorot's; biases of tied layers have a fan in."""
    training.initialise(model.net, model.glorot, np.float64)
    for path, module in model.net.named_modules():
        if hasattr(module, "fan_in"):
            bound = 0 if model.glorot else module.fan_in**-0.5
            values = philox.initial(
                training.SEED,
                f"{path}.bias",
                bound,
                tuple(module.bias.shape),
                np.float64,
            )
            with torch.no_grad():
                module.bias.copy_(torch.from_numpy(values))
    for name, p in model.net.named_parameters():
        if name in getattr(model, "drawn", {}):
            values = philox.initial(
                training.SEED,
                name,
                model.drawn[name],
                tuple(p.shape),
                np.float64,
            )
            with torch.no_grad():
                p.copy_(torch.from_numpy(values))


def summed(name, tensor):
    """Three sums that tell one tensor from another: the last is weighted, so
    that the order counts."""
    values = tensor.detach().double().flatten()
    weights = (torch.arange(len(values)) % 101 - 50).double() / 50
    sums = {
        "sum": values.sum().item(),
        "square_sum": (values**2).sum().item(),
        "weighted": (values * weights).sum().item(),
    }
    row = {key: digits(value, 12) for key, value in sums.items()}
    return {"name": name, "count": len(values), **row}


def used(model):
    return [
        (name, p)
        for name, p in model.net.named_parameters()
        if name not in model.unused
    ]


def one_step(model):
    loss = model.loss(Batch(0), Draws(0))
    if loss.requires_grad:
        loss.backward()
    return {
        "losses": {"loss": [digits(loss.item(), 12)]},
        "gradients": [summed(name, p.grad) for name, p in used(model)],
    }


def several_steps(model):
    losses = {}
    model.optimise()
    for step in range(STEPS):
        for name, value in model.step(Batch(step), Draws(step)).items():
            losses.setdefault(name, []).append(digits(value.item(), 12))
    return {
        "losses": losses,
        "weights": [summed(name, p) for name, p in used(model)],
    }


def golden(name, options):
    conv = f"{name} conv" if options.get("net") == "conv" else name
    model = MODELS.get(conv, MODELS[name])(options)
    initialise(model)
    if model.prepared:
        model.prepare(torch.cat([Batch(step).x for step in range(STEPS)]))
    run = several_steps if hasattr(model, "step") else one_step
    count = sum(p.numel() for p in model.net.parameters())
    head = {"model": name, "options": options, "parameters": count}
    head["prepared"] = model.prepared
    return {**head, **run(model)}


def main():
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", default=here / "zoo.json")
    arguments = parser.parse_args()
    philox.check()
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    runs = [golden(name, options) for name, options in RUNS]
    head = {"made_with": f"PyTorch {torch.__version__}", "batch": BATCH}
    write(arguments.output, {**head, "data_seed": DATA_SEED, "runs": runs})


if __name__ == "__main__":
    main()
