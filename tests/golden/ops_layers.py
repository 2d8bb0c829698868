"""ops_layers.py - the cases of ops.py that layers and losses are made of."""

import torch
from torch import distributions as density
from torch.nn import functional as F

from cases import binary, case, index, positive, real, wide


def convolution(name, x, w, transposed=False, **options):
    """x [n, c, h, w], w [out, in, kh, kw]; transposed: w [in, out, kh, kw]."""
    function = F.conv_transpose2d if transposed else F.conv2d
    inputs = real(*x), real(*w), real(w[1] if transposed else w[0])
    case(name, lambda *x: function(*x, **options), *inputs, **options)


def convolutions():
    x, w = (2, 3, 7, 6), (4, 3, 3, 3)
    convolution("conv2d", x, w)
    convolution("conv2d-stride", x, w, stride=2)
    convolution("conv2d-padding", x, w, padding=1)
    x = (2, 3, 9, 8)
    convolution("conv2d-stride-padding", x, w, stride=2, padding=1)
    convolution("conv2d-dilation", x, (4, 3, 3, 2), padding=1, dilation=2)
    convolution("conv2d-oblong", x, (4, 3, 3, 5), stride=3, padding=2)
    convolution("conv2d-point", (2, 3, 5, 4), (6, 3, 1, 1))
    convolution(
        "conv2d-first", (3, 1, 28, 28), (8, 1, 3, 3), stride=2, padding=1
    )
    convolution("conv2d-whole", (2, 5, 7, 7), (6, 5, 7, 7))
    small = real(2, 3, 7, 6), real(4, 3, 3, 3)
    case("conv2d-bare", F.conv2d, *small)


def transposed_convolutions():
    def put(name, x, w, **options):
        convolution(name, x, w, transposed=True, **options)

    w, double = (3, 4, 3, 3), {"stride": 2, "padding": 1}
    put("conv_transpose2d", (2, 3, 5, 4), w)
    put("conv_transpose2d-stride", (2, 3, 3, 3), w, stride=2)
    put("conv_transpose2d-output", (2, 3, 7, 7), w, output_padding=1, **double)
    x = (2, 3, 4, 5)
    put("conv_transpose2d-oblong", x, (3, 2, 3, 5), output_padding=1, **double)
    put("conv_transpose2d-dilation", x, (3, 2, 3, 2), dilation=2)
    put("conv_transpose2d-whole", (2, 16, 1, 1), (16, 5, 7, 7))


def unfolding():
    options = {"stride": 2, "padding": 1, "dilation": 2}

    def unfold(x):
        return F.unfold(x, (3, 2), **options)

    def fold(x):
        return F.fold(x, (7, 6), (3, 2), **options)

    case("unfold", unfold, real(2, 3, 7, 6), kernel=[3, 2], **options)
    columns = real(2, 18, 9)
    case("fold", fold, columns, size=[7, 6], kernel=[3, 2], **options)


def pooling():
    x = real(2, 3, 8, 7)
    for kernel, stride, padding in (2, 2, 0), (3, 2, 1):
        for name in "max_pool2d", "avg_pool2d":

            def pool(x, function=getattr(F, name)):
                return function(x, kernel, stride, padding)

            options = {"kernel": kernel, "stride": stride, "padding": padding}
            case(f"{name}-{kernel}", pool, x, **options)


def resizing():
    x = real(2, 3, 8, 7)
    for size in (16, 14), (20, 9), (5, 4):
        for mode, corners in ("nearest", None), ("bilinear", False):

            def resize(x, mode=mode, corners=corners):
                return F.interpolate(x, size, mode=mode, align_corners=corners)

            name = f"resize-{mode}-{size[0]}x{size[1]}"
            case(name, resize, x, size=list(size), mode=mode)


def batch_norm(name, *shape):
    mean, var = torch.zeros(shape[1]), torch.ones(shape[1])
    inputs = real(*shape), real(shape[1]), real(shape[1])
    case(
        name,
        lambda x, w, b: F.batch_norm(x, mean, var, w, b, True),
        *inputs,
        buffers={"running_mean": mean, "running_var": var},
        training=True,
        momentum=0.1,
        eps=1e-5,
    )


