"""philox.py - the engine's random numbers once more, in numpy.

Philox4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3",
2011) keyed as in tensor/random.h, so that a golden script in Python and the
engine in C draw the same weights, batches, noise and masks from a seed alone.
Words, uniforms, Bernoullis and permutations are equal bit for bit; normals to
the last places of the two libraries' log, sin and cos.

    python3 philox.py        checks the published known answers
"""

import numpy as np

TRAIN, EVAL, INIT, DATA = range(4)  # domains

ROUND = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
WEYL = 0x9E3779B9, 0xBB67AE85
LOW = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)


def rounds(counter, key):
    """Ten rounds over four arrays of 32-bit words, held in 64 bits."""
    c = [np.asarray(word, np.uint64) for word in counter]
    k0, k1 = key
    for _ in range(10):
        p, q = ROUND[0] * c[0], ROUND[1] * c[2]
        c = [
            (q >> HALF) ^ c[1] ^ np.uint64(k0),
            q & LOW,
            (p >> HALF) ^ c[3] ^ np.uint64(k1),
            p & LOW,
        ]
        k0, k1 = (k0 + WEYL[0]) & 0xFFFFFFFF, (k1 + WEYL[1]) & 0xFFFFFFFF
    return c


def words(seed, domain, sequence, count):
    """The first `count` words of a sequence, as uint32."""
    block = np.arange((count + 3) // 4, dtype=np.uint64)
    low, high = np.full_like(block, sequence & 0xFFFFFFFF), sequence >> 32
    counter = block & LOW, block >> HALF, low, np.full_like(block, high)
    key = seed & 0xFFFFFFFF, (seed >> 32) ^ (domain * 0x85EBCA6B & 0xFFFFFFFF)
    out = np.stack(rounds(counter, key), axis=1).reshape(-1)
    return out[:count].astype(np.uint32)


def sequence_of(stream, step):
    """Of the `stream`-th random operation of the `step`-th outermost scope."""
    return stream << 32 | step & 0xFFFFFFFF


def hash_text(text):
    """FNV-1a, 64 bits: the sequence of what has a name."""
    h = 0xCBF29CE484222325
    for byte in text.encode():
        h = (h ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return h


def uniform(seed, domain, sequence, shape):
    """In [0, 1), multiples of 2^-24, float32."""
    w = words(seed, domain, sequence, int(np.prod(shape)))
    return (
        ((w >> np.uint32(8)) * np.float32(2.0**-24))
        .astype(np.float32)
        .reshape(shape)
    )


def normal(seed, domain, sequence, shape):
    """Box and Muller on pairs of words: first the sine, then the cosine.

    Float32, as in tensor/random.c; log, sin and cos are rounded from double,
    which is what the C library's float functions give but for rare last bits.
    """
    count = int(np.prod(shape))
    w = words(seed, domain, sequence, count + count % 2).astype(np.float32)
    scale, tau = np.float32(2.0**-32), np.float32(6.2831855)
    u = w[0::2] * scale + np.float32(2.0**-33)
    angle = w[1::2] * (scale * tau) + np.float32(2.0**-33) * tau

    def rounded(function, x):
        return function(x.astype(np.float64)).astype(np.float32)

    radius = np.sqrt(np.float32(-2) * rounded(np.log, u))
    sine, cosine = rounded(np.sin, angle), rounded(np.cos, angle)
    pair = np.stack([radius * sine, radius * cosine], axis=1)
    return pair.reshape(-1)[:count].reshape(shape)


def bernoulli(seed, domain, sequence, p, shape):
    """1 where the uniform is less than p."""
    u = uniform(seed, domain, sequence, shape)
    return (u < np.float32(p)).astype(np.float32)


def dropout_mask(seed, domain, sequence, p, shape, dtype=np.float32):
    """0 with probability p, else 1 / (1 - p)."""
    kept = uniform(seed, domain, sequence, shape) >= np.float32(p)
    return kept.astype(dtype) * dtype(1 / (1 - p))


def initial(seed, path, bound, shape, dtype=np.float32):
    """Uniform in (-bound, bound), drawn from the parameter's full path."""
    u = uniform(seed, INIT, hash_text(path), shape).astype(dtype)
    return (dtype(2) * u - dtype(1)) * dtype(bound)


def mix(half, key):
    """One round of mixing for a half of at most 31 bits."""
    h = (half ^ key) * 0x9E3779B1 & 0xFFFFFFFF
    h = (h ^ h >> 15) * 0x85EBCA77 & 0xFFFFFFFF
    h = (h ^ h >> 13) * 0xC2B2AE3D & 0xFFFFFFFF
    return h ^ h >> 16


def permutation(seed, stream, n):
    """All places of a permutation of n things: hg_permuted for 0 ... n - 1.

    A Feistel network over the next even power of two, walked on until the
    value falls below n (Black and Rogaway).
    """
    half = 1
    while 1 << 2 * half < n:
        half += 1
    mask = (1 << half) - 1
    keys = [int(word) for word in words(seed, DATA, stream, 8)]

    def walk(value):
        left, right = value >> half, value & mask
        for key in keys:
            left, right = right, left ^ mix(right, key) & mask
        return left << half | right

    places = []
    for index in range(n):
        value = walk(index)
        while value >= n:
            value = walk(value)
        places.append(value)
    return np.array(places)


KNOWN_ANSWERS = [  # Random123, kat_vectors: counter, key, words
    ("00000000 " * 4, "00000000 " * 2, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff " * 4, "ffffffff " * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    (
        "243f6a88 85a308d3 13198a2e 03707344",
        "a4093822 299f31d0",
        "d16cfe09 94fdcceb 5001e420 24126ea1",
    ),
]


def check():
    def parse(text):
        return [int(word, 16) for word in text.split()]

    for counter, key, answer in KNOWN_ANSWERS:
        out = rounds(parse(counter), parse(key))
        assert [int(word) for word in out] == parse(answer), (counter, out)
    for n in 1, 2, 1000, 1024:
        assert sorted(permutation(7, 3, n)) == list(range(n))
    z = normal(1, DATA, 0, 100000)
    assert abs(z.mean()) < 0.02 and abs(z.std() - 1) < 0.02


if __name__ == "__main__":
    check()
    print("philox: the known answers hold")
