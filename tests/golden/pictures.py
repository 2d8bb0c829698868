#!/usr/bin/env python3
"""pictures.py - small pictures of every kind, and what Pillow and PyTorch make
of them.

    python3 tests/golden/pictures.py     writes tests/golden/pictures/

NAME.png or NAME.jpg is read by hourglass, NAME.ppm or NAME.pgm holds the pixels
that Pillow reads from it. fit-*.ppm are scene.png at another size by PyTorch's
interpolate(antialias=True).
"""
import pathlib
import struct
import zlib

import numpy
import torch
from PIL import Image

HERE = pathlib.Path(__file__).resolve().parent / "pictures"
WIDTH, HEIGHT = 23, 17


def scene():
    """[h, w, 3] bytes with edges, slopes and a little texture."""
    y, x = numpy.mgrid[0:HEIGHT, 0:WIDTH]
    red = 255 * x / (WIDTH - 1)
    green = 255 * y / (HEIGHT - 1)
    blue = 255 * ((x // 4 + y // 4) % 2)
    rows = numpy.stack([red, green, blue], -1)
    rows[4:9, 6:15] = 250, 30, 60
    return rows.round().astype("u1")


def save(name, image, **options):
    image.save(HERE / name, **options)
    shown = Image.open(HERE / name)
    if "transparency" in shown.info or shown.mode in ("RGBA", "LA"):
        shown = shown.convert("RGBA")
        white = Image.new("RGBA", shown.size, (255, 255, 255, 255))
        shown = Image.alpha_composite(white, shown).convert("RGB")
    grey = shown.mode in ("1", "L", "I", "I;16")
    if shown.mode.startswith("I"):  # 16 bits
        values = numpy.asarray(shown).astype("f8")
        shown = Image.fromarray((values / 257).round().astype("u1"))
    shown = shown.convert("L" if grey else "RGB")
    shown.save((HERE / name).with_suffix(".pgm" if grey else ".ppm"))


def grey16(values):
    """A PNG with 16 bits a pixel, written by hand."""
    def chunk(kind, data):
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 16, 0, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def fitted(name, pixels, height, width):
    x = torch.tensor(pixels).permute(2, 0, 1)[None].double()
    y = torch.nn.functional.interpolate(
        x, (height, width), mode="bilinear", antialias=True,
        align_corners=False)
    rows = (y[0].permute(1, 2, 0) + 0.5).floor().byte().numpy()
    Image.fromarray(rows).save(HERE / name)


def main():
    HERE.mkdir(exist_ok=True)
    rows = scene()
    colour, grey = Image.fromarray(rows), Image.fromarray(rows).convert("L")
    save("scene.png", colour)
    save("grey.png", grey)
    save("palette.png", colour.quantize(16))
    save("bits.png", grey.point(lambda v: 255 * (v > 99)).convert("1"))
    alpha = numpy.dstack([rows, rows[..., 1]])
    save("alpha.png", Image.fromarray(alpha, "RGBA"))
    values = rows[..., 0].astype("u4") * 257 // 2
    (HERE / "deep.png").write_bytes(grey16(values))
    save_deep = Image.fromarray((values / 257).round().astype("u1"))
    save_deep.save(HERE / "deep.pgm")
    save("photo.jpg", colour, quality=90)
    save("photo-grey.jpg", grey, quality=90)
    save("photo-progressive.jpg", colour, quality=90, progressive=True)
    Image.fromarray(alpha, "CMYK").save(HERE / "print.jpg")
    fitted("fit-smaller.ppm", rows, 6, 9)
    fitted("fit-larger.ppm", rows, 31, 40)
    fitted("fit-crop.ppm", rows[:, 3:20], 8, 8)
    print(sum(p.stat().st_size for p in HERE.iterdir()), "bytes")


main()
