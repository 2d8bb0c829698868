"""zoo_models.py - the models of the zoo as zoo.py runs them.

Each has named parts with the engine's paths and loss(batch, draws), the mean
over the batch; those with several losses have step(batch, draws) instead, which
trains and returns the losses by name.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F

from nets import conv_nets


class Model:
    """Options are the engine's texts; `glorot` changes the initial weights."""

    glorot = False
    prepared = False  # by the data, which `prepare` then sees
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

    def spoil(self, x, draws):
        if self.options.get("noise", "masking") == "masking":
            return x * draws.bernoulli(1 - self.number("rate", 0.3), x.shape)
        return torch.clamp(x + 0.5 * draws.normal(*x.shape), 0, 1)

    def loss(self, b, draws):
        code = torch.sigmoid(self.net["encoder"](self.spoil(b.x, draws)))
        return nats(self.net["decoder"](code), b.x)


class ConvDenoisingAe(Model):
    def build(self):
        return {"encoder": two_convs(16), "decoder": two_deconvs(16)}

    def loss(self, b, draws):
        noise = 0.5 * draws.normal(*b.x.shape) + (0.5 if self.faithful else 0)
        x = torch.clamp(b.x + noise, 0, 1)
        y = self.net["decoder"](self.net["encoder"](images(x)))
        return ((torch.sigmoid(y) - b.x) ** 2).sum() / len(x)


class ConvAe(Model):
    unused = ("encoder.2.bias", "decoder.5.bias", "decoder.8.bias")

    def build(self):
        encoder, decoder = conv_nets()
        decoder.append(nn.Flatten())
        code = nn.Linear(128, 4)
        return {"encoder": encoder, "code": code, "decoder": decoder}

    def loss(self, b, draws):
        code = self.net["code"](self.net["encoder"](images(b.x)))
        return F.mse_loss(self.net["decoder"](code), b.x)


class Pca(Model):
    """Of all the images of the five steps; no parameters."""

    prepared = True

    def build(self):
        return {}

    def prepare(self, x):
        self.mean = x.mean(0)
        _, _, axes = torch.linalg.svd(x - self.mean, full_matrices=False)
        self.axes = axes[: self.size("latent", 20)]

    def loss(self, b, draws):
        code = (b.x - self.mean) @ self.axes.T
        return F.mse_loss(code @ self.axes + self.mean, b.x)


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
        latent, k = 16, self.size("components", 1)
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
        net = {"encoder": encoder, "decoder": decoder}
        if k > 1:
            net["prior"] = prior = nn.Module()
            prior.logits = nn.Parameter(torch.zeros(k))
            prior.mu = nn.Parameter(torch.zeros(k, latent))
            prior.raw = nn.Parameter(torch.zeros(k, latent))
            self.drawn = {"prior.mu": math.sqrt(6 / (k + latent))}
        return net

    def log_prior(self, z):
        """[..., 16] -> [...]"""
        if "prior" not in self.net:
            one = torch.ones(())
            normal = torch.distributions.Normal(0 * one, one)
            return normal.log_prob(z).sum(-1)
        p = self.net["prior"]
        std = F.softplus(p.raw + math.log(math.e - 1))
        each = torch.distributions.Normal(p.mu, std)
        joint = each.log_prob(z[..., None, :]).sum(-1)
        return torch.logsumexp(joint + torch.log_softmax(p.logits, 0), -1)

    def loss(self, b, draws):
        head = self.net["encoder"](images(2 * b.x - 1))
        mu, raw = head.chunk(2, dim=1)
        std = F.softplus(raw + math.log(math.e - 1))
        n = self.size("samples", 1)
        z = mu + std * draws.normal(n, *mu.shape)
        flat = z.reshape(-1, 16, 1, 1)
        logits = self.net["decoder"](flat)
        bce = nats(logits, b.x.repeat(n, 1))
        if self.options.get("kl", "auto") == "auto" and "prior" not in self.net:
            return bce + kl_normal(mu, std).mean()
        q = torch.distributions.Normal(mu, std).log_prob(z).sum(-1)
        return bce + (q - self.log_prior(z)).mean()


def mlp(bend, *widths):
    chain = []
    for i in range(len(widths) - 1):
        chain += [bend()] if i else []
        chain.append(nn.Linear(widths[i], widths[i + 1]))
    return nn.Sequential(*chain)