def norms():
    batch_norm("batch_norm-image", 4, 3, 5, 6)
    batch_norm("batch_norm-rows", 9, 7)

    def settled(x, w, b, mean, var):
        return F.batch_norm(x, mean.detach(), var.detach(), w, b, False)

    inputs = real(4, 3, 5, 6), real(3), real(3), real(3), positive(3)
    case("batch_norm-eval", settled, *inputs, training=False, eps=1e-5)
    for name, x, axes in ("rows", (4, 7, 9), 1), ("image", (4, 3, 5, 6), 3):
        last = x[-axes:]

        def layer_norm(x, w, b, last=last):
            return F.layer_norm(x, last, w, b)

        inputs = real(*x), real(*last), real(*last)
        case(f"layer_norm-{name}", layer_norm, *inputs, axes=axes, eps=1e-5)
    for groups in 1, 2, 6:

        def group_norm(x, w, b, groups=groups):
            return F.group_norm(x, groups, w, b)

        inputs = real(4, 6, 5, 3), real(6), real(6)
        case(
            f"group_norm-{groups}", group_norm, *inputs, groups=groups, eps=1e-5
        )


def normal(x, mu, std):
    return density.Normal(mu, std).log_prob(x)


def laplace(x, mu, scale):
    return density.Laplace(mu, scale).log_prob(x)


def logistic(x, mu, scale):
    y = (x - mu) / scale
    return -y - 2 * F.softplus(-y) - torch.log(scale)


def student_t(x, nu, mu, scale):
    return density.StudentT(nu, mu, scale).log_prob(x)


def bernoulli(x, logits):
    return density.Bernoulli(logits=logits).log_prob(x)


def categorical(label, logits):
    return density.Categorical(logits=logits).log_prob(label)


def normal_kl(mu, std, mu2=0.0, std2=1.0):
    normals = density.Normal(mu, std), density.Normal(mu2, std2)
    return density.kl_divergence(*normals)


def densities():
    x, mu, scale = wide(6, 9), wide(6, 9), positive(6, 9)
    row, width = wide(9), positive(9)
    nu, one_nu = real(6, 9, low=1, high=9), real(1, low=1, high=9)
    case("normal_logpdf", normal, x, mu, scale)
    case("normal_logpdf-row", normal, x, row, width)
    case("laplace_logpdf", laplace, x, mu, scale)
    case("logistic_logpdf", logistic, x, mu, scale)
    case("student_t_logpdf", student_t, x, nu, mu, scale)
    case("student_t_logpdf-row", student_t, x, one_nu, row, width)
    logits = real(6, 9, low=-9, high=9)
    case("bernoulli_logpmf", bernoulli, binary(6, 9), logits)
    case("categorical_logpmf", categorical, index(6, below=9), wide(6, 9))
    for axis, weights in (1, (6, 9)), (0, (6, 1)):

        def mixture(weight, parts, axis=axis):
            return torch.logsumexp(weight + parts, axis)

        inputs = wide(*weights), wide(6, 9)
        case(f"mixture_logpdf-{axis}", mixture, *inputs, axis=axis)
    case("normal_kl", normal_kl, mu, scale)
    case("normal_kl_between", normal_kl, mu, scale, mu, scale)


def loss(
    name, function, x, target, *more, reductions=("mean", "sum", "none"), **a
):
    """As PyTorch has them, input first; the target gets no gradient."""
    if "low" in target:
        target = {**target, "target": True}
    for reduction in reductions:

        def reduced(x, target, *more, reduction=reduction):
            options = {key: v for key, v in a.items() if key != "eps"}
            target = target.detach()
            return function(x, target, *more, reduction=reduction, **options)

        inputs = x, target, *more
        case(f"{name}-{reduction}", reduced, *inputs, reduction=reduction, **a)


def losses():
    x, y, share = wide(6, 9), wide(6, 9), real(6, 9, low=0, high=1)
    loss("mse_loss", F.mse_loss, x, y)
    loss("l1_loss", F.l1_loss, x, y)
    loss("huber_loss", F.huber_loss, x, y, delta=1.0)
    mean = ("mean",)
    loss("huber_loss-half", F.huber_loss, x, y, reductions=mean, delta=0.5)
    likely = real(6, 9, low=0.02, high=0.98)
    loss("bce_loss", F.binary_cross_entropy, likely, share)
    logits, function = wide(6, 9), F.binary_cross_entropy_with_logits
    loss("bce_with_logits_loss", function, logits, share)
    loss("cross_entropy_loss", F.cross_entropy, x, index(6, below=9))
    variance = positive(6, 9)
    loss("gaussian_nll_loss", F.gaussian_nll_loss, x, y, variance, eps=1e-6)


TABLES = [convolutions, transposed_convolutions, unfolding, pooling, resizing]
TABLES += [norms, densities, losses]
