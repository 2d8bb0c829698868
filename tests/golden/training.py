"""training.py - 200 training steps of the first models, in PyTorch.

Writes training.json: losses and checksums of the final weights, which
tests/test_training.c follows with the engine. Seeds are exchanged, not arrays:
philox.py draws the same weights, batches, noise and masks as the engine. What
a model is (paths, sizes, losses, order of the random operations) stands in the
tables of README.md beside this file; models.py is those tables, run.

    python3 training.py [--output FILE] [--models ae,vae]

Needs numpy and PyTorch, 1.13 or newer. Every run is made twice, in float32 and
in float64: the second is what is followed, and the distance of the two says how
far rounding alone carries a run.
"""

import argparse
import math
import pathlib

import numpy as np
import torch
from torch import nn

import philox
from models import MODELS
from record import digits, write

SEED, ITEMS, STEPS = 42, 1024, 200
# Where rounding alone stays small, see "Tolerances" in README.md.
DATA_SEEDS = {
    ("ae", "faithful"): 9,
    ("ae-leaky", "corrected"): 3,
    ("aae", "faithful"): 20,
    ("aae", "corrected"): 5,
    ("vae", "faithful"): 21,
    ("conv-vae", "faithful"): 21,
}
REPORTED = list(range(1, 11)) + list(range(20, STEPS + 1, 10))


# ---- Data ------------------------------------------------------------------


def blobs(seed):
    """ITEMS images of three soft blobs, uint8 [ITEMS, 784].

    Blob k of image i has four uniforms u0 ... u3, elements 12 i + 4 k + 0 ... 3
    of sequence 1 in the data domain under the data seed. Its centre is
    (8 + 12 u0, 8 + 12 u1), its width 1.5 + 2.5 u2, its height 0.5 + 0.5 u3; a
    pixel is floor(255 min(1, sum of the blobs) + 0.5), computed in double.
    """
    u = philox.uniform(seed, philox.DATA, 1, (ITEMS, 3, 4, 1, 1))
    u = u.astype(np.float64)
    column, row = np.arange(28.0), np.arange(28.0)[:, None]
    x, y, width = (
        8 + 12 * u[:, :, 0],
        8 + 12 * u[:, :, 1],
        1.5 + 2.5 * u[:, :, 2],
    )
    distance = (column - x) ** 2 + (row - y) ** 2
    bumps = (0.5 + 0.5 * u[:, :, 3]) * np.exp(-distance / (2 * width**2))
    image = np.minimum(1, bumps[:, 0] + bumps[:, 1] + bumps[:, 2])
    return np.floor(255 * image + 0.5).astype(np.uint8).reshape(ITEMS, 784)


class Batches:
    """Place p = step * size + k has item permutation(p / ITEMS)[p % ITEMS], so
    that a batch may straddle two epochs."""

    def __init__(self, size, seed, dtype):
        self.size, self.seed, self.orders = size, seed, {}
        self.images = torch.from_numpy(blobs(seed)).to(dtype) / 255

    def __call__(self, step):
        items = []
        for p in range(step * self.size, (step + 1) * self.size):
            epoch, place = divmod(p, ITEMS)
            if epoch not in self.orders:
                self.orders[epoch] = philox.permutation(self.seed, epoch, ITEMS)
            items.append(self.orders[epoch][place])
        return self.images[torch.tensor(np.array(items))]


class Draws:
    """The random operations of one step, numbered as they are made."""

    def __init__(self, step, dtype):
        self.step, self.dtype, self.stream = step, dtype, 0  # NumPy's dtype

    def next(self):
        self.stream += 1
        return (
            SEED,
            philox.TRAIN,
            philox.sequence_of(self.stream - 1, self.step),
        )

    def normal(self, *shape):
        values = philox.normal(*self.next(), shape)
        return torch.from_numpy(values.astype(self.dtype))

    def dropout(self, x, p):
        shape = tuple(x.shape)
        mask = philox.dropout_mask(*self.next(), p, shape, self.dtype)
        return x * torch.from_numpy(mask)


# ---- Initial values --------------------------------------------------------