class VaePytorch(Model):
    """Bernoulli pixels, log variance; `encode` takes what loss gives it."""

    hidden, latent = 400, 20

    def build(self):
        h, d = self.size("hidden", self.hidden), self.latent
        encoder, decoder = mlp(nn.ReLU, 784, h, 2 * d), mlp(nn.ReLU, d, h, 784)
        return {"encoder": encoder, "decoder": decoder}

    def posterior(self, x):
        mu, log_var = self.net["encoder"](x).chunk(2, dim=1)
        return mu, torch.exp(log_var / 2)

    def loss(self, b, draws):
        mu, std = self.posterior(b.x)
        z = mu + std * draws.normal(*mu.shape)
        kl = kl_normal(mu, std).mean()
        return nats(self.net["decoder"](z), b.x) + self.beta() * kl

    def beta(self):
        return 1


class ConvPosterior(VaePytorch):
    """Keras' convolutions, `features` units, and two heads."""

    features = 16

    def build(self):
        encoder = nn.Sequential(
            *two_convs(self.features),
            nn.ReLU(),
            nn.Linear(self.features, 2 * self.latent),
        )
        return {"encoder": encoder, "decoder": two_deconvs(self.latent)}

    def posterior(self, x):
        return super().posterior(images(x))


class VaeKeras(VaePytorch):
    hidden, latent = 512, 2

    def loss(self, b, draws):
        if not self.faithful:
            return super().loss(b, draws)
        mu, std = self.posterior(b.x)
        z = mu + 0.01 * std * draws.normal(*mu.shape)
        bce = nats(self.net["decoder"](z), b.x) / 784
        return bce + kl_normal(mu, std).mean()


class VaeKerasConv(ConvPosterior):
    latent = 2


class BetaVae(ConvPosterior):
    features, latent = 256, 10

    def beta(self):
        return 4


class Iwae(VaePytorch):
    latent = 50

    def build(self):
        return {
            "encoder": mlp(nn.Tanh, 784, 200, 200, 100),
            "decoder": mlp(nn.Tanh, 50, 200, 200, 784),
        }

    def loss(self, b, draws):
        mu, std = self.posterior(b.x)
        k = self.size("k", 50)
        z = mu + std * draws.normal(k, *mu.shape)
        logits = self.net["decoder"](z)
        x = b.x.expand_as(logits)
        q, one = torch.distributions.Normal(mu, std), torch.ones(())
        prior = torch.distributions.Normal(0 * one, one)
        log_w = -F.binary_cross_entropy_with_logits(
            logits, x, reduction="none"
        ).sum(2)
        log_w = log_w + (prior.log_prob(z) - q.log_prob(z)).sum(2)
        if self.says("bound", "elbo"):
            return -log_w.mean()
        return -(torch.logsumexp(log_w, 0) - math.log(k)).mean()


class Cvae(VaePytorch):
    def build(self):
        given = 1568 if self.says("given", "quadrants") else 10
        return {
            "encoder": mlp(nn.ReLU, 784 + given, 400, 40),
            "decoder": mlp(nn.ReLU, 20 + given, 400, 784),
        }

    def visible(self, n, draws):
        """Quarters whose number is among the `many` smallest of four."""
        u, many = draws.uniform(n, 4), 4 * draws.uniform(n, 1)
        rank = u.argsort(1).argsort(1) + 1
        shown = (rank <= many).double().reshape(n, 2, 1, 2, 1)
        return shown.expand(n, 2, 14, 2, 14).reshape(n, 784)

    def loss(self, b, draws):
        hidden, c = torch.ones(()), b.one_hot
        if self.says("given", "quadrants"):
            visible = self.visible(len(b.x), draws)
            hidden, c = 1 - visible, torch.cat([b.x * visible, visible], 1)
        mu, std = self.posterior(torch.cat([b.x, c], 1))
        z = mu + std * draws.normal(*mu.shape)
        logits = self.net["decoder"](torch.cat([z, c], 1))
        bce = F.binary_cross_entropy_with_logits(logits, b.x, reduction="none")
        return (hidden * bce).sum(1).mean() + kl_normal(mu, std).mean()


# ---- Several losses --------------------------------------------------------


def adam(parameters, rate, **more):
    return torch.optim.Adam(parameters, lr=rate, **more)


def minimise(loss, *optimizers):
    """Only what these optimisers hold receives a gradient."""
    for optimizer in optimizers:
        parameters = optimizer.param_groups[0]["params"]
        for p in parameters:
            p.grad = None
    held = [p for o in optimizers for p in o.param_groups[0]["params"]]
    gradients = torch.autograd.grad(loss, held, retain_graph=True)
    for p, g in zip(held, gradients):
        p.grad = g
    for optimizer in optimizers:
        optimizer.step()
    return loss


