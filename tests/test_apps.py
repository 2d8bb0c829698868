"""test_apps.py - the program, as other programs see it: files, JSON, exit codes.

    HOURGLASS_TEST_PROGRAM=build/apps/hourglass python3 tests/test_apps.py [Class]

Standard library only.
"""

import fcntl
import json
import os
import pathlib
import resource
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM = os.environ.get("HOURGLASS_TEST_PROGRAM", "build/apps/hourglass")
SANITIZED = any(
    name in pathlib.Path(PROGRAM).read_bytes()
    for name in (b"__asan_init", b"__tsan_init")
)
# Nothing to sample from but a mixture fitted to the codes.
NO_PRIOR = {"ae", "ae-leaky", "ae-keras", "conv-ae", "denoising-ae", "conv-denoising-ae",
            "dropout-ae", "sparse-ae", "contractive-ae"}
MODELS = {
    "ae": 438180,
    "ae-leaky": 484944,
    "vae": 437540,
    "aae": 4124405,
    "conv-vae": 87641,
    "tfp-vae": 741505,
    "ae-keras": 50992,
    "conv-ae": 87125,
    "denoising-ae": 393284,
    "conv-denoising-ae": 178001,
    "dropout-ae": 1569784,
    "sparse-ae": 1569784,
    "contractive-ae": 785784,
    "pca": 0,
    "vae-keras": 807700,
    "vae-pytorch": 652824,
    "beta-vae": 917205,
    "iwae": 425284,
    "cvae": 660824,
    "vade": 3351014,
    "aae-supervised": 4591787,
    "aae-semi": 5614798,
    "aae-cluster": 5683821,
    "gan": 2043537,
}
TIMING = {"images_per_s", "ms_per_step"}
DONE, FAILED, USAGE, DATA, DEVICE, MEMORY, NONFINITE, CHECK, DAMAGED = range(9)
INTERRUPTED = 130
# 270 images to train on: 9 steps an epoch.
VAE = "train vae --data synthetic:300 --threads 2 --quiet".split()


def start(arguments, **options):
    return subprocess.Popen(
        [PROGRAM, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def lines_of(run):
    text = (run / "metrics.jsonl").read_text()
    return [json.loads(x) for x in text.splitlines()]


def untimed(run):
    return [
        {k: v for k, v in line.items() if k not in TIMING}
        for line in lines_of(run)
    ]


def has_double_twin():
    """Builds without the double library have no gradcheck."""
    return pathlib.Path(f"{PROGRAM}-f64").exists()


class Case(unittest.TestCase):
    """A folder of its own, and the program in it."""

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="hourglass-"))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def call(self, *arguments, code=DONE, says=(), **options):
        """Standard output; wrong exit codes and sentences fail."""
        program = start(arguments, cwd=self.folder, **options)
        out, err = program.communicate(timeout=900)
        where = f"{' '.join(map(str, arguments))}: {err}"
        self.assertEqual(program.returncode, code, where)
        if code not in (DONE, INTERRUPTED):
            self.assertEqual(err.count("error: "), 1, where)
            begins = [x for x in err.splitlines() if x.startswith("error: ")]
            self.assertEqual(len(begins), 1, where)
        for word in says:
            self.assertIn(word, err, where)
        return out

    def train(self, name, *arguments, **options):
        base = [*VAE, "--out", self.folder, "--name", name]
        self.call(*base, *arguments, **options)
        return self.folder / name

    def stop(self, name, number, *arguments):
        """Trains until a checkpoint is there, then sends a signal."""
        base = [*VAE, "--out", self.folder, "--name", name, *arguments]
        program = start(base, cwd=self.folder)
        last = self.folder / name / "checkpoints" / "last"
        while program.poll() is None and not last.exists():
            time.sleep(0.002)
        program.send_signal(number)
        program.communicate(timeout=900)
        return program.returncode

    def assert_same_run(self, one, other):
        self.assertEqual(untimed(one), untimed(other))
        weights = "model.safetensors"
        a, b = (one / weights).read_bytes(), (other / weights).read_bytes()
        self.assertTrue(a == b, f"{one} and {other} have other weights")


