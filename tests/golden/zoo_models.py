"""zoo_models.py - the models of the zoo as zoo.py runs them.

Each has named parts with the engine's paths and loss(batch, draws), the mean
over the batch; those with several losses have step(batch, draws) instead, which
trains and returns the losses by name.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F


class Model:
    """Options are the engine's texts; `glorot` changes the initial weights."""

    glorot = False
    unused = ()  # parameters whose gradient is rounding

    def __init__(self, options):
        self.options = options
        self.faithful = options.get("recipe") == "faithful"
        self.net = nn.ModuleDict(self.build())

    def number(self, name, default):
        return float(self.options.get(name, default))

    def size(self, name, default):
        return int(self.options.get(name, default))

    def says(self, name, value, default=None):
        return self.options.get(name, default) == value


def nats(logits, x):
    return F.binary_cross_entropy_with_logits(
        logits, x, reduction="sum"
    ) / len(x)


class Tied(nn.Module):
    """x W + b with the weight of another layer, [out, in]."""

    def __init__(self, linear):
        super().__init__()
        self.there = [linear]  # not registered a second time
        self.bias = nn.Parameter(torch.zeros(linear.in_features))
        self.fan_in = linear.out_features

    def forward(self, x):
        return x @ self.there[0].weight + self.bias


def mirror(linear, tied):
    if tied:
        return Tied(linear)
    return nn.Linear(linear.out_features, linear.in_features)


def two_convs(features):
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(3136, features),
    )


def two_deconvs(latent):
    up = dict(stride=2, padding=1, output_padding=1)
    return nn.Sequential(
        nn.Linear(latent, 3136),
        nn.ReLU(),
        nn.Unflatten(1, (64, 7, 7)),
        nn.ConvTranspose2d(64, 64, 3, **up),
        nn.ReLU(),
        nn.ConvTranspose2d(64, 32, 3, **up),
        nn.ReLU(),
        nn.ConvTranspose2d(32, 1, 3, padding=1),
        nn.Flatten(),
    )


def images(x):
    return x.reshape(-1, 1, 28, 28)


# ---- Plain and regularised -------------------------------------------------


class Ae(Model):
    """With tied weights; the others are in models.py."""

    def build(self):
        a, b, c = nn.Linear(784, 256), nn.Linear(256, 64), nn.Linear(64, 20)
        encoder = nn.Sequential(a, nn.ReLU(), b, nn.ReLU(), c)
        tied = [mirror(layer, True) for layer in (c, b, a)]
        decoder = nn.Sequential(
            tied[0], nn.ReLU(), tied[1], nn.ReLU(), tied[2], nn.Sigmoid()
        )
        return {"encoder": encoder, "decoder": decoder}

    def loss(self, b, draws):
        return F.mse_loss(self.net["decoder"](self.net["encoder"](b.x)), b.x)


class AeKeras(Model):
    glorot = True

    def build(self):
        encoder = nn.Linear(784, 32)
        tied = self.says("tied", "yes")
        return {"encoder": encoder, "decoder": mirror(encoder, tied)}

    def loss(self, b, draws):
        code = self.net["encoder"](b.x)
        code = F.relu(code) if self.faithful else code
        return nats(self.net["decoder"](code), b.x) / 784


class OneLayer(Model):
    """784-hidden-784 with sigmoids."""

    hidden, tied = 1000, "no"

    def build(self):
        encoder = nn.Linear(784, self.size("hidden", self.hidden))
        tied = self.options.get("tied", self.tied) == "yes"
        return {"encoder": encoder, "decoder": mirror(encoder, tied)}

    def code(self, x, draws):
        return torch.sigmoid(self.net["encoder"](x))

    def loss(self, b, draws):
        code = self.code(b.x, draws)
        return nats(self.net["decoder"](code), b.x)


class DropoutAe(OneLayer):
    def code(self, x, draws):
        x = draws.dropout(x, self.number("drop-input", 0))
        code = torch.sigmoid(self.net["encoder"](x))
        return draws.dropout(code, self.number("drop", 0.5))


class SparseAe(OneLayer):
    def loss(self, b, draws):
        h = self.net["encoder"](b.x)
        kind = self.options.get("penalty", "l1")
        if kind == "k-sparse":
            k = self.size("k", 25)
            least = h.topk(k, dim=1).values[:, -1:].detach()
            h = h * (h >= least)
            return nats(self.net["decoder"](h), b.x)
        if kind == "l1":
            h = F.relu(h)
            penalty = 0.1 * h.abs().sum(1).mean()
        else:
            h = torch.sigmoid(h)
            mean, rho = h.mean(0), 0.05
            on = rho * torch.log(rho / mean)
            off = (1 - rho) * torch.log((1 - rho) / (1 - mean))
            penalty = 3 * (on + off).sum()
        return nats(self.net["decoder"](h), b.x) + penalty


class ContractiveAe(OneLayer):
    tied = "yes"

    def loss(self, b, draws):
        x = b.x.clone().requires_grad_()
        h = torch.sigmoid(self.net["encoder"](x))
        way = self.options.get("jacobian", "closed")
        if way == "sampled":
            v = [draws.normal(*h.shape)]
        else:  # row by row, whatever the engine does
            v = torch.eye(h.shape[1]).unsqueeze(1).expand(-1, len(x), -1)
        rows = (
            torch.autograd.grad(h, x, one, create_graph=True)[0] for one in v
        )
        norm = sum((row**2).sum(1) for row in rows).mean()
        if self.faithful:
            norm = torch.round(norm.detach() - 0.5)
        return nats(self.net["decoder"](h), b.x) + 0.1 * norm