def critic_loss(real, fake):
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def generator_loss(fake):
    return F.softplus(-fake).mean()


class Vade(VaePytorch):
    """All together, from the initial weights; the mixture's means are drawn."""

    latent = 10

    def build(self):
        h = self.size("hidden", 500)
        mixture = nn.Module()
        mixture.logits = nn.Parameter(torch.zeros(10))
        mixture.mu = nn.Parameter(torch.zeros(10, 10))
        mixture.raw = nn.Parameter(torch.zeros(10, 10))
        return {
            "encoder": mlp(nn.ReLU, 784, h, h, 4 * h, 20),
            "decoder": mlp(nn.ReLU, 10, 4 * h, h, h, 784),
            "mixture": mixture,
        }

    drawn = {"mixture.mu": 1}

    def optimise(self):
        nets = [*self.net["encoder"].parameters()]
        nets += self.net["decoder"].parameters()
        self.nets = adam(nets, 2e-3, eps=1e-4)
        self.mixture = adam(self.net["mixture"].parameters(), 2e-3, eps=1e-4)

    def step(self, b, draws):
        g = self.net["mixture"]
        mu, std = self.posterior(b.x)
        z = mu + std * draws.normal(*mu.shape)
        log_pi = torch.log_softmax(g.logits, 0)
        sigma = torch.exp(g.raw / 2)
        each = torch.distributions.Normal(g.mu, sigma)
        joint = log_pi + each.log_prob(z[:, None]).sum(2)
        gamma = torch.softmax(joint, 1)
        here = torch.distributions.Normal(mu[:, None], std[:, None])
        apart = torch.distributions.kl_divergence(here, each).sum(2)
        kl = (gamma * (apart + torch.log(gamma) - log_pi)).sum(1).mean()
        loss = nats(self.net["decoder"](z), b.x) + kl
        return {"loss": minimise(loss, self.nets, self.mixture)}


class Gan(Model):
    def build(self):
        eps = 0.8 if self.faithful else 1e-5
        h = self.size("hidden", 128)

        def normed(a, b):
            norm = nn.BatchNorm1d(b, eps=eps)
            return nn.Sequential(nn.Linear(a, b), norm, nn.LeakyReLU(0.2))

        generator = nn.Sequential(
            nn.Linear(100, h),
            nn.LeakyReLU(0.2),
            *normed(h, 2 * h),
            *normed(2 * h, 4 * h),
            *normed(4 * h, 8 * h),
            nn.Linear(8 * h, 784),
            nn.Tanh(),
        )
        critic = mlp(lambda: nn.LeakyReLU(0.2), 784, 4 * h, 2 * h, 1)
        return {"generator": generator, "critic": critic}

    # Biases that batch norm takes away again: Adam moves them by rounding.
    unused = ("generator.2.bias", "generator.5.bias", "generator.8.bias")

    def optimise(self):
        self.generator, self.critic = (
            adam(self.net[name].parameters(), 2e-4, betas=(0.5, 0.999))
            for name in ("generator", "critic")
        )

    def step(self, b, draws):
        critic = self.net["critic"]
        fake = self.net["generator"](draws.normal(len(b.x), 100))
        fooled = minimise(generator_loss(critic(fake)), self.generator)
        loss = critic_loss(critic(2 * b.x - 1), critic(fake.detach())) / 2
        return {"generator": fooled, "loss": minimise(loss, self.critic)}


class DropoutMlp(nn.Module):
    """Layers "0", "3" and "6" or "5": linear, dropout, ReLU, twice."""

    def __init__(self, first, width, last, p, relu):
        super().__init__()
        self.p, self.relu, self.last = p, relu, "6" if relu else "5"
        self.add_module("0", nn.Linear(first, width))
        self.add_module("3", nn.Linear(width, width))
        if last:
            self.add_module(self.last, nn.Linear(width, last))

    def forward(self, x, draws):
        """`draws` None switches the dropout off."""
        for name in "0", "3":
            x = F.relu(x) if name == "3" else x
            x = getattr(self, name)(x)
            x = draws.dropout(x, self.p) if draws else x
        x = F.relu(x) if self.relu else x
        return getattr(self, self.last)(x) if hasattr(self, self.last) else x


