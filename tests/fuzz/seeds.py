#!/usr/bin/env python3
"""seeds.py - writes the first inputs of each fuzz target to corpus/TARGET/.

    python3 tests/fuzz/seeds.py        needs numpy

Inputs that were findings are added by hand and stay.
"""
import gzip
import io
import json
import pathlib
import shutil
import struct

import numpy

HERE = pathlib.Path(__file__).resolve().parent
PICTURES = HERE.parent / "golden/pictures"


def put(target, name, data):
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def idx(*shape):
    size = int(numpy.prod(shape))
    head = struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape)
    return head + bytes(i % 251 for i in range(size))


def npy(array, **options):
    out = io.BytesIO()
    numpy.lib.format.write_array(out, array, **options)
    return out.getvalue()


def npz(compressed, **arrays):
    out = io.BytesIO()
    (numpy.savez_compressed if compressed else numpy.savez)(out, **arrays)
    return out.getvalue()


def safetensors(header, data):
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def pack(rows, test, item, kind, labels, values, **other):
    """As datasets/pack.c writes it, without the page of padding."""
    numbers = {"labels_at": 4096, "values_at": 8192 if labels else 4096, **other}
    head = b"HGPACK1\n" + struct.pack(
        "<7q4d2q", rows, test, *item, kind, bool(labels), 0.0,
        other.get("span", 255.0 if kind == 0 else 1.0), 0.0, 1.0,
        numbers["labels_at"], numbers["values_at"])
    text = struct.pack(f"<{len(labels)}i", *labels)
    return head + (text.ljust(4096, b"\0") if labels else b"") + values


def main():
    put("idx", "images", idx(3, 4, 4))
    put("idx", "rank4", idx(2, 3, 2, 2))
    put("idx", "labels", idx(5))
    put("idx", "short", idx(3, 4, 4)[:20])
    for name in "images", "short":
        data = (HERE / "corpus/idx" / name).read_bytes()
        put("gzip", name, gzip.compress(data, mtime=0))
    put("gzip", "plain", idx(2, 2, 2))
    put("gzip", "two", gzip.compress(idx(1, 2, 2), mtime=0) * 2)
    for kind in "u1 f4 f8 i2 i8 b1 >f4 >i4".split():
        put("npy", kind.strip(">") + ("big" if ">" in kind else ""),
            npy(numpy.arange(12).reshape(3, 4).astype(kind)))
    put("npy", "last", npy(numpy.zeros((2, 3, 3, 3), "u1")))
    put("npy", "fortran", npy(numpy.asfortranarray(numpy.eye(3))))
    put("npy", "v2", npy(numpy.zeros((2, 2), "f4"), version=(2, 0)))
    x, y = numpy.zeros((3, 2, 2), "u1"), numpy.arange(3)
    put("npz", "stored", npz(False, x=x, y=y))
    put("npz", "deflated", npz(True, x_train=x, y_train=y, x_test=x))
    put("npz", "other", npz(True, one=x, two=y))
    for text in ("1,2\n3,4\n", "label,a,b\n1,0.5,2\n0,1e-3,-4\n",
                 '"a";"b"\r\n1;2\r\n', "1\t2\n\n3\t4", "\ufeffy,x\n1,2\n",
                 "1,x\n", "1,2\n3\n", ""):
        put("csv", f"{len(text)}-{sum(text.encode())}", text.encode())
    pixels = bytes(range(5 * 12))
    put("pack", "labelled", pack(5, 2, (1, 4, 3), 0, [0, 1, 2, 1, 0], pixels))
    put("pack", "plain", pack(5, 0, (1, 4, 3), 0, [], pixels))
    put("pack", "floats", pack(3, 1, (1, 1, 4), 1, [], bytes(48)))
    put("pack", "doubles", pack(2, 0, (3, 1, 2), 2, [1, 0], bytes(96)))
    put("pack", "long", pack(6, 2, (1, 4, 3), 0, [], pixels))
    put("pack", "label", pack(2, 1, (1, 1, 1), 0, [-1, 2**31 - 1], b"ab"))
    put("pack", "askew", pack(2, 0, (1, 1, 4), 1, [], bytes(35), values_at=4099))
    put("pack", "endless", pack(2, 0, (1, 1, 4), 1, [], bytes(32),
                                span=float("inf")))
    for path in PICTURES.iterdir():
        if path.stat().st_size < 1000:
            shutil.copy(path, HERE / "corpus/picture" / path.name) if (
                HERE / "corpus/picture").is_dir() else put(
                    "picture", path.name, path.read_bytes())
    put("picture", "text.ppm", b"P3 # x\n2 1 15\n 15 0 0  0 15 5\n")
    put("picture", "wide.pgm", b"P5 2 1 65535\n\xff\xff\0\1")
    whole = {"a": entry("F32", [2, 3], 0, 24),
             "b.weight": entry("F64", [4], 24, 56),
             "n": entry("I64", [], 56, 64)}
    put("safetensors", "whole", safetensors(whole, bytes(64)))
    put("safetensors", "missing", safetensors(
        {"a": entry("F32", [2, 3], 0, 24)}, bytes(24)))
    put("safetensors", "meta", safetensors(
        {"__metadata__": {"k": "v"}, **whole}, bytes(64)))
    put("safetensors", "overlap", safetensors(
        {**whole, "n": entry("I64", [], 50, 58)}, bytes(64)))
    put("safetensors", "short", safetensors(whole, bytes(8)))
    run = {"model": "vae", "data": "mnist", "data_dir": "", "seed": 1,
           "data_options": {"image_size": [64, 64], "fit": "pad",
                            "range": [0.0, 255.0]},
           "batch_size": 32, "epochs": 2, "steps": 0, "val": 0.1,
           "threads": 1, "device": "cpu", "options": {"latent": 2.0}}
    put("config", "run", json.dumps(run).encode())
    put("config", "flags", json.dumps(
        {"epochs": 3, "name": "x", "quiet": True, "latent": 4}).encode())
    put("config", "twice", b'{"epochs": 1, "epochs": 2}')
    put("config", "deep", b'{"options": {"a": [[[[1]]]]}, "epochs": -1e99}')


main()
