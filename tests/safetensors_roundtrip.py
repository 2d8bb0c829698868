#!/usr/bin/env python3
"""safetensors_roundtrip.py FOLDER - our files read by others, theirs by us.

Reads FOLDER/ours.safetensors (written by test_safetensors.c) and writes the
same values to FOLDER/plain.safetensors with the thirty lines below, and, where
the Python package safetensors is installed, to FOLDER/package.safetensors.
"""

import array
import json
import pathlib
import struct
import sys

CODES = {"F32": "f", "F64": "d", "I64": "q"}


def read(path):
    """{name: (dtype, shape, values)} and the metadata."""
    data = pathlib.Path(path).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    assert length % 8 == 0, "the header is not padded"
    header = json.loads(data[8 : 8 + length])
    metadata, entries, end = header.pop("__metadata__", {}), {}, 0
    for name, entry in header.items():
        begin, stop = entry["data_offsets"]
        assert begin == end, "values must lie one after the other"
        values = array.array(CODES[entry["dtype"]])
        assert begin % values.itemsize == 0, f"{name} is not aligned"
        values.frombytes(data[8 + length + begin : 8 + length + stop])
        entries[name] = entry["dtype"], entry["shape"], values.tolist()
        end = stop
    assert 8 + length + end == len(data), "bytes are left over"
    return entries, metadata


def write(path, entries):
    header, body = {}, b""
    for name, (dtype, shape, values) in entries.items():
        part = array.array(CODES[dtype], values).tobytes()
        offsets = [len(body), len(body) + len(part)]
        header[name] = dict(dtype=dtype, shape=shape, data_offsets=offsets)
        body += part
    text = json.dumps(header).encode()
    pathlib.Path(path).write_bytes(struct.pack("<Q", len(text)) + text + body)


def through_package(folder, entries, metadata):
    """False where the package is not installed."""
    try:
        from safetensors import safe_open
        from safetensors.numpy import load_file, save_file
    except ImportError:
        return False
    ours = folder / "ours.safetensors"
    arrays = load_file(ours)
    assert sorted(arrays) == sorted(entries)
    for name, (_, shape, values) in entries.items():
        assert list(arrays[name].shape) == shape, name
        assert arrays[name].reshape(-1).tolist() == values, name
    with safe_open(ours, "numpy") as opened:
        assert (opened.metadata() or {}) == metadata
    save_file(arrays, folder / "package.safetensors", {"by": "the package"})
    return True


def main():
    folder = pathlib.Path(sys.argv[1])
    entries, metadata = read(folder / "ours.safetensors")
    assert metadata == {"made by": 'a "test" \u00e4'}, metadata
    dtype, shape, values = entries["net.0.weight"]
    assert dtype in ("F32", "F64") and shape == [2, 3]
    assert values == [i / 8 - 0.25 for i in range(6)], values
    assert entries["bn.num_batches_tracked"] == ("I64", [], [5])
    assert entries["scale"][1:] == ([], [0.5])
    write(folder / "plain.safetensors", entries)
    found = through_package(folder, entries, metadata)
    print("# the package safetensors is", "here" if found else "not installed")


main()