class Looking(Case):
    def test_models_are_listed_with_their_parameters(self):
        rows = json.loads(self.call("models", "--json"))
        self.assertEqual({m["name"]: m["parameters"] for m in rows}, MODELS)
        for row in rows:
            self.assertTrue(row["about"] and row["tasks"], row)

    def test_a_summary_is_in_the_order_of_the_model(self):
        layers = json.loads(self.call("summary", "vae", "--json"))["layers"]
        names = [layer["name"] for layer in layers]
        self.assertEqual(names[:2], ["encoder.0.weight", "encoder.0.bias"])
        self.assertEqual(names[-1].split(".")[0], "decoder")
        lines = self.call("summary", "vae").splitlines()
        self.assertEqual([x.split()[0] for x in lines[3:-1]], names)

    def test_a_summary_has_every_layer(self):
        for name, parameters in MODELS.items():
            summary = json.loads(self.call("summary", name, "--json"))
            counts = [layer["parameters"] for layer in summary["layers"]]
            self.assertEqual(summary["parameters"], parameters)
            self.assertEqual(sum(counts), parameters)

    def test_the_doctor_says_what_runs(self):
        report = json.loads(self.call("doctor", "--json"))
        keys = {"version", "device", "instructions", "threads", "kernels"}
        keys |= {"idle_threads", "onednn", "libraries", "mnist"}
        self.assertLessEqual(keys, report.keys())
        self.assertEqual(report["libraries"]["oneDNN"], report["onednn"] is not None)

    def test_idle_threads_wait_a_while_and_then_sleep_unless_told_otherwise(self):
        environment = dict(os.environ)
        for name in "OMP_WAIT_POLICY", "GOMP_SPINCOUNT":
            environment.pop(name, None)

        def doctor(**more):
            out, error = start(["doctor", "--json"], env=environment | more).communicate()
            return json.loads(out)["idle_threads"]

        text = doctor()
        if text.startswith("as the OpenMP runtime"):
            self.skipTest("not the runtime of gcc")
        self.assertIn("3000 rounds", text)
        self.assertIn("passive", doctor(OMP_WAIT_POLICY="passive"))
        self.assertIn("7 rounds", doctor(GOMP_SPINCOUNT="7"))

    def test_a_benchmark_has_all_keys(self):
        out = self.call(*"bench ae-b32 --steps 3 --blocks 1 --json".split())
        row = json.loads(out)
        names = "workload device threads ms_per_step ms_min steps gflops "
        names += "peak_gflops peak_mib launches precision"
        self.assertEqual(set(names.split()), row.keys())
        self.assertGreater(row["ms_per_step"], 0)

    def test_a_models_own_options_are_in_its_help(self):
        text = self.call("train", "aae-cluster", "--help")
        for name in ("clusters", "neighbours", "upright", "neighbour-rate"):
            self.assertIn(f"--{name} ", text)

    def test_every_command_has_help(self):
        commands = "train eval models summary doctor bench".split()
        for command in commands + ["gradcheck"] * has_double_twin():
            self.assertIn("usage: hourglass " + command, self.call(command, "-h"))
        self.assertIn("exit codes", self.call("--help"))

    def test_behind_two_dashes_stand_no_options(self):
        self.assertEqual(self.call("summary", "--", "ae"), self.call("summary", "ae"))

    def test_output_that_is_lost_is_told(self):
        run = self.train("lost", "--epochs", 1)
        for words in ["models"], ["eval", run, "--json"], ["--help"], ["data", "list"]:
            with self.subTest(words=words), open("/dev/full", "w") as full:
                program = subprocess.run([PROGRAM, *words], stdout=full,
                                         stderr=subprocess.PIPE, text=True)
                self.assertEqual(program.returncode, FAILED)
                self.assertIn("error: the output could not be written: No space",
                              program.stderr)