def initialise(model, glorot, dtype):
    """PyTorch's default: weight and bias in +-1/sqrt(fan in); the fan in of a
    transposed convolution is weight.size(1) times the kernel's area. Glorot's:
    weight in +-sqrt(6 / (fan in + fan out)), bias zero."""
    for path, module in model.named_modules():
        kinds = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)
        if not isinstance(module, kinds):
            continue
        fan_in = module.weight[0].numel()
        bound = 1 / math.sqrt(fan_in)
        if glorot:
            bound = math.sqrt(6 / (fan_in + module.weight.shape[0]))
        for name, parameter in module.named_parameters():
            if glorot and name == "bias":
                nn.init.zeros_(parameter)
                continue
            values = philox.initial(
                SEED, f"{path}.{name}", bound, tuple(parameter.shape), dtype
            )
            with torch.no_grad():
                parameter.copy_(torch.from_numpy(values))


# ---- Runs ------------------------------------------------------------------


def data_seed(name, recipe):
    return DATA_SEEDS.get((name, recipe), 7)


def train(name, recipe, dtype):
    """The model after STEPS steps, and its losses by name."""
    torch.set_default_dtype(
        torch.float64 if dtype is np.float64 else torch.float32
    )
    model = MODELS[name](recipe)
    initialise(model.net, model.glorot, dtype)
    model.optimise()
    seed = data_seed(name, recipe)
    batches = Batches(model.batch, seed, torch.get_default_dtype())
    losses = {}
    for step in range(STEPS):
        draws = Draws(step, dtype)
        for key, value in model.step(batches(step), draws).items():
            losses.setdefault(key, []).append(value)
    return model, losses


def checksums(model):
    """Sum and sum of squares of every parameter and running statistic."""
    rows = []
    for name, tensor in model.net.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        if name in getattr(model, "unused", ()):
            continue
        values = tensor.double()
        sums = {
            "sum": values.sum().item(),
            "square_sum": (values**2).sum().item(),
        }
        row = {key: digits(value, 7) for key, value in sums.items()}
        rows.append({"name": name, "count": values.numel(), **row})
    return rows


def rounding(losses, exact):
    """Relative distance of float32 from float64 at the reported steps, largest
    since the reported step before and over the losses."""
    ends, largest = [0, *REPORTED], []
    for start, end in zip(ends, REPORTED):
        distances = (
            abs(a / b - 1)
            for key in losses
            for a, b in zip(losses[key][start:end], exact[key][start:end])
        )
        largest.append(digits(max(distances), 2))
    return largest


def golden(name, recipe):
    single, losses = train(name, recipe, np.float32)
    double, exact = train(name, recipe, np.float64)
    images = blobs(data_seed(name, recipe))

    def reported(table, count):
        return {
            key: [digits(values[step - 1], count) for step in REPORTED]
            for key, values in table.items()
        }

    return {
        "model": name,
        "recipe": recipe,
        "batch": single.batch,
        "parameters": sum(p.numel() for p in single.net.parameters()),
        "data_seed": data_seed(name, recipe),
        "data_sum": int(images.sum(dtype=np.int64)),
        "data_row": images[0, 14 * 28 : 15 * 28].tolist(),
        "losses": reported(exact, 12),
        "rounding": rounding(losses, exact),
        "weights": checksums(single),
        "weights_double": checksums(double),
    }


def main():
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", default=here / "training.json")
    parser.add_argument("--models", default=",".join(MODELS))
    arguments = parser.parse_args()
    philox.check()
    torch.set_num_threads(1)
    runs = [
        golden(name, recipe)
        for name in arguments.models.split(",")
        for recipe in ("faithful", "corrected")
    ]
    head = {"made_with": f"PyTorch {torch.__version__}", "seed": SEED}
    write(arguments.output, {**head, "steps": REPORTED, "runs": runs})
    print("largest relative distance of float32 from float64")
    for run in runs:
        early, all_steps = max(run["rounding"][:14]), max(run["rounding"])
        print(f"{run['model']:9s} {run['recipe']:10s}", end="")
        print(f"{early:8.1e} by step 50 {all_steps:8.1e} by step {STEPS}")


if __name__ == "__main__":
    main()