class DenoisingAe(OneLayer):
    hidden, tied = 500, "yes"

    def build(self):
        if not self.says("net", "conv"):
            return super().build()
        return {"encoder": two_convs(16), "decoder": two_deconvs(16)}

    def spoil(self, x, draws):
        if self.options.get("noise", "masking") == "masking":
            return x * draws.bernoulli(1 - self.number("rate", 0.3), x.shape)
        noise = 0.5 * draws.normal(*x.shape)
        if self.faithful and self.says("net", "conv"):
            noise = noise + 0.5
        return torch.clamp(x + noise, 0, 1)

    def loss(self, b, draws):
        x = self.spoil(b.x, draws)
        if self.says("net", "conv"):
            y = self.net["decoder"](self.net["encoder"](images(x)))
            return ((torch.sigmoid(y) - b.x) ** 2).sum() / len(x)
        code = torch.sigmoid(self.net["encoder"](x))
        return nats(self.net["decoder"](code), b.x)


class ConvAe(Model):
    unused = ("encoder.2.bias", "decoder.5.bias", "decoder.8.bias")

    def build(self):
        encoder = nn.Sequential(
            nn.Conv2d(1, 8, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(8, 16, 3, stride=2, padding=1),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(288, 128),
            nn.ReLU(),
        )
        decoder = nn.Sequential(
            nn.Linear(4, 128),
            nn.ReLU(),
            nn.Linear(128, 288),
            nn.ReLU(),
            nn.Unflatten(1, (32, 3, 3)),
            nn.ConvTranspose2d(32, 16, 3, stride=2),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.ConvTranspose2d(16, 8, 3, stride=2, padding=1, output_padding=1),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.ConvTranspose2d(8, 1, 3, stride=2, padding=1, output_padding=1),
            nn.Sigmoid(),
            nn.Flatten(),
        )
        code = nn.Linear(128, 4)
        return {"encoder": encoder, "code": code, "decoder": decoder}

    def loss(self, b, draws):
        code = self.net["code"](self.net["encoder"](images(b.x)))
        return F.mse_loss(self.net["decoder"](code), b.x)


# ---- Variational -----------------------------------------------------------


def kl_normal(mu, std):
    """To N(0, I), [batch]."""
    return (0.5 * (mu**2 + std**2 - 1) - torch.log(std)).sum(1)


class TfpVae(Model):
    def build(self):
        def bend(layer):
            return [layer, nn.LeakyReLU(0.2)]

        same, down = dict(padding=2), dict(padding=2, stride=2)
        up = dict(padding=2, stride=2, output_padding=1)
        latent = 16
        encoder = nn.Sequential(
            *bend(nn.Conv2d(1, 32, 5, **same)),
            *bend(nn.Conv2d(32, 32, 5, **down)),
            *bend(nn.Conv2d(32, 64, 5, **same)),
            *bend(nn.Conv2d(64, 64, 5, **down)),
            *bend(nn.Conv2d(64, 64, 7)),
            nn.Flatten(),
            nn.Linear(64, 2 * latent),
        )
        decoder = nn.Sequential(
            *bend(nn.ConvTranspose2d(latent, 64, 7)),
            *bend(nn.ConvTranspose2d(64, 64, 5, **same)),
            *bend(nn.ConvTranspose2d(64, 64, 5, **up)),
            *bend(nn.ConvTranspose2d(64, 32, 5, **same)),
            *bend(nn.ConvTranspose2d(32, 32, 5, **up)),
            *bend(nn.ConvTranspose2d(32, 32, 5, **same)),
            nn.Conv2d(32, 1, 5, **same),
            nn.Flatten(),
        )
        return {"encoder": encoder, "decoder": decoder}

    def loss(self, b, draws):
        head = self.net["encoder"](images(2 * b.x - 1))
        mu, raw = head.chunk(2, dim=1)
        std = F.softplus(raw + math.log(math.e - 1))
        z = mu + std * draws.normal(*mu.shape)
        logits = self.net["decoder"](z[:, :, None, None])
        return nats(logits, b.x) + kl_normal(mu, std).mean()


MODELS = {
    "ae": Ae,
    "ae-keras": AeKeras,
    "conv-ae": ConvAe,
    "denoising-ae": DenoisingAe,
    "dropout-ae": DropoutAe,
    "sparse-ae": SparseAe,
    "contractive-ae": ContractiveAe,
    "tfp-vae": TfpVae,
}

# What is run: a model and its options, beside the defaults.
RUNS = [
    ("ae", {"tied": "yes"}),
    ("ae-keras", {}),
    ("ae-keras", {"recipe": "faithful", "tied": "yes"}),
    ("conv-ae", {}),
    ("denoising-ae", {}),
    ("denoising-ae", {"noise": "gaussian", "tied": "no"}),
    ("denoising-ae", {"net": "conv", "noise": "gaussian"}),
    (
        "denoising-ae",
        {"net": "conv", "noise": "gaussian", "recipe": "faithful"},
    ),
    ("dropout-ae", {"drop-input": "0.2"}),
    ("sparse-ae", {}),
    ("sparse-ae", {"penalty": "kl", "hidden": "200"}),
    ("sparse-ae", {"penalty": "k-sparse", "tied": "yes"}),
    ("contractive-ae", {"hidden": "100"}),
    ("contractive-ae", {"hidden": "100", "jacobian": "exact"}),
    ("contractive-ae", {"hidden": "100", "jacobian": "sampled"}),
    ("contractive-ae", {"hidden": "100", "recipe": "faithful"}),
    ("tfp-vae", {}),
]