class AaeSupervised(Model):
    def build(self):
        h, k = self.size("hidden", 1000), self.size("critic", 1000)
        return {
            "encoder": DropoutMlp(784, h, 2, 0.2, True),
            "decoder": DropoutMlp(12, h, 784, 0.2, False),
            "critic": DropoutMlp(2, k, 1, 0.2, True),
        }

    def optimise(self):
        part = {name: list(net.parameters()) for name, net in self.net.items()}
        self.recon = adam(part["decoder"], 1e-4), adam(part["encoder"], 1e-4)
        self.critic = adam(part["critic"], 5e-5)
        self.generator = adam(part["encoder"], 5e-5)

    def step(self, b, draws):
        encoder, decoder, critic = (self.net[n] for n in self.net)
        code = torch.cat([encoder(b.x, draws), b.one_hot], 1)
        recon = F.binary_cross_entropy_with_logits(decoder(code, draws), b.x)
        minimise(recon, *self.recon)
        real = critic(5 * draws.normal(len(b.x), 2), draws)
        style = encoder(b.x, draws).detach()
        told = critic_loss(real, critic(style, draws))
        minimise(told, self.critic)
        style = encoder(b.x, draws)
        fooled = generator_loss(critic(style, draws))
        minimise(fooled, self.generator)
        return {"loss": recon, "critic": told, "generator": fooled}


class AaeSteady(Model):
    """aae --game steady: the critic has a gradient penalty and no dropout,
    and codes for the game are made without."""

    def build(self):
        h, k = self.size("hidden", 1000), self.size("critic", 500)
        d = self.size("latent", 120)
        return {
            "encoder": DropoutMlp(784, h, d, 0.25, True),
            "decoder": DropoutMlp(d, h, 784, 0.25, False),
            "critic": DropoutMlp(d, k, 1, 0, True),
        }

    def optimise(self):
        part = {name: list(net.parameters()) for name, net in self.net.items()}
        self.recon = adam(part["decoder"], 1e-4), adam(part["encoder"], 1e-4)
        self.critic = adam(part["critic"], 1e-3, betas=(0.5, 0.999))
        self.generator = adam(part["encoder"], 2e-4, betas=(0.5, 0.999))

    def step(self, b, draws):
        encoder, decoder, critic = (self.net[n] for n in self.net)
        logits = decoder(encoder(b.x, draws), draws)
        recon = F.binary_cross_entropy_with_logits(logits, b.x)
        minimise(recon, *self.recon)
        z = 5 * draws.normal(len(b.x), self.size("latent", 120))
        z.requires_grad_()
        real = critic(z, draws)
        fake = critic(encoder(b.x, None).detach(), draws)
        told = critic_loss(real, fake)
        (slope,) = torch.autograd.grad(real.sum(), z, create_graph=True)
        penalty = 25 * (slope**2).sum(1).mean()
        minimise(told + 0.05 * penalty, self.critic)
        fooled = generator_loss(critic(encoder(b.x, None), draws))
        minimise(fooled, self.generator)
        return {"loss": recon, "critic": told, "generator": fooled}


class AaeSemi(Model):
    """The labelled batch is the batch itself. Without labels: aae-cluster."""

    classes, style, labels = 10, 2, True

    def build(self):
        h, k = self.size("hidden", 1000), self.size("critic", 1000)
        encoder = DropoutMlp(784, h, None, 0.25, True)
        encoder.add_module("style", nn.Linear(h, self.style))
        encoder.add_module("label", nn.Linear(h, self.classes))
        critics = nn.ModuleDict(
            {
                "style": DropoutMlp(self.style, k, 1, 0.2, True),
                "label": DropoutMlp(self.classes, k, 1, 0.2, True),
            }
        )
        width = self.style + self.classes
        decoder = DropoutMlp(width, h, 784, 0.25, False)
        return {"encoder": encoder, "decoder": decoder, "critic": critics}

    def optimise(self):
        part = {name: list(net.parameters()) for name, net in self.net.items()}
        self.recon = adam(part["decoder"], 6e-4), adam(part["encoder"], 6e-4)
        self.critics = adam(part["critic"], 8e-4)
        self.generator = adam(part["encoder"], 8e-4)
        to_label = [
            p
            for name, p in self.net["encoder"].named_parameters()
            if not name.startswith("style")
        ]
        self.to_label = adam(to_label, 1e-3)

    def encode(self, x, draws):
        encoder = self.net["encoder"]
        h = encoder(x, draws)
        label = torch.softmax(encoder.label(h), 1)
        return torch.cat([encoder.style(h), label], 1)

    def critic(self, name, code, draws):
        d = self.style
        part = code[:, :d] if name == "style" else code[:, d:]
        return self.net["critic"][name](part, draws)

    def step(self, b, draws):
        n, both = len(b.x), ("style", "label")
        logits = self.net["decoder"](self.encode(b.x, draws), draws)
        recon = F.binary_cross_entropy_with_logits(logits, b.x)
        minimise(recon, *self.recon)
        style = draws.normal(n, self.style)
        u = (self.classes * draws.uniform(n)).long()
        one_hot = F.one_hot(u, self.classes).double()
        real = torch.cat([style, one_hot], 1)
        fake = self.encode(b.x, draws).detach()
        real = {name: self.critic(name, real, draws) for name in both}
        told = sum(
            critic_loss(real[name], self.critic(name, fake, draws))
            for name in both
        )
        minimise(told, self.critics)
        fake = self.encode(b.x, draws)
        fooled = sum(
            generator_loss(self.critic(name, fake, draws)) for name in both
        )
        minimise(fooled, self.generator)
        losses = {"loss": recon, "critic": told, "generator": fooled}
        if self.labels:
            encoder = self.net["encoder"]
            logits = encoder.label(encoder(b.x, draws))
            if self.faithful:
                logits = torch.softmax(logits, 1)
            loss = F.cross_entropy(logits, b.label)
            losses["label"] = minimise(loss, self.to_label)
        return losses


