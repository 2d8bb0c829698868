"""pytorch.py - the benchmark workloads of `hourglass bench`, in PyTorch.

    python3 pytorch.py [WORKLOAD...] [--variant eager] [--steps N] [--blocks N]
    python3 pytorch.py WORKLOAD --serve

prints one JSON object a workload: the median and least milliseconds a training
step over the blocks, and the peak resident memory. With --serve it reads lines
`run N`, runs one block of N steps for each and prints its JSON line at once;
compare.py uses that to interleave two programs.

This is PyTorch as strong as it can easily be made: data in memory, batches
gathered by index, gradients set to None, Adam fused (where this PyTorch can on
the CPU), no reading of the loss, denormals flushed, no weight gradient that
nobody uses. Variants: eager; channels_last (convolutions); compile
(torch.compile of the losses, on a GPU with its mode reduce-overhead); graph (on
a GPU: the whole step, gather and Adam included, captured by hand as one CUDA
graph). Recipes are the corrected ones of tests/golden/README.md; tfpvae is
described at its class. On a GPU products and convolutions are strict fp32 (no
TF32) and the peak is that of PyTorch's memory there.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

IMAGES = 10240
STEPS = {"aae": 25, "convvae": 50, "tfpvae": 8}  # a block; others 200


def adam(parameters, **options):
    """Fused where it exists for the CPU, else over lists of tensors."""
    parameters = list(parameters)
    if parameters[0].is_cuda:  # the step counter there, so that it is captured
        options["capturable"] = True
    try:
        return torch.optim.Adam(parameters, fused=True, **options)
    except (RuntimeError, TypeError):
        return torch.optim.Adam(parameters, foreach=True, **options)


def layers(sizes, last):
    chain = []
    for i in range(len(sizes) - 1):
        chain += [nn.Linear(sizes[i], sizes[i + 1]), nn.ReLU()]
    chain[-1] = last
    return nn.Sequential(*chain)


class Ae(nn.Module):
    """784-256-64-20 and back, mean squared error."""

    shape, options = (784,), {"lr": 1e-3}

    def __init__(self):
        super().__init__()
        self.encoder = layers((784, 256, 64, 20), nn.Identity())
        self.decoder = layers((20, 64, 256, 784), nn.Sigmoid())

    def loss(self, x):
        return F.mse_loss(self.decoder(self.encoder(x)), x)

    def prepare(self, compiled):
        self.objective = compiled(self.loss)
        self.adam = adam(self.parameters(), **self.options)

    def step(self, x):
        self.adam.zero_grad(set_to_none=True)
        self.objective(x).backward()
        self.adam.step()


class Vae(Ae):
    """Ten latent dimensions; squared error and KL, a sum an image."""

    def __init__(self):
        super().__init__()
        self.decoder = layers((10, 64, 256, 784), nn.Sigmoid())

    def loss(self, x):
        mu, logvar = self.encoder(x).chunk(2, dim=1)
        std = torch.exp(0.5 * logvar)
        y = self.decoder(mu + std * torch.randn_like(std))
        kl = 0.5 * (mu**2 + std**2 - logvar - 1).sum()
        return (F.mse_loss(y, x, reduction="sum") + kl) / len(x)


class ConvVae(Ae):
    """1-8-16-32 channels, kernels of 3, batch norm, four latent dimensions."""

    shape, options = (1, 28, 28), {"lr": 1e-3, "weight_decay": 1e-5}

    def __init__(self):
        nn.Module.__init__(self)
        double = {"stride": 2, "padding": 1}
        self.encoder = nn.Sequential(
            *(nn.Conv2d(1, 8, 3, **double), nn.ReLU()),
            *(nn.Conv2d(8, 16, 3, **double), nn.BatchNorm2d(16), nn.ReLU()),
            *(nn.Conv2d(16, 32, 3, stride=2), nn.ReLU(), nn.Flatten()),
            *(nn.Linear(288, 128), nn.ReLU()),
        )
        self.mu, self.log_sigma = nn.Linear(128, 4), nn.Linear(128, 4)
        double["output_padding"] = 1
        self.decoder = nn.Sequential(
            *(nn.Linear(4, 128), nn.ReLU(), nn.Linear(128, 288), nn.ReLU()),
            nn.Unflatten(1, (32, 3, 3)),
            *(nn.ConvTranspose2d(32, 16, 3, stride=2), nn.BatchNorm2d(16)),
            *(nn.ReLU(), nn.ConvTranspose2d(16, 8, 3, **double)),
            *(nn.BatchNorm2d(8), nn.ReLU()),
            *(nn.ConvTranspose2d(8, 1, 3, **double), nn.Sigmoid()),
        )

    def loss(self, x):
        h = self.encoder(x)
        mu, log_sigma = self.mu(h), self.log_sigma(h)
        sigma = torch.exp(log_sigma)
        y = self.decoder(mu + sigma * torch.randn_like(sigma))
        kl = (0.5 * (sigma**2 + mu**2) - log_sigma - 0.5).sum()
        return (F.mse_loss(y, x, reduction="sum") + kl) / len(x)


class TfpVae(Ae):
    """The convolutional VAE of TensorFlow Probability's examples: kernels of 5,
    32 and 64 channels, a 7x7 bottleneck, 16 latent dimensions, diagonal
    posterior, standard normal prior, Bernoulli likelihood; 741,505 parameters.
    """

    shape = (1, 28, 28)

    def __init__(self):
        nn.Module.__init__(self)

        def chain(kind, *rows):
            """Rows: channels in and out, kernel, stride."""
            for row in rows:
                cin, cout, kernel, stride = row
                options = {"padding": 2 if kernel == 5 else 0, "stride": stride}
                if stride == 2 and kind is nn.ConvTranspose2d:
                    options["output_padding"] = 1
                yield kind(cin, cout, kernel, **options)
                yield nn.LeakyReLU(0.2)

        down = (1, 32, 5, 1), (32, 32, 5, 2), (32, 64, 5, 1), (64, 64, 5, 2)
        up = (16, 64, 7, 1), (64, 64, 5, 1), (64, 64, 5, 2), (64, 32, 5, 1)
        self.encoder = nn.Sequential(
            *chain(nn.Conv2d, *down, (64, 64, 7, 1)),
            *(nn.Flatten(), nn.Linear(64, 32)),
        )
        self.decoder = nn.Sequential(
            *chain(nn.ConvTranspose2d, *up, (32, 32, 5, 2), (32, 32, 5, 1)),
            nn.Conv2d(32, 1, 5, padding=2),
        )

    def loss(self, x):
        mu, raw = self.encoder(2 * x - 1).chunk(2, dim=1)
        std = F.softplus(raw + 0.5413)
        z = mu + std * torch.randn_like(std)
        y = self.decoder(z.reshape(-1, 16, 1, 1))
        bce = F.binary_cross_entropy_with_logits(y, x, reduction="sum")
        kl = (0.5 * (std**2 + mu**2 - 1) - torch.log(std)).sum()
        return (bce + kl) / len(x)


class Aae(nn.Module):
    """784-1000-1000-120 and back, critic 120-500-500-1; three sub-steps."""

    shape = (784,)

    def __init__(self):
        super().__init__()

        def chain(first, width, last, p, relu):
            second = [nn.Dropout(p), nn.ReLU()] if relu else [nn.Dropout(p)]
            return nn.Sequential(
                *(nn.Linear(first, width), nn.Dropout(p), nn.ReLU()),
                *(nn.Linear(width, width), *second, nn.Linear(width, last)),
            )

        self.encoder = chain(784, 1000, 120, 0.25, True)
        self.decoder = chain(120, 1000, 784, 0.25, False)
        self.critic = chain(120, 500, 1, 0.2, True)

    def reconstruction(self, x):
        y = self.decoder(self.encoder(x))
        return F.binary_cross_entropy_with_logits(y, x)

    def discrimination(self, x):
        with torch.no_grad():
            fake = self.encoder(x)
        real = 5 * torch.randn_like(fake)
        real, fake = self.critic(torch.cat([real, fake])).chunk(2)
        return (F.softplus(-real) + F.softplus(fake)).mean()

    def generation(self, x):
        return F.softplus(-self.critic(self.encoder(x))).mean()

    def prepare(self, compiled):
        encoder = list(self.encoder.parameters())
        decoder = list(self.decoder.parameters())
        critic = list(self.critic.parameters())
        recon = [adam(decoder, lr=1e-4), adam(encoder, lr=1e-4)]
        phases = (
            (self.reconstruction, encoder + decoder, recon),
            (self.discrimination, critic, [adam(critic, lr=5e-5)]),
            (self.generation, encoder, [adam(encoder, lr=5e-5)]),
        )
        self.phases = [
            (compiled(loss), parameters, adams)
            for loss, parameters, adams in phases
        ]
        self.adam = recon[0]

    def step(self, x):
        for loss, parameters, adams in self.phases:
            for parameter in parameters:
                parameter.grad = None
            loss(x).backward(inputs=parameters)
            for optimiser in adams:
                optimiser.step()


WORKLOADS = {
    "ae-b32": Ae,
    "ae-b128": Ae,
    "vae-b32": Vae,
    "aae-b100": Aae,
    "convvae-b256": ConvVae,
    "tfpvae-b64": TfpVae,
}


def compiler(variant, device):
    """What becomes of a loss."""
    if variant != "compile":
        return lambda loss: loss
    mode = "reduce-overhead" if device == "cuda" else "default"
    return lambda loss: torch.compile(loss, mode=mode)


class Runner:
    """One workload, warmed up."""

    def __init__(self, workload, variant, device):
        torch.manual_seed(1)
        self.workload, self.variant, self.device = workload, variant, device
        self.batch = int(workload.rpartition("b")[2])
        self.model = WORKLOADS[workload]().to(device)
        self.images = torch.rand(IMAGES, *self.model.shape, device=device)
        if workload.startswith("tfp"):
            self.images = (self.images < 0.5).float()
        if variant == "channels_last":
            self.model = self.model.to(memory_format=torch.channels_last)
        self.model.prepare(compiler(variant, device))
        self.order, self.next = self.shuffled(), 0
        self.step = self.captured() if variant == "graph" else self.plain
        self.block(10)

    def shuffled(self):
        return torch.randperm(IMAGES, device=self.device)

    def plain(self):
        if self.next + self.batch > IMAGES:
            self.order, self.next = self.shuffled(), 0
        chosen = self.order[self.next : self.next + self.batch]
        self.next += self.batch
        x = self.images[chosen]
        if self.variant == "channels_last":
            x = x.contiguous(memory_format=torch.channels_last)
        if self.variant == "compile" and self.device == "cuda":
            torch.compiler.cudagraph_mark_step_begin()
        self.model.step(x)

    def captured(self):
        """A step whose cursor lies on the device and advances in the graph."""
        places = torch.arange(self.batch, device=self.device)
        cursor = torch.zeros(1, dtype=torch.int64, device=self.device)

        def whole():
            chosen = self.order[(cursor + places) % IMAGES]
            self.model.step(self.images[chosen])
            cursor.add_(self.batch)

        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):  # PyTorch asks for a warm-up
            for _ in range(3):
                whole()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            whole()
        return graph.replay

    def block(self, steps):
        """Milliseconds a step."""
        self.wait()
        start = time.perf_counter()
        for _ in range(steps):
            self.step()
        self.wait()
        return 1000 * (time.perf_counter() - start) / steps

    def wait(self):
        if self.device == "cuda":
            torch.cuda.synchronize()

    def report(self, steps, times):
        fused = self.model.adam.defaults.get("fused")
        return {
            "workload": self.workload,
            "device": self.device,
            "threads": torch.get_num_threads(),
            "variant": self.variant,
            "ms_per_step": round(statistics.median(times), 4),
            "ms_min": round(min(times), 4),
            "steps": steps,
            "peak_mib": round(peak_mib(self.device), 1),
            "version": f"PyTorch {torch.__version__}",
            "adam": "fused" if fused else "foreach",
        }


def peak_mib(device):
    if device == "cuda":
        return torch.cuda.max_memory_reserved() / 2**20
    with open("/proc/self/status") as status:
        rows = dict(line.split(":", 1) for line in status)
    return int(rows["VmHWM"].split()[0]) / 1024


def serve(runner):
    for line in sys.stdin:
        steps = int(line.split()[-1])
        print(
            json.dumps(runner.report(steps, [runner.block(steps)])), flush=True
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD")
    parser.add_argument("--variant", default="eager")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, help="in a block")
    parser.add_argument("--blocks", type=int, default=7)
    parser.add_argument("--serve", action="store_true")
    arguments = parser.parse_args()
    workloads = arguments.workloads or list(WORKLOADS)
    unknown = [name for name in workloads if name not in WORKLOADS]
    if unknown:
        parser.error(
            f"no workload {unknown[0]}; there are {', '.join(WORKLOADS)}"
        )
    if len(workloads) > 1:  # a process each, so that each has its own peak
        options = [word for word in sys.argv[1:] if word not in workloads]
        for name in workloads:
            subprocess.run(
                [sys.executable, __file__, name, *options], check=True
            )
        return
    # Strict fp32: convolutions would take TF32 unasked.
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)
    name = workloads[0]
    runner = Runner(name, arguments.variant, arguments.device)
    if arguments.serve:
        serve(runner)
        return
    steps = arguments.steps or STEPS.get(name.partition("-")[0], 200)
    times = [runner.block(steps) for _ in range(arguments.blocks)]
    print(json.dumps(runner.report(steps, times)))


if __name__ == "__main__":
    main()
