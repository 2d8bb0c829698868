"""test_views.py - the commands that look at a finished run.

    HOURGLASS_TEST_PROGRAM=build/apps/hourglass python3 tests/test_views.py [Class]

Standard library only.
"""

import csv
import io
import json
import os
import pathlib
import resource
import shutil
import signal
import struct
import subprocess
import sys
import unittest
import zlib

import test_apps
from test_apps import DATA, FAILED, NONFINITE, USAGE, Case

TRAIN = "--data synthetic:600 --threads 1 --quiet --epochs 1".split()


def size_of(path):
    """Width and height of a PNG whose chunks are whole."""
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n", path
    at = 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        body = data[at + 4 : at + 8 + length]
        (crc,) = struct.unpack(">I", data[at + 8 + length : at + 12 + length])
        assert crc == zlib.crc32(body), path
        at += 12 + length
    return struct.unpack(">II", data[16:24])


def texts_of(path):
    """What a PNG says of itself."""
    data, at, texts = path.read_bytes(), 8, {}
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        if kind in (b"tEXt", b"iTXt"):
            keyword, _, text = body.partition(b"\0")
            text = text if kind == b"tEXt" else text[4:]
            texts[keyword.decode()] = text.decode()
        at += 12 + length
    return texts


def pixels(path):
    """Rows of (red, green, blue) of a PNG of 8 bits a colour."""
    data, (width, height), packed, at = path.read_bytes(), size_of(path), b"", 8
    assert data[24:26] == b"\x08\x02", path
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        if data[at + 4 : at + 8] == b"IDAT":
            packed += data[at + 8 : at + 8 + length]
        at += 12 + length
    raw, above, rows = zlib.decompress(packed), bytes(3 * width), []
    for y in range(height):
        start = y * (3 * width + 1)
        kind, row = raw[start], bytearray(raw[start + 1 : start + 1 + 3 * width])
        for i in range(3 * width):
            a = row[i - 3] if i >= 3 else 0
            b, c = above[i], above[i - 3] if i >= 3 else 0
            if kind == 4:
                p, q, r = abs(b - c), abs(a - c), abs(a + b - 2 * c)
                near = a if p <= q and p <= r else b if q <= r else c
                row[i] = row[i] + near & 255
            elif kind:
                row[i] = row[i] + (0, a, b, (a + b) // 2)[kind] & 255
        rows.append([tuple(row[i : i + 3]) for i in range(0, 3 * width, 3)])
        above = row
    return rows


def little_room():
    """No file may become larger than 2,000 bytes, as on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))


class Runs(Case):
    """An autoencoder, a variational one, and one with a flat code."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        self = cls("call")
        for name, model, *more in (
            ("ae", "ae"),
            ("vae", "vae"),
            ("flat", "vae", "--latent", 2),
        ):
            self.call(
                *("train", model, *TRAIN, *more),
                *("--out", cls.folder, "--name", name),
            )

    def run_of(self, name):
        return self.folder / name

    def look(self, command, run, *arguments, **options):
        return self.call(command, self.run_of(run), *arguments, **options)


class Pictures(Runs):
    def picture(self, command, run, *arguments):
        """The size of what a command leaves where it is told to."""
        path = self.folder / f"{command}-{run}.png"
        self.look(command, run, *arguments, "--to", path, says=[path.name])
        return size_of(path)

    def test_every_picture_is_made(self):
        for command in "reconstruct interpolate traverse manifold project".split():
            for run in "ae", "vae", "flat":
                with self.subTest(command=command, run=run):
                    width, height = self.picture(command, run)
                    self.assertGreater(min(width, height), 100)

    def test_more_images_make_a_larger_picture(self):
        small = self.picture("sample", "vae", "--count", 10)
        large = self.picture("sample", "vae", "--count", 21, "--columns", 10)
        self.assertEqual(large[0], small[0])
        self.assertEqual(large[1] - small[1], 2 * 58)

    def test_a_band_is_no_wider_than_its_images(self):
        images = json.loads(self.look("eval", "ae", "--json"))["images"]
        most = "--count", images + 50, "--columns", images + 50
        all_ = "--count", images, "--columns", images
        self.assertEqual(self.picture("reconstruct", "ae", *most),
                         self.picture("reconstruct", "ae", *all_))

    def test_pictures_lie_in_the_run_unless_told_otherwise(self):
        self.look("sample", "vae")
        size_of(self.run_of("vae") / "pictures" / "sample.png")

    def test_a_picture_says_what_it_is_of(self):
        texts = texts_of(self.run_of("ae") / "loss.png")
        self.assertRegex(texts["Software"], r"^hourglass \d")
        self.assertEqual(texts["Title"], "ae: training")
        self.assertEqual(texts["Description"], "run ae, seed 1")
        run, path = self.folder / "märz", self.folder / "texts.png"
        shutil.copytree(self.run_of("vae"), run)
        for command, title in (
            ("sample", "vae: 100 draws from the prior"),
            ("project", "vae: codes of"),
        ):
            self.call(command, f"{run}/", "--seed", 7, "--to", path)
            size_of(path)
            texts = texts_of(path)
            self.assertTrue(texts["Title"].startswith(title), texts)
            self.assertEqual(texts["Description"],
                             "run märz, seed 1; drawn with seed 7")

    def test_a_slash_behind_a_run_changes_nothing(self):
        path = self.folder / "slash.png"
        runs = [f"{self.run_of(x)}/" for x in ("ae", "vae")]
        out = self.call("compare", *runs, "--to", path)
        self.assertEqual([x.split()[0] for x in out.splitlines()[1:]], ["ae", "vae"])
        self.assertEqual(texts_of(path)["Description"],
                         "runs ae, vae; drawn with seed 1")

    def test_a_picture_is_whole_or_left_as_it_was(self):
        for command in "sample", "project":
            path = self.folder / f"kept-{command}.png"
            self.look(command, "vae", "--to", path)
            before = path.read_bytes()
            self.look(
                *(command, "vae", "--seed", 2, "--to", path),
                code=FAILED,
                says=["File too large"],
                preexec_fn=little_room,
            )
            self.assertEqual(path.read_bytes(), before)
            self.assertEqual(len(list(self.folder.glob(f"kept-{command}*"))), 1)
            nowhere = self.folder / "nowhere" / "p.png"
            says = [nowhere.name, "No such file or directory"]
            self.look(command, "vae", "--to", nowhere, code=FAILED, says=says)

    def test_an_axis_of_losses_has_figures(self):
        # Grey lines from one side to the other, left of the curves.
        picture = pixels(self.run_of("ae") / "loss.png")
        lines = sum(row[100] != (255, 255, 255) for row in picture[44:460])
        self.assertGreaterEqual(lines, 3)

    def test_pictures_of_an_epoch_say_what_they_show(self):
        # More than their tiles of 58 pixels: a title, and names of rows.
        for folder, across, down in ("recon", 10, 6), ("samples", 10, 10):
            path = self.run_of("vae") / folder / "epoch_0001.png"
            width, height = size_of(path)
            self.assertGreater(height, 58 * down + 30, path)
            self.assertGreater(width, 58 * across + 20, path)

    def test_a_run_has_no_folder_that_stayed_empty(self):
        for name in "ae", "vae":
            for folder in "recon", "samples", "latent", "marginals", "filters":
                folder = self.run_of(name) / folder
                self.assertTrue(not folder.exists() or any(folder.iterdir()))
        # An autoencoder has no prior to draw from.
        self.assertFalse((self.run_of("ae") / "samples").exists())

    def test_one_is_said_in_the_singular(self):
        brief = "train ae --data synthetic:600 --threads 1 --epochs 1".split()
        run = "--out", self.folder, "--name", "one"
        self.call(*brief, *run, says=["images,", "1 thread,"])
        page = (self.folder / "one/report.html").read_text()
        self.assertIn("Trained for 1 epoch (17 steps", page)

    def test_draws_follow_the_seed(self):
        drawn = []
        for seed in 1, 1, 2:
            path = self.folder / "seed.png"
            self.look("sample", "vae", "--seed", seed, "--to", path)
            drawn.append(pixels(path))
        self.assertEqual(drawn[0], drawn[1])
        self.assertNotEqual(drawn[0], drawn[2])

    def test_a_mixture_serves_where_there_is_no_prior(self):
        self.look("sample", "ae", code=USAGE, says=["ae", "mixture"])
        small = "--from", "mixture", "--components", 3
        self.picture("sample", "ae", *small)

    def test_t_sne_makes_a_map(self):
        few = "--count", 100, "--perplexity", 10, "--iterations", 50
        self.picture("project", "vae", "--method", "tsne", *few)

    def test_runs_are_compared_in_a_picture_and_a_table(self):
        path = self.folder / "compare.png"
        runs = [self.run_of(name) for name in ("ae", "vae")]
        rows = json.loads(self.call("compare", *runs, "--json", "--to", path))
        self.assertEqual([r["model"] for r in rows], ["ae", "vae"])
        self.assertEqual([r["latent"] for r in rows], [20, 10])
        self.assertNotIn("kl", rows[0])
        self.assertLessEqual({"ssim", "active_units"}, rows[0].keys())
        for row in rows:
            out = json.loads(self.call("eval", row["run"], "--json"))
            for name in "recon_mse", "recon_bce":
                self.assertAlmostEqual(row[name] / out[name], 1, 5)
        # Five rows of twelve images.
        self.assertGreaterEqual(size_of(path)[1], 5 * 58)

    def test_a_comparison_is_no_wider_than_its_images(self):
        path, widths = self.folder / "wide.png", []
        for columns in 100, 150:  # of 100 images
            self.call("compare", self.run_of("ae"), "--columns", columns, "--to", path)
            widths.append(size_of(path)[0])
        self.assertEqual(*widths)

    def test_a_comparison_without_its_page_is_an_error_alone(self):
        page = self.folder / "nowhere" / "page.html"
        out = self.call("compare", self.run_of("ae"), "--json", "--page", page,
                        code=FAILED, says=["page.html"])
        self.assertEqual(json.loads(out)["error"]["code"], FAILED)

    def test_figures_do_not_depend_on_the_place_of_a_run(self):
        run = self.run_of("vae")
        first, second = json.loads(self.call("compare", run, run, "--json"))
        self.assertEqual(first, second)
        alone = json.loads(self.call("eval", run, "--json"))
        for name in "elbo", "kl", "prior_ks":
            self.assertEqual(first[name], alone[name])


class Points(Case):
    """Two numbers an item are a point in the plane, and no image."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        train = "--threads 1 --quiet --epochs 1".split()
        out = "--out", cls.folder, "--name"
        self = cls("call")
        for name, model in ("ae", "ae"), ("vae", "vae"):
            data = "--data", "moons:300"
            self.call("train", model, *train, *data, *out, name)

    def large(self, path):
        self.assertGreater(min(size_of(path)), 300, path)

    def test_they_are_drawn_as_points(self):
        for command in "reconstruct interpolate traverse manifold denoise".split():
            path = self.folder / f"{command}.png"
            self.call(command, self.folder / "ae", "--to", path)
            self.large(path)
        self.call("sample", self.folder / "vae")
        self.large(self.folder / "vae/pictures/sample.png")
        runs = self.folder / "ae", self.folder / "vae"
        self.call("compare", *runs)
        self.large(self.folder / "compare.png")

    def test_a_run_shows_points_and_no_filters(self):
        for folder in "recon", "samples":
            self.large(self.folder / "vae" / folder / "epoch_0001.png")
        self.assertEqual(list((self.folder / "vae/filters").glob("*")), [])

    def test_what_makes_no_sense_is_left_out_and_said(self):
        run = self.folder / "ae"
        self.call("anomaly", run, says=["no heat maps"])
        self.large(run / "anomaly/strangest.png")
        self.assertFalse((run / "anomaly/maps").exists())
        each = "--each", self.folder / "each"
        self.call("reconstruct", run, *each, code=USAGE, says=["points", "encode"])

    def test_a_row_of_numbers_is_a_bar_that_can_be_seen(self):
        rows = [f"{i % 7 / 7},{i % 5 / 5},{i % 3 / 3}" for i in range(200)]
        table = self.folder / "table.csv"
        table.write_text("a,b,c\n" + "\n".join(rows) + "\n")
        out = "--out", self.folder, "--name", "bars"
        brief = "--threads 1 --quiet --epochs 1".split()
        self.call("train", "ae", "--data", table, *brief, *out)
        self.call("reconstruct", self.folder / "bars", "-n", 5)
        picture = self.folder / "bars/pictures/reconstruct.png"
        width, height = size_of(picture)
        self.assertGreater(width, 5 * 28)
        self.assertGreater(height, 3 * 28)


    def test_a_wall_that_is_too_large_for_letters_goes_without(self):
        table = self.folder / "wide.csv"
        row = ",".join(f"{j % 7 / 7}" for j in range(3500))
        table.write_text((row + "\n") * 40)
        out = "--out", self.folder, "--name", "wide"
        brief = "--threads 1 --quiet --epochs 1".split()
        self.call("train", "pca", "--data", table, *brief, *out)
        picture = self.folder / "wide/recon/epoch_0001.png"
        self.assertGreater(size_of(picture)[0], 10000)
        self.call("reconstruct", self.folder / "wide")


class Measures(Runs):
    def measure(self, run, *arguments):
        return json.loads(self.look("eval", run, "--json", *arguments))

    def test_quick_figures_are_always_there(self):
        out = self.measure("vae")
        names = "ssim rate distortion latent active_units kl_dims prior_ks"
        self.assertLessEqual(set(names.split()), out.keys())
        self.assertAlmostEqual(sum(out["kl_dims"]) / out["kl"], 1, 4)
        self.assertAlmostEqual(-out["elbo"], out["rate"] + out["distortion"], 4)
        self.assertNotIn("nll", out)

    def test_a_latent_map_shows_the_classes_of_the_synthetic_digits(self):
        words = "train vae --latent 2 --data synthetic:3000 --epochs 8 --quiet"
        self.call(*words.split(), "--threads", 1, "--out", self.folder, "--name", "map")
        out = self.measure("map", "--probe", "--data", "synthetic:3000")
        rows = {row["on"]: row["knn"] for row in out["probe"]}
        self.assertGreater(rows["codes"], 0.5)
        self.assertGreater(rows["codes"], rows["PCA"] + 0.1)

    def test_the_bound_falls_with_its_samples(self):
        path = self.folder / "bound.png"
        wanted = "--nll", 100, "--nll-images", 40, "--to", path
        nll = self.measure("vae", *wanted)["nll"]
        self.assertEqual([p["k"] for p in nll["curve"]], [1, 2, 5, 10, 20, 50, 100])
        self.assertEqual((nll["samples"], nll["images"]), (100, 40))
        self.assertLess(nll["curve"][-1]["nats"], nll["curve"][0]["nats"])
        size_of(path)
        drawn = self.measure("vae", *wanted, "--binarise")["nll"]
        self.assertGreater(drawn["curve"][-1]["nats"], nll["curve"][-1]["nats"])

    def test_samples_are_judged_by_a_classifier_that_is_kept(self):
        cache = {**os.environ, "XDG_CACHE_HOME": str(self.folder / "cache")}
        once = json.loads(
            self.look("eval", "vae", "--quality", "--json", env=cache, says=["once"])
        )["classifier_frechet"]
        (kept,) = (self.folder / "cache/hourglass/features").iterdir()
        written = kept.stat().st_mtime_ns
        out = self.look("eval", "vae", "--quality", "--json", env=cache)
        self.assertEqual(json.loads(out)["classifier_frechet"], once)
        self.assertEqual(kept.stat().st_mtime_ns, written)
        names = "features accuracy images draws precision recall "
        names += "reconstructions training_images"
        self.assertEqual(set(names.split()), once.keys())
        self.assertLess(once["training_images"], once["draws"])
        out = self.look("eval", "ae", "--quality", "--json", env=cache)
        self.assertNotIn("draws", json.loads(out)["classifier_frechet"])

    def test_everything_can_be_asked_for(self):
        os.environ["XDG_CACHE_HOME"] = str(self.folder / "full")
        out = self.measure("vae", "--full", "--nll", 10, "--nll-images", 10)
        self.assertIn("classifier_frechet", out)
        self.assertLessEqual({"nll", "mmd", "aggregate_kl", "information"}, out.keys())
        rows = {row["on"]: row for row in out["probe"]}
        self.assertEqual(set(rows), {"codes", "pixels", "PCA"})
        self.assertEqual(rows["PCA"]["width"], out["latent"])
        for row in rows.values():
            for name in "linear", "knn", "linear_100", "knn_100":
                self.assertGreater(row[name], 0.1)
            self.assertNotIn("knn_1000", row)  # there are 540 images

    def test_what_a_model_cannot_do_is_left_out(self):
        out = self.measure("ae", "--aggregate")
        for name in "rate", "kl_dims", "mmd", "aggregate_kl":
            self.assertNotIn(name, out)
        self.look("eval", "ae", "--nll", 5, code=USAGE, says=["ae", "Gaussian"])


class Tasks(Runs):
    def test_groups_are_compared_with_classes(self):
        rows = json.loads(self.look("cluster", "vae", "--pixels", "--json"))
        methods = [row["method"] for row in rows]
        self.assertEqual(len(set(methods)), 3)
        for row in rows:
            self.assertEqual((row["clusters"], row["by"]), (10, "assignment"))
            self.assertGreater(row["accuracy"], 0.15)
            self.assertLess(row["ari"], row["nmi"])
        rows = json.loads(self.look("cluster", "ae", "-k", 30, "--json"))
        self.assertEqual({row["by"] for row in rows}, {"majority"})

    def test_more_labels_tell_more(self):
        few = "--labels", "10,200", "--repeats", 3, "--json"
        rows = json.loads(self.look("classify", "ae", *few))
        self.assertEqual([r["labels"] for r in rows], [10, 10, 200, 200])
        self.assertGreater(rows[2]["accuracy"], rows[0]["accuracy"])
        self.assertAlmostEqual(rows[0]["accuracy"] + rows[0]["error"], 1)

    def test_a_trial_shows_how_far_it_is(self):
        there, here = os.openpty()
        terminal = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
        terminal["TERM"] = "xterm"
        words = "anomaly vae --data synthetic:600 --epochs 2 --digits 3 --threads 1"
        program = subprocess.Popen(
            [test_apps.PROGRAM, *words.split()], cwd=self.folder,
            stdout=subprocess.DEVNULL, stderr=here, env=terminal)
        os.close(here)
        seen = b""
        while part := self.read(there):
            seen += part
        os.close(there)
        self.assertEqual(program.wait(), 0, seen)
        self.assertRegex(seen, rb"\rclass 3, epoch 1/2|\x1b\[Kclass 3, epoch 1/2")
        self.assertRegex(seen, rb"\d+%.* \d+/\d+  loss [\d.]+  .*k img/s")
        self.assertTrue(seen.endswith(b"\r\x1b[K"), seen[-80:])

    def test_few_pictures_are_trained_on_as_long_as_by_train(self):
        for name in "dark", "light":
            folder = self.folder / "few" / name
            folder.mkdir(parents=True)
            for i in range(60):
                level = bytes([(128 if name == "light" else 0) + i]) * 784
                (folder / f"{i}.pgm").write_bytes(b"P5 28 28 255\n" + level)
        words = "anomaly ae-keras --threads 1 --digits 0 --json --data".split()
        for more, epochs in ((), None), (("--epochs", 2), 2):
            out = json.loads(self.call(*words, f"{self.folder}/few/", *more))
            (row,) = out["rows"]
            if epochs:
                self.assertEqual(row["epochs"], epochs)
            else:
                self.assertGreater(row["epochs"], 100)  # of less than 20 steps
                self.assertEqual(row["auroc"]["area"], 1)

    def test_all_classes_of_a_list_are_looked_at_first(self):
        for classes, word in ("0,12", "no class 12"), ("", "--digits"), ("0;1", ";"):
            words = "anomaly", "vae", "--data", "synthetic:60", "--digits", classes
            program = test_apps.start(words, cwd=self.folder)
            _, err = program.communicate()
            self.assertEqual(program.returncode, USAGE, err)
            self.assertIn(word, err)
            self.assertNotIn("class 0: ", err)  # nothing was trained

    def read(self, terminal):
        try:
            return os.read(terminal, 4096)
        except OSError:  # nobody writes there any more
            return b""

    def test_strange_classes_are_told_from_normal_ones(self):
        train = "--data", "synthetic:300", "--epochs", 2, "--digits", "0,1"
        for protocol in "normal", "held-out":
            base = "anomaly", "vae", *train, "--protocol", protocol, "--json"
            out = json.loads(self.call(*base))
            self.assertEqual(len(out["rows"]), 2 * 3)
            for row in out["rows"]:
                area = row["auroc"]
                self.assertLessEqual(area["low"], area["area"])
                self.assertLessEqual(area["area"], area["high"])
            mean = sum(r["auroc"]["area"] for r in out["rows"][::3]) / 2
            found = out["means"]["reconstruction"]["auroc"]
            self.assertAlmostEqual(found, mean)

    def test_each_image_of_a_folder_has_its_picture_and_its_code(self):
        folder = self.folder / "scans"
        (folder / "b").mkdir(parents=True)
        for i, name in enumerate(("a/first.pgm", "b/second.pgm")):
            (folder / name).parent.mkdir(exist_ok=True)
            pixels = bytes((i + p) % 256 for p in range(784))
            (folder / name).write_bytes(b"P5 28 28 255\n" + pixels)
        each = self.folder / "each"
        self.look("reconstruct", "vae", "--data", f"{folder}/", "--each", each,
                  says=["each"])
        found = sorted(str(p.relative_to(each)) for p in each.rglob("*.png"))
        self.assertEqual(found, ["a/first.pgm.png", "b/second.pgm.png"])
        self.assertEqual(size_of(each / "a/first.pgm.png"), (28, 28))
        self.look("reconstruct", "vae", "--data", f"{folder}/")
        own = self.run_of("vae") / "reconstructed"
        self.assertEqual(len(list(own.rglob("*.png"))), 2)
        table = self.look("encode", "vae", "--data", f"{folder}/")
        files = [line.split("\t")[1] for line in table.splitlines()]
        self.assertEqual(files, ["file", "a/first.pgm", "b/second.pgm"])

    def test_names_with_quotes_are_read_back_from_a_table(self):
        folder = self.folder / "quotes"
        folder.mkdir()
        names = ['a "fine", picture.pgm', "b.pgm", "of\ttwo\nlines.pgm"]
        for level, name in enumerate(names):
            data = b"P5 28 28 255\n" + bytes([9 * level]) * 784
            (folder / name).write_bytes(data)
        to = self.folder / "quoted"
        self.look("anomaly", "ae", "--data", f"{folder}/", "--to", to, "--maps", 1)
        with open(to / "ranking.csv", encoding="utf-8", newline="") as table:
            rows = list(csv.DictReader(table))
        self.assertEqual(sorted(row["name"] for row in rows), names)
        out = self.look("encode", "ae", "--data", f"{folder}/")
        rows = list(csv.DictReader(io.StringIO(out, newline=""), delimiter="\t"))
        self.assertEqual([row["file"] for row in rows], names)
        self.look("denoise", "ae", "--data", f"{folder}/", "--restored", to)
        with open(to / "changes.csv", encoding="utf-8", newline="") as table:
            rows = list(csv.DictReader(table))
        self.assertEqual(sorted(row["restored"] for row in rows),
                         [f"{name}.png" for name in names])

    def test_paths_that_are_too_long_are_told(self):
        long = "/".join(["x" * 200] * 6)
        self.look("sample", "vae", "--to", long, code=USAGE, says=["too long"])
        folder = self.folder / "one"
        folder.mkdir()
        (folder / "a.pgm").write_bytes(b"P5 28 28 255\n" + bytes(784))
        self.look("reconstruct", "vae", "--data", f"{folder}/", "--each", long,
                  code=USAGE, says=["too long", "1023 bytes"])

    def test_images_of_a_folder_are_ranked_with_maps_of_where(self):
        folder = self.folder / "photos"
        folder.mkdir()
        for i in range(5):
            level = 255 if i == 3 else 0  # one is white
            data = b"P5 28 28 255\n" + bytes([level]) * 784
            (folder / f"photo{i}.pgm").write_bytes(data)
        to = self.folder / "found"
        self.look("anomaly", "ae", "--data", f"{folder}/", "--to", to)
        head, first, *rest = (to / "ranking.csv").read_text().splitlines()
        self.assertEqual(head.split(",")[:3], ["rank", "row", "name"])
        self.assertIn("photo3.pgm", first)
        self.assertEqual(len(rest), 4)
        scores = [float(line.split(",")[-1]) for line in (first, *rest)]
        self.assertEqual(scores, sorted(scores, reverse=True))
        self.assertEqual(len(list((to / "maps").glob("*.png"))), 5)
        size_of(to / "strangest.png")
        (to / "maps" / "mine.png").write_bytes(b"")
        self.look("anomaly", "ae", "--maps", 3, "--to", to)
        found = sorted(x.name[:5] for x in (to / "maps").iterdir())
        self.assertEqual(found, ["00001", "00002", "00003", "mine."])


class Conditions(Runs):
    """Models that are given something, or that take noise away."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        self = cls("call")
        for name, model, *more in (
            ("labels", "cvae"),
            ("quarters", "cvae", "--given", "quadrants"),
            ("noise", "denoising-ae"),
        ):
            self.call(
                *("train", model, *TRAIN, *more),
                *("--out", cls.folder, "--name", name),
            )

    def test_a_style_is_drawn_in_every_class(self):
        path = self.folder / "analogy.png"
        for source in "images", "prior":
            self.look("analogy", "labels", "--from", source, "--to", path)
            self.assertGreater(size_of(path)[0], 11 * 58)
        self.look("analogy", "vae", code=USAGE, says=["vae", "class"])

    def test_hidden_quarters_are_completed(self):
        path = self.folder / "complete.png"
        few = "--images", 20, "--samples", 5, "--json", "--to", path
        out = json.loads(self.look("complete", "quarters", *few))
        self.assertGreater(out["nats_given_1"], out["nats_given_2"])
        self.assertGreater(out["nats_given_2"], out["nats_given_3"])
        self.assertGreater(size_of(path)[1], 12 * 58)
        self.look("complete", "labels", code=USAGE, says=["quadrants"])

    def test_noise_is_measured_and_taken_away(self):
        path = self.folder / "denoise.png"
        for noise in "own", "gaussian", "masking":
            wanted = "--noise", noise, "--json", "--to", path
            out = json.loads(self.look("denoise", "noise", *wanted))
            self.assertEqual((out["noise"], out["images"]), (noise, 100))
            self.assertGreater(out["noisy_mse"], 0)
        size_of(path)
        self.look("denoise", "vae", "--noise", "own", code=USAGE, says=["vae"])
        self.look("denoise", "vae", "--noise", "loud", code=USAGE, says=["loud"])

    def test_every_image_of_a_folder_is_restored(self):
        folder = self.folder / "scans"
        folder.mkdir()
        for i in range(3):
            data = b"P5 28 28 255\n" + bytes(range(0, 196)) * 4
            (folder / f"scan{i}.pgm").write_bytes(data)
        to = self.folder / "restored"
        self.look("denoise", "noise", "--data", f"{folder}/", "--restored", to)
        names = sorted(p.name for p in to.glob("*.png"))
        self.assertEqual(names, [f"scan{i}.pgm.png" for i in range(3)])
        self.assertEqual(size_of(to / "scan0.pgm.png"), (28, 28))
        rows = (to / "changes.csv").read_text().splitlines()
        self.assertEqual((rows[0].split(",")[0], len(rows)), ("rank", 4))


class Tables(Runs):
    def rows(self, *arguments):
        text = self.look("encode", "flat", *arguments)
        return [line.split("\t") for line in text.splitlines()]

    def test_codes_are_a_table(self):
        head, *rows = self.rows()
        self.assertEqual(head, ["row", "label", "z0", "z1"])
        self.assertEqual(len(rows), 100)
        self.assertEqual([int(r[0]) for r in rows], list(range(100)))
        self.assertEqual(rows, self.rows()[1:])

    def test_draws_differ_from_means(self):
        mean, draw = self.rows("-n", 3), self.rows("-n", 3, "--draw")
        self.assertEqual([r[:2] for r in mean], [r[:2] for r in draw])
        self.assertNotEqual(mean, draw)

    def test_the_embedding_projector_gets_its_files(self):
        folder = self.folder / "projector"
        self.look("project", "flat", "-n", 30, "--tsv", folder)
        vectors = (folder / "vectors.tsv").read_text().splitlines()
        labels = (folder / "metadata.tsv").read_text().split()
        self.assertEqual((len(vectors), len(labels)), (30, 30))
        self.assertEqual({len(v.split("\t")) for v in vectors}, {2})
        self.assertIn("vectors.tsv", (folder / "projector_config.pbtxt").read_text())


class Classes(Case):
    """Pictures in folders, whose names are the classes."""

    def mapped(self, names):
        """A map of their pixels, and the projector's second file."""
        data = self.folder / f"of-{len(names)}-{names[0]}"
        for i, name in enumerate(names):
            (data / name).mkdir(parents=True)
            for j in range(9):
                level = bytes([min(250, 16 * i + j)]) * 784
                picture = data / name / f"{j}.pgm"
                picture.write_bytes(b"P5 28 28 255\n" + level)
        brief = "--epochs 1 --batch-size 64 --threads 1 --quiet".split()
        out = "--out", self.folder, "--name", f"run-{data.name}"
        self.call("train", "ae", "--data", f"{data}/", *brief, *out)
        to = "--to", self.folder / "map.png", "--tsv", self.folder / "tsv"
        run = self.folder / f"run-{data.name}"
        self.call("project", run, "--of", "pixels", "--split", "train", *to)
        return pixels(self.folder / "map.png"), self.folder / "tsv/metadata.tsv"

    def test_names_are_in_the_legend_and_for_the_projector(self):
        picture, table = self.mapped(["blue", "red"])
        head, *rows = table.read_text().splitlines()
        self.assertEqual(head, "label\tname")
        self.assertEqual(set(rows), {"0\tblue", "1\tred"})
        other, table = self.mapped(["of\ttwo\nlines", "one"])
        self.assertNotEqual(picture, other)
        _, *rows = table.read_text().splitlines()
        self.assertEqual(set(rows), {"0\tof two lines", "1\tone"})

    def test_more_than_ten_classes_leave_others_in_grey(self):
        picture, _ = self.mapped([f"class{i:02}" for i in range(14)])
        legend = [picture[52 + 20 * line][660] for line in range(12)]
        self.assertEqual(len(set(legend[:10])), 10)
        red, green, blue = legend[10]
        self.assertTrue(red == green == blue < 255, legend)
        self.assertEqual(legend[11], (255, 255, 255))
        dots = {pixel for row in picture[42:462] for pixel in row[79:637]}
        self.assertGreater(len(dots), 10)


class Refusals(Runs):
    TABLE = [
        (USAGE, "--from", "sample vae --from thin-air"),
        (USAGE, "--count", "sample vae --count 0"),
        (USAGE, "at most", "sample vae --count 4611686018427387904"),
        (USAGE, "at most", "sample vae --threads 4294967297"),
        (USAGE, "at most 100", "classify vae --repeats 101"),
        (USAGE, "at most 32", "complete vae --count 33"),
        (USAGE, "at most 64", "manifold flat --zoom 65"),
        (USAGE, "at most", "anomaly ./ae --draws 4294967297"),
        (USAGE, "at most", "train vae --epochs 4611686018427387904"),
        (USAGE, "--between", "interpolate vae --between 1"),
        (USAGE, "--between", "interpolate vae --between 1,100"),
        (USAGE, "--path", "interpolate vae --path crooked"),
        (USAGE, "--item", "traverse vae --item 100"),
        (USAGE, "--dims", "manifold vae --dims 0,10"),
        (USAGE, "--method", "project vae --method umap --tsv umap"),
        (USAGE, "--of", "project vae --of words"),
        (USAGE, "perplexity", "project vae --method tsne --perplexity 90"),
        (USAGE, "--score", "anomaly ./ae --score luck"),
        (USAGE, "elbo", "anomaly ./ae --score elbo"),
        (USAGE, "--labels", "classify vae --labels many"),
        (DATA, "one folder a class", "cluster vae --data ./unlabelled/"),
        (USAGE, "--help", "eval vae ae"),
        (USAGE, "--labels", "classify vae --labels 5"),
        (USAGE, "10 groups", "cluster vae --data synthetic:30"),
        (USAGE, "--split", "reconstruct vae --split all"),
        (USAGE, "RUN", "compare"),
        (USAGE, "--to: a value", "anomaly ./ae --to="),
        (USAGE, "--tsv: a value", "project vae --set tsv="),
        (USAGE, "at most 100000", "eval vae --nll 100001"),
        (USAGE, "540 images", "classify vae --labels 4611686018427387904"),
        (DATA, "run", "compare vae nothing"),
        (DATA, "nowhere", "encode vae --data nowhere"),
    ]

    def test_weights_that_are_not_finite_are_told(self):
        run = self.folder / "spoilt"
        shutil.copytree(self.folder / "vae", run)
        path = run / "model.safetensors"
        data = bytearray(path.read_bytes())
        size = struct.unpack("<Q", data[:8])[0]
        header = json.loads(data[8 : 8 + size])
        begin = 8 + size + header["decoder.0.weight"]["data_offsets"][0]
        data[begin + 4 : begin + 8] = struct.pack("<f", float("nan"))
        path.write_bytes(data)
        says = ["weights are not finite: decoder.0.weight"]
        commands = "eval sample traverse anomaly encode project reconstruct compare"
        for command in commands.split():
            with self.subTest(command=command):
                self.call(command, run, code=NONFINITE, says=says)

    def test_wrong_inputs(self):
        (self.folder / "unlabelled").mkdir()
        for i in range(3):
            picture = b"P5 28 28 255\n" + bytes([i]) * 784
            (self.folder / f"unlabelled/{i}.pgm").write_bytes(picture)
        for code, word, line in self.TABLE:
            command, *arguments = line.split()
            with self.subTest(line=line):
                out = "--out", self.folder
                self.call(command, *arguments, *out, code=code, says=[word])
        self.call("anomaly", "ae", "--data", "./unlabelled/", code=DATA,
                  says=["anomaly RUN"])
        self.assertEqual(list(self.folder.glob("*/pictures")), [])
        self.assertFalse((self.folder / "umap").exists())


if __name__ == "__main__":
    test_apps.PROGRAM = str(pathlib.Path(test_apps.PROGRAM).resolve())
    unittest.main(argv=sys.argv, verbosity=2)