class AaeCluster(AaeSemi):
    classes, style, labels = 30, 5, False


MODELS = {
    "ae": Ae,
    "ae-keras": AeKeras,
    "conv-ae": ConvAe,
    "denoising-ae": DenoisingAe,
    "conv-denoising-ae": ConvDenoisingAe,
    "dropout-ae": DropoutAe,
    "sparse-ae": SparseAe,
    "contractive-ae": ContractiveAe,
    "pca": Pca,
    "tfp-vae": TfpVae,
    "vae-keras": VaeKeras,
    "vae-keras conv": VaeKerasConv,
    "vae-pytorch": VaePytorch,
    "beta-vae": BetaVae,
    "iwae": Iwae,
    "cvae": Cvae,
    "vade": Vade,
    "gan": Gan,
    "aae": AaeSteady,
    "aae-supervised": AaeSupervised,
    "aae-semi": AaeSemi,
    "aae-cluster": AaeCluster,
}

# What is run: a model and its options, beside the defaults.
RUNS = [
    ("ae", {"tied": "yes"}),
    ("ae-keras", {}),
    ("ae-keras", {"recipe": "faithful", "tied": "yes"}),
    ("conv-ae", {}),
    ("denoising-ae", {}),
    ("denoising-ae", {"noise": "gaussian", "tied": "no"}),
    ("conv-denoising-ae", {}),
    ("conv-denoising-ae", {"recipe": "faithful"}),
    ("dropout-ae", {"drop-input": "0.2"}),
    ("sparse-ae", {}),
    ("sparse-ae", {"penalty": "kl", "hidden": "200"}),
    ("sparse-ae", {"penalty": "k-sparse", "tied": "yes"}),
    ("contractive-ae", {"hidden": "100"}),
    ("contractive-ae", {"hidden": "100", "jacobian": "exact"}),
    ("contractive-ae", {"hidden": "100", "jacobian": "sampled"}),
    ("contractive-ae", {"hidden": "100", "recipe": "faithful"}),
    ("pca", {"latent": "7"}),
    ("tfp-vae", {}),
    ("tfp-vae", {"kl": "sampled"}),
    ("tfp-vae", {"components": "100", "samples": "3"}),
    ("vae-keras", {}),
    ("vae-keras", {"net": "conv"}),
    ("vae-keras", {"recipe": "faithful"}),
    ("vae-pytorch", {}),
    ("beta-vae", {}),
    ("iwae", {"k": "5"}),
    ("iwae", {"k": "5", "bound": "elbo"}),
    ("cvae", {}),
    ("cvae", {"given": "quadrants"}),
    ("vade", {"hidden": "100"}),
    ("gan", {}),
    ("gan", {"recipe": "faithful"}),
    (
        "aae",
        {"game": "steady", "hidden": "200", "critic": "100", "latent": "6"},
    ),
    ("aae-supervised", {"hidden": "200", "critic": "200"}),
    ("aae-semi", {"hidden": "200", "critic": "200"}),
    ("aae-semi", {"hidden": "200", "critic": "200", "recipe": "faithful"}),
    ("aae-cluster", {"hidden": "200", "critic": "200"}),
]
