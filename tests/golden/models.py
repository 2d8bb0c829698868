"""models.py - the first models as training.py runs them, both recipes.

A model has a net of named parts, and step(x, draws), which makes one training
step on a batch and returns its losses. README.md has the same in tables.
"""

import torch
from torch import nn
from torch.nn import functional as F

from nets import conv_nets

TINY = 1e-15


class Plain:
    """A loss that one Adam minimises; `loss` gives the whole batch's."""

    rate, weight_decay, glorot = 1e-3, 0, False

    def __init__(self, recipe):
        self.faithful = recipe == "faithful"
        self.net = nn.ModuleDict(self.build())

    def optimise(self):
        self.adam = torch.optim.Adam(
            self.net.parameters(), lr=self.rate, weight_decay=self.weight_decay
        )

    def step(self, x, draws):
        self.adam.zero_grad()
        loss = self.loss(x, draws)
        loss.backward()
        self.adam.step()
        return {"loss": loss.item()}


def layers(sizes, activation, last):
    """Linear layers with activations between, and `last` after the last."""
    chain = []
    for i in range(len(sizes) - 1):
        chain.append(nn.Linear(sizes[i], sizes[i + 1]))
        chain.append(activation() if i < len(sizes) - 2 else last())
    return nn.Sequential(*chain)


class Ae(Plain):
    batch, sizes, activation = 32, (784, 256, 64, 20), nn.ReLU

    def build(self):
        code = self.activation if self.faithful else nn.Identity
        return {
            "encoder": layers(self.sizes, self.activation, code),
            "decoder": layers(self.sizes[::-1], self.activation, nn.Sigmoid),
        }

    def loss(self, x, draws):
        return F.mse_loss(self.net["decoder"](self.net["encoder"](x)), x)


class AeLeaky(Ae):
    batch, sizes, glorot = 128, (784, 256, 128, 64), True

    @staticmethod
    def activation():
        return nn.LeakyReLU(0.2)


class Vae(Plain):
    batch = 32

    def build(self):
        head = nn.ReLU if self.faithful else nn.Identity
        return {
            "encoder": layers((784, 256, 64, 20), nn.ReLU, head),
            "decoder": layers((10, 64, 256, 784), nn.ReLU, nn.Sigmoid),
        }

    def loss(self, x, draws):
        mu, second = self.net["encoder"](x).chunk(2, dim=1)
        std = second if self.faithful else torch.exp(0.5 * second)
        y = self.net["decoder"](mu + std * draws.normal(len(x), 10))
        if self.faithful:
            terms = mu**2 + std**2 - torch.log(1e-8 + std**2) - 1
            return F.mse_loss(y, x) + 0.5 * terms.sum() / x.numel()
        kl = 0.5 * (mu**2 + torch.exp(second) - second - 1).sum(1)
        return (((y - x) ** 2).sum(1) + kl).mean()


class ConvVae(Plain):
    batch, weight_decay = 256, 1e-5

    def build(self):
        encoder, decoder = conv_nets()
        mu, log_sigma = nn.Linear(128, 4), nn.Linear(128, 4)
        return dict(
            encoder=encoder, mu=mu, log_sigma=log_sigma, decoder=decoder
        )

    # Biases that batch norm takes away again: their gradient is rounding.
    unused = (
        "encoder.2.bias encoder.3.running_mean decoder.5.bias "
        "decoder.6.running_mean decoder.8.bias decoder.9.running_mean"
    ).split()

    def loss(self, x, draws):
        x = x.reshape(-1, 1, 28, 28)
        h = self.net["encoder"](x)
        mu, log_sigma = self.net["mu"](h), self.net["log_sigma"](h)
        sigma = torch.exp(log_sigma)
        y = self.net["decoder"](mu + sigma * draws.normal(len(x), 4))
        sse = ((y - x) ** 2).sum()
        if self.faithful:
            return sse + (sigma**2 + mu**2 - log_sigma - 0.5).sum()
        kl = (0.5 * (sigma**2 + mu**2) - log_sigma - 0.5).sum()
        return (sse + kl) / len(x)


class Aae(Plain):
    """Three sub-steps and four Adams; dropout stands before the ReLU."""

    batch, code = 100, 120

    def build(self):
        def chain(first, width, last, p, relu):
            dropout = nn.Dropout(p)
            second = [dropout, nn.ReLU()] if relu else [dropout]
            return nn.Sequential(
                *(nn.Linear(first, width), dropout, nn.ReLU()),
                *(nn.Linear(width, width), *second, nn.Linear(width, last)),
            )

        return {
            "encoder": chain(784, 1000, self.code, 0.25, True),
            "decoder": chain(self.code, 1000, 784, 0.25, False),
            "critic": chain(self.code, 500, 1, 0.2, True),
        }

    def optimise(self):
        def adam(part, rate):
            return torch.optim.Adam(self.net[part].parameters(), lr=rate)

        self.recon = adam("decoder", 1e-4), adam("encoder", 1e-4)
        self.critic, self.generator = (
            adam("critic", 5e-5),
            adam("encoder", 5e-5),
        )

    def run(self, part, x, draws):
        """`draws` None switches the dropout off."""
        for module in self.net[part]:
            if isinstance(module, nn.Dropout):
                x = draws.dropout(x, module.p) if draws else x
            else:
                x = module(x)
        return x

    def clear(self, every=True):
        """The faithful recipe clears once a step and not between phases."""
        if every or not self.faithful:
            self.net.zero_grad()

    def step(self, x, draws):
        self.clear()
        recon = self.reconstruction(x, draws)
        recon.backward()
        for adam in self.recon:
            adam.step()

        self.clear(every=False)
        real = self.run("critic", 5 * draws.normal(len(x), self.code), draws)
        fake = self.run("encoder", x, None if self.faithful else draws)
        if not self.faithful:
            fake = fake.detach()
        critic = self.critic_loss(real, self.run("critic", fake, draws))
        critic.backward()
        self.critic.step()

        self.clear(every=False)
        fake = self.run("critic", self.run("encoder", x, draws), draws)
        generator = self.generator_loss(fake)
        generator.backward()
        self.generator.step()
        losses = dict(recon=recon, critic=critic, generator=generator)
        return {name: loss.item() for name, loss in losses.items()}

    def reconstruction(self, x, draws):
        y = self.run("decoder", self.run("encoder", x, draws), draws)
        if self.faithful:
            return F.binary_cross_entropy(torch.sigmoid(y) + TINY, x)
        return F.binary_cross_entropy_with_logits(y, x)

    def critic_loss(self, real, fake):
        if self.faithful:
            real, fake = torch.sigmoid(real), torch.sigmoid(fake)
            return -(torch.log(real + TINY) + torch.log(1 - fake + TINY)).mean()
        return (F.softplus(-real) + F.softplus(fake)).mean()

    def generator_loss(self, fake):
        if self.faithful:
            return -torch.log(torch.sigmoid(fake) + TINY).mean()
        return F.softplus(-fake).mean()


MODELS = {
    "ae": Ae,
    "ae-leaky": AeLeaky,
    "vae": Vae,
    "aae": Aae,
    "conv-vae": ConvVae,
}