class Training(Case):
    """One undisturbed run of two epochs, and others that must equal it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.whole = cls.train(cls("call"), "whole", "--epochs", 2)

    def test_a_run_leaves_every_file(self):
        files = "config.json environment.json command.txt metrics.jsonl "
        files += "train.log model.safetensors latent/map.png loss.png "
        files += "recon/epoch_0002.png samples/epoch_0002.png report.html "
        files += "checkpoints/last checkpoints/best"
        for name in files.split():
            self.assertGreater((self.whole / name).stat().st_size, 0, name)
        last = (self.whole / "checkpoints/last").read_text().strip()
        for name in "model.safetensors", "optim.safetensors", "state.json":
            part = self.whole / "checkpoints" / last / name
            self.assertGreater(part.stat().st_size, 0, part)
        for name in self.whole.rglob("*.png"):
            self.assertEqual(name.read_bytes()[:8], b"\x89PNG\r\n\x1a\n", name)

    def test_codes_wider_than_two_are_mapped_by_neighbours_too(self):
        for latent, mapped in (3, True), (2, False):
            how = "--data", "synthetic:600", "--latent", latent, "--steps", 2
            run = self.train(f"latent{latent}", *how)
            self.assertEqual((run / "latent/tsne.png").exists(), mapped)

    def test_metrics_have_the_promised_keys(self):
        rows = lines_of(self.whole)
        heads = [(r["event"], r.get("epoch"), r["split"]) for r in rows]
        epochs = [
            ("epoch", e, split) for e in (1, 2) for split in ("train", "val")
        ]
        self.assertEqual(heads, [*epochs, ("final", 2, "test")])
        self.assertLessEqual({"loss", "kl", *TIMING}, rows[0].keys())
        names = "loss recon_mse recon_sse recon_bce kl elbo".split()
        for row in rows[1], rows[-1]:
            self.assertLessEqual(set(names), row.keys())
        self.assertLess(rows[-1]["loss"], rows[0]["loss"])

    def test_eval_gives_the_figures_of_the_final_line(self):
        out = json.loads(self.call("eval", self.whole, "--json"))
        final = lines_of(self.whole)[-1]
        # Draws differ; what is made from the code's mean does not.
        for name in "recon_mse", "recon_sse", "recon_bce", "kl":
            self.assertAlmostEqual(out[name] / final[name], 1, 5, name)
        for name in "loss", "elbo":
            self.assertAlmostEqual(out[name] / final[name], 1, 1, name)

    def test_resuming_a_finished_run_does_nothing(self):
        before = (self.whole / "metrics.jsonl").read_bytes()
        self.train("whole", "--epochs", 2, "--resume")
        self.assertEqual((self.whole / "metrics.jsonl").read_bytes(), before)
        again = json.loads(self.call("resume", self.whole, "--json"))
        self.assertEqual(again["test"], lines_of(self.whole)[-1])

    def test_a_run_that_lost_its_power_before_a_checkpoint_begins_anew(self):
        torn = self.folder / "torn"
        (torn / "checkpoints").mkdir(parents=True)
        (torn / "config.json").touch()
        self.assert_same_run(self.whole,
                             self.train("torn", "--epochs", 2, "--resume"))

    def test_the_same_seed_gives_the_same_run(self):
        self.assert_same_run(self.whole, self.train("again", "--epochs", 2))
        other = self.train("other", "--epochs", 2, "--seed", 2)
        weights = "model.safetensors"
        self.assertNotEqual(
            (other / weights).read_bytes(), (self.whole / weights).read_bytes()
        )

    def test_resuming_after_an_epoch_gives_the_same_run(self):
        self.train("halves", "--epochs", 1)
        halves = self.train("halves", "--epochs", 2, "--resume")
        self.assert_same_run(self.whole, halves)

    def test_a_killed_run_resumes_bit_for_bit(self):
        often = "--epochs", 2, "--save-every", 3
        saved = self.train("saved", *often)
        self.assertEqual(self.stop("killed", signal.SIGKILL, *often), -9)
        killed = self.train("killed", *often, "--resume")
        self.assert_same_run(saved, killed)
        weights = "model.safetensors"
        self.assertEqual(
            (saved / weights).read_bytes(), (self.whole / weights).read_bytes()
        )

    def test_an_interrupted_run_saves_and_resumes(self):
        often = "--epochs", 2, "--save-every", 3
        code = self.stop("interrupted", signal.SIGINT, *often)
        self.assertEqual(code, INTERRUPTED)
        run = self.train("interrupted", *often, "--resume")
        weights = "model.safetensors"
        self.assertEqual(
            (run / weights).read_bytes(), (self.whole / weights).read_bytes()
        )
        for mine, theirs in zip(untimed(run), untimed(self.whole)):
            self.assertEqual(mine.keys(), theirs.keys())
            for name, value in theirs.items():
                if isinstance(value, float):
                    self.assertAlmostEqual(mine[name] / value, 1, 5, name)

    def test_an_interrupt_of_the_last_pictures_is_too_late(self):
        # A pipe that is full holds the run up where it draws the curves.
        curves = self.folder / "late" / "loss.png"
        curves.parent.mkdir()
        os.mkfifo(curves)
        pipe = os.open(curves, os.O_RDONLY | os.O_NONBLOCK)
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 4096)
        base = [*VAE, "--epochs", 1, "--out", self.folder, "--name", "late"]
        program = start([*base, "--json"])
        select.select([pipe], [], [], 900)
        curves.unlink()  # the report looks for a file
        program.send_signal(signal.SIGINT)
        os.set_blocking(pipe, True)
        while os.read(pipe, 4096):
            pass
        os.close(pipe)
        out, err = program.communicate(timeout=900)
        self.assertEqual((program.returncode, err), (DONE, ""))
        self.assertTrue(json.loads(out)["finished"])
        self.assertTrue((self.folder / "late" / "report.html").exists())

    def test_runs_that_begin_in_one_second_have_names_of_their_own(self):
        out = self.folder / "unnamed"
        for second in range(90):
            when = time.localtime(time.time() + second)
            name = time.strftime("vae-synthetic-60-%Y%m%d-%H%M%S", when)
            (out / name).mkdir(parents=True)
            (out / name / "config.json").write_text("{}")
        brief = "train vae --data synthetic:60 --steps 1 --threads 1 --quiet".split()
        for _ in range(2):
            self.call(*brief, "--out", out)
        runs = [x.parent.name for x in out.glob("*/report.html")]
        self.assertEqual(len(runs), 2, runs)
        for run in runs:
            self.assertRegex(run, r"^vae-synthetic-60-\d{8}-\d{6}-[23]$")

    def test_a_kill_while_a_checkpoint_is_replaced_does_no_harm(self):
        often = "--epochs", 2, "--save-every", 9
        saved = self.train("saved9", *often)
        run = self.train("replaced", *often)
        last = (run / "checkpoints/last").read_text().strip()
        (run / "checkpoints" / last).rename(
            run / "checkpoints" / (last + ".tmp")
        )
        (run / "report.html").unlink()  # not finished then
        self.train("replaced", *often, "--resume")
        self.assert_same_run(saved, run)

    def test_resuming_what_never_began_starts_afresh(self):
        fresh = self.train("fresh", "--epochs", 2, "--resume")
        self.assert_same_run(self.whole, fresh)


class Mistakes(Case):
    """Wrong inputs: one sentence, and the documented exit code."""

    TABLE = [
        (USAGE, "fly", ["fly"]),
        (USAGE, "train", ["tarin"]),
        (USAGE, "usage", ["train"]),
        (USAGE, "vae", ["train", "vea"]),
        (USAGE, "--epochs", ["train", "vae", "--epochs", "0"]),
        (USAGE, "--epochs", ["train", "vae", "--epochs", "ten"]),
        (USAGE, "--epochs", ["train", "vae", "--epochs"]),
        (USAGE, "--batch-size", ["train", "vae", "--batch-size", "0"]),
        (USAGE, "--seed", ["train", "vae", "--seed", "-1"]),
        (USAGE, "--val", ["train", "vae", "--val", "1"]),
        (USAGE, "--name", ["train", "vae", "--name", "a/b"]),
        (USAGE, "--name", ["train", "vae", "--name", ""]),
        (USAGE, "--out", ["train", "vae", "--data", "nowhere", "--out", ""]),
        (USAGE, "at most 255", ["train", "vae", "--name", "x" * 256]),
        (USAGE, "this is a folder", ["train", "vae", "--config", "."]),
        (USAGE, "--config: unable", ["train", "vae", "--config", "nowhere"]),
        (USAGE, "./ is a folder", ["train", "./"]),
        (DATA, "a smaller --val", ["train", "vae", "--val", "0.9999"]),
        (USAGE, "--lattent", ["train", "vae", "--lattent", "2"]),
        (USAGE, "latent", ["train", "vae", "--latent", "two"]),
        (USAGE, "latent", ["train", "vae", "--latent", "1.5"]),
        (USAGE, "recipe", ["train", "vae", "--recipe", "own"]),
        (USAGE, "--fit", "train vae --fit x --range 2 --seed -1".split()),
        (USAGE, "--latent", "train vae --latent 0".split()),
        (USAGE, "--latent", "train vae --latent -3".split()),
        (USAGE, "--hidden", "train vae-pytorch --hidden 0".split()),
        (USAGE, "--width", "train conv-vae --width 0".split()),
        (USAGE, "--lr", "train vae --lr inf".split()),
        (USAGE, "--image-size", "train vae --image-size 32".split()),
        (USAGE, "too many", ["train", "vae", "ae", "aae"]),
        (USAGE, "ae is one argument too many", ["summary", "vae", "ae"]),
        (USAGE, "too many", ["bench", "ae-b32", "vae-b32"]),
        (USAGE, "too many", ["models", "vae"]),
        (USAGE, "too many", ["doctor", "who"]),
        (USAGE, "model", ["summary"]),
        (USAGE, "workload", ["bench", "ae-b33"]),
        (USAGE, "nae", ["gradcheck", "nae"]),
        (USAGE, "--blocks", ["bench", "ae-b32", "--blocks", "0"]),
        (USAGE, "at most 64", ["bench", "ae-b32", "--blocks", "65"]),
        (USAGE, "--threads", ["bench", "--threads", "-3", "--steps", "-1"]),
        (USAGE, "--values", ["gradcheck", "vae", "--values", "0"]),
        (USAGE, "--tolerance", ["gradcheck", "--tolerance", "nan"]),
        (DATA, "nowhere", ["train", "vae", "--data", "nowhere"]),
        (DATA, "nowhere", ["train", "vae", "--data", "./nowhere"]),
        (DATA, "/dev/null", ["train", "vae", "--data", "/dev/null"]),
        (DATA, "/dev/null", "data pack /dev/null out.pack".split()),
        (USAGE, "--image-size", "data pack moons out.pack --image-size 9".split()),
        (DATA, "./pipe", ["train", "vae", "--data", "./pipe"]),
        (DATA, "mnist", ["train", "vae", "--data", "mnist"]),
        (DATA, "run", ["eval", "nowhere"]),
        (DATA, "run", ["eval"]),
        (DEVICE, "cuda", ["train", "vae", "--device", "cuda"]),
        (FAILED, "null", ["train", "vae", "--out", "/dev/null/runs"]),
    ]

    def test_wrong_inputs(self):
        os.mkfifo(self.folder / "pipe")
        quiet = {**os.environ, "HOURGLASS_DATA": "", "XDG_CACHE_HOME": "/nowhere"}
        for code, word, arguments in self.TABLE:
            if arguments[0] == "gradcheck" and not has_double_twin():
                continue
            if arguments[0] == "train" and "--data" not in arguments[2:]:
                arguments = [*arguments, *(["--data", "synthetic:60"][:2])]
                if "--epochs" == arguments[-3]:
                    arguments = arguments[:-2]
            with self.subTest(arguments=" ".join(arguments)):
                self.call(*arguments, code=code, says=[word], env=quiet)

    def test_a_run_that_is_there_is_not_overwritten(self):
        run = self.train("there", "--epochs", 1)
        before = (run / "metrics.jsonl").read_bytes()
        self.train("there", "--epochs", 1, code=USAGE, says=["--resume"])
        self.train(
            *("there", "--resume", "--batch-size", 8),
            code=USAGE,
            says=["batch_size", "32", "8"],
        )
        self.call("eval", run, "--split", "all", code=USAGE, says=["split"])
        self.assertEqual((run / "metrics.jsonl").read_bytes(), before)

    def test_a_run_that_was_refused_leaves_nothing(self):
        base = "train ae --free-bits 1 --data synthetic:60 --quiet".split()
        base += ["--out", self.folder, "--name"]
        self.call(*base, "refused", code=USAGE, says=["kl"])
        self.assertFalse((self.folder / "refused").exists())
        mine = self.folder / "mine"
        mine.mkdir()
        (mine / "thesis.tex").touch()
        self.call(*base, "mine", code=USAGE, says=["kl"])
        self.assertTrue((mine / "thesis.tex").exists())

    def test_an_unfinished_run_can_be_looked_at(self):
        out = self.folder / "unfinished"
        long = "--epochs", 900, "--out", out, "--ema", "0.9"
        program = start([*VAE, *long, "--name", "stopped"])
        last = out / "stopped/checkpoints/last"
        while program.poll() is None and not last.exists():
            time.sleep(0.002)
        program.send_signal(signal.SIGINT)
        program.communicate()
        self.assertEqual(program.returncode, INTERRUPTED)
        empty = out / "empty"
        empty.mkdir()
        shutil.copy(out / "stopped/config.json", empty)
        says = ["stopped is not finished", "hourglass resume"]
        seen = self.call("eval", "--out", out, "--json", says=says)
        self.assertGreater(json.loads(seen)["loss"], 0)
        self.call("eval", empty, code=DATA, says=["no weights yet", "resume"])

    def test_a_damaged_file_is_told(self):
        run = self.train("damaged", "--epochs", 1)
        last = (run / "checkpoints/last").read_text().strip()
        spoilt = {
            run / "model.safetensors": ["eval", run],
            run / "checkpoints" / last / "optim.safetensors": "resume",
            run / "checkpoints" / last / "state.json": "resume",
        }
        for path, command in spoilt.items():
            good = path.read_bytes()
            for bad in good[: len(good) // 2], b"\xff" * len(good), b"":
                path.write_bytes(bad)
                with self.subTest(file=path.name, size=len(bad)):
                    if command == "resume":
                        self.train(
                            *("damaged", "--epochs", 2, "--resume"),
                            code=DAMAGED,
                            says=[path.name],
                        )
                    else:
                        self.call(*command, code=DAMAGED, says=[path.name])
            path.write_bytes(good)
        self.call("eval", run)
        path = run / "config.json"
        config = json.loads(path.read_text())
        nameless = {x: y for x, y in config.items() if x != "batch_size"}
        for bad, word in (
            (json.dumps(nameless), "batch_size"),
            (json.dumps({**config, "model": "vea"}), "no model vea; `hourglass models"),
            ('{"seed": 1,', "line 1"),
        ):
            path.write_text(bad)
            for command in "eval", "resume":
                says = ["damaged/config.json", word]
                self.call(command, run, code=DAMAGED, says=says)

    def test_settings_that_cannot_be_opened_are_told(self):
        run = self.folder / "closed"
        run.mkdir()
        with socket.socket(socket.AF_UNIX) as closed:
            closed.bind(str(run / "config.json"))
            says = ["closed/config.json: No such device or address\n"]
            self.call("eval", run, code=FAILED, says=says)

    def test_names_that_json_cannot_hold_are_refused(self):
        odd = self.folder / os.fsdecode(b"l\xfft")
        self.train("even", "--steps", 1).rename(odd)
        name = "--data", "synthetic:60", "--name", odd.name
        for words in (["train", "ae", *name], ["train", "ae", "--data", f"{odd}/"],
                      ["eval", odd], ["compare", odd]):
            with self.subTest(words=words[0]):
                found = subprocess.run([PROGRAM, *words, "--json"],
                                       cwd=self.folder, capture_output=True)
                self.assertEqual(found.returncode, USAGE, found.stderr)
                self.assertIn(b"no UTF-8", found.stderr)
                error = json.loads(found.stdout)["error"]
                self.assertIn("l?t", error["message"])

    def test_a_run_is_no_model(self):
        run = self.train("model", "--epochs", 1)
        for command in "summary", "train":
            says = ["model is a run", ": vae"]
            self.call(command, run, code=USAGE, says=says)

    def test_few_images_are_enough_for_all_pictures(self):
        # 16 and 5 test images: no whole rows of ten.
        for items in 100, 30:
            data = "--data", f"synthetic:{items}", "--name", f"few{items}"
            self.train("few", *data, "--epochs", 1)
            run = self.folder / f"few{items}"
            picture = run / "recon/epoch_0001.png"
            self.assertGreater(picture.stat().st_size, 0)

    def test_images_of_another_size_are_refused(self):
        small = self.folder / "small"
        small.mkdir()
        for part in "train", "t10k":
            head = struct.pack(">IIII", 0x803, 20, 10, 10)
            images = small / (part + "-images-idx3-ubyte")
            images.write_bytes(head + bytes(range(100)) * 20)
            labels = small / (part + "-labels-idx1-ubyte")
            labels.write_bytes(struct.pack(">II", 0x801, 20) + bytes(20))
        options = "--data", "./small", "--out", self.folder, "--epochs", 1
        self.call("train", "conv-denoising-ae", *options, code=DATA, says=["28"])
        self.call("train", "conv-vae", *options, "--name", "small")
        self.call("train", "ae", *options, "--name", "tiny")
        # The run knows where its data lie, from any folder.
        out = self.call("eval", self.folder / "tiny", "--json")
        self.assertEqual(json.loads(out)["images"], 20)

    def test_what_is_not_finite_stops_the_run(self):
        base = "--epochs", 1, "--beta", "3e38", "--latent", 2000
        self.train("infinite", *base, code=NONFINITE)
        watch = {**os.environ, "HOURGLASS_ANOMALY": "1"}
        self.train("watched", *base, code=NONFINITE, env=watch, says=["["])

    @unittest.skipIf(SANITIZED, "sanitizers reserve more than the limit")
    def test_too_little_memory_is_told(self):
        def little():
            resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))

        self.train(
            *("memory", "--latent", 10000000),
            code=MEMORY,
            preexec_fn=little,
        )


class Zoo(Case):
    """Every model in miniature, from training to what can be asked of it."""

    SMALL = {
        "aae": "--hidden 32 --critic 32",
        "aae-supervised": "--hidden 32 --critic 32",
        "aae-semi": "--hidden 32 --critic 32 --labels 20",
        "aae-cluster":
            "--hidden 32 --critic 32 --clusters 5 --neighbours 2",
        "gan": "--hidden 16",
        "tfp-vae": "--width 4",
        "vade": "--hidden 32 --pretrain 1 --clusters 4 --covariance full",
    }

    def check_model(self, name):
        words = f"train {name} --data synthetic:120 --threads 1 --quiet"
        base = f"{words} {self.SMALL.get(name, '')} --name {name}".split()
        base += ["--out", self.folder]
        self.call(*base, "--epochs", 1)
        self.call(*base, "--epochs", 2, "--resume")
        run = self.folder / name
        whole = [x if x != name or i == 1 else f"{name}-whole"
                 for i, x in enumerate(base)]
        self.call(*whole, "--epochs", 2)
        self.assert_same_run(self.folder / f"{name}-whole", run)
        out = json.loads(self.call("eval", run, "--json", "--threads", 1))
        final = lines_of(run)[-1]
        self.assertEqual(out["images"], 20)
        tasks = self.tasks[name]
        self.assertEqual("reconstruct" in tasks, name != "gan")
        if "reconstruct" in tasks and "kl" not in out:
            self.assertAlmostEqual(out["loss"] / final["loss"], 1, 1)
        if "sample" in tasks:
            drawn = "prior" if name not in NO_PRIOR else "mixture"
            self.call("sample", run, "--threads", 1, "--from", drawn)
            picture = run / "pictures/sample.png"
            self.assertGreater(picture.stat().st_size, 0)

    def test_every_model(self):
        rows = json.loads(self.call("models", "--json"))
        self.tasks = {row["name"]: row["tasks"] for row in rows}
        for name in MODELS:
            with self.subTest(model=name):
                self.check_model(name)


class Gradients(Case):
    """Slow: every model against central differences, in double."""

    def test_every_model(self):
        for name in MODELS:
            with self.subTest(model=name):
                sizes = ["--values", 2, "--batch-size", 2]
                if name == "tfp-vae":
                    sizes += ["--width", 4]
                self.call("gradcheck", name, *sizes)

    def test_full_covariances_of_a_prior(self):
        sizes = ["--values", 2, "--batch-size", 2, "--covariance", "full"]
        self.call("gradcheck", "vade", *sizes)
        sizes += ["--components", 3, "--width", 4]
        self.call("gradcheck", "tfp-vae", *sizes)

    def test_a_gradient_that_is_off_is_told(self):
        self.call(
            *("gradcheck", "ae", "--values", 1, "--tolerance", "1e-300"),
            code=CHECK,
            says=["ae"],
        )


if __name__ == "__main__":
    PROGRAM = str(pathlib.Path(PROGRAM).resolve())
    unittest.main(argv=sys.argv, verbosity=2)
