"""test_explain.py - --explain and --precision, on the CPU and, as the program
is built for tests, on an emulated GPU (HOURGLASS_TEST_DEVICE=cuda).

    HOURGLASS_TEST_PROGRAM=build/apps/hourglass python3 tests/test_explain.py

Standard library only.
"""

import json
import os
import pathlib
import unittest

import test_apps
from test_apps import DEVICE, MEMORY, USAGE, Case, untimed

ON_GPU = os.environ.get("HOURGLASS_TEST_DEVICE") == "cuda"
# 70 images a batch: two whole ones and a rest an epoch.
SMALL = "train vae-keras --hidden 64 --data synthetic:200 --val 0.2 --batch-size 70"
SMALL += " --threads 1 --quiet --epochs 4 --sample-every 0"


class Steps(Case):
    def small(self, name, *arguments, **options):
        out = self.call(*SMALL.split(), "--out", self.folder, "--name", name,
                        *arguments, **options)
        return json.loads(out) if out else None

    @unittest.skipIf(ON_GPU, "says what a CPU does")
    def test_a_cpu_replays_nothing(self):
        end = self.small("cpu", "--device", "cpu", "--explain", "--json")
        self.assertEqual((end["epoch"], end["finished"]), (4, True))
        self.assertIn("recon_mse", end["test"])
        self.assertEqual(end["explain"]["on_cpu"], end["step"])
        self.assertGreater(end["explain"]["launches_per_step"], 20)
        log = (self.folder / "cpu" / "train.log").read_text()
        self.assertIn("a CPU runs each operation at once", log)

    @unittest.skipIf(ON_GPU, "a GPU has the other precisions")
    def test_a_cpu_has_one_precision(self):
        says = ["tf32", "device cpu", "fp32"]
        given = "--device", "cpu", "--precision", "tf32"
        self.small("one", *given, code=DEVICE, says=says)
        self.call("bench", "ae-b32", *given, code=DEVICE, says=says)
        self.small("one", "--device", "cpu")
        self.call("eval", "one", "--out", self.folder, "--precision", "tf32",
                  code=DEVICE, says=says)

    def test_a_misspelt_precision_is_named(self):
        self.small("half", "--precision", "tf23", code=USAGE,
                   says=["tf23", "did you mean tf32"])

    def test_without_being_asked_nothing_is_printed(self):
        self.assertIsNone(self.small("silent"))
        log = (self.folder / "silent" / "train.log").read_text()
        self.assertNotIn("replay", log)

    def test_runs_of_before_precisions_go_on(self):
        self.small("old", "--epochs", 1)
        path = self.folder / "old" / "config.json"
        config = json.loads(path.read_text())
        self.assertEqual(config.pop("precision"), "fp32")
        path.write_text(json.dumps(config))
        self.call("resume", self.folder / "old", "--epochs", 2, "--quiet")
        self.assertEqual(json.loads(path.read_text())["precision"], "fp32")

    @unittest.skipUnless(ON_GPU, "a CPU replays nothing")
    def test_a_gpu_says_what_became_of_each_step(self):
        end = self.small("gpu", "--device", "cuda", "--explain", "--json")
        found = end["explain"]
        kinds = ("first_sight", "other_batch_size", "captured", "one_graph",
                 "read_in_the_middle", "at_once", "on_cpu")
        self.assertEqual(sum(found[x] for x in kinds), end["step"])
        # Batches of 70, 70 and the rest: each kind is new, then captured.
        self.assertEqual(found["other_batch_size"], 1)
        self.assertGreaterEqual(found["first_sight"], 1)
        self.assertGreaterEqual(found["captured"], 2)
        self.assertGreaterEqual(found["one_graph"], 4)
        self.assertEqual(found["read_in_the_middle"] + found["at_once"], 0)
        log = (self.folder / "gpu" / "train.log").read_text()
        self.assertIn(f"{found['one_graph']} of {end['step']} steps", log)

    def test_lines_between_epochs_change_nothing(self):
        self.small("without")
        self.small("with", "--log-every", 1, "--save-every", 2)
        lines = untimed(self.folder / "with")
        steps = [x["step"] for x in lines if x["event"] == "step"]
        self.assertEqual(steps, list(range(1, 13)))
        # A line is written in its own epoch, the epoch's line after it.
        self.assertEqual([x["epoch"] for x in lines if x["event"] == "step"],
                         [1 + i // 3 for i in range(12)])
        last = [x for x in lines if x["event"] == "step" and x["step"] % 3 == 0]
        epochs = [x for x in lines if x.get("split") == "train"
                  and x["event"] == "epoch"]
        self.assertEqual([x["loss"] for x in last], [x["loss"] for x in epochs])
        rest = [x for x in lines if x["event"] != "step"]
        self.assertEqual(rest, untimed(self.folder / "without"))

    @unittest.skipUnless(ON_GPU, "a CPU replays nothing")
    def test_without_replay_every_step_is_run_at_once(self):
        off = {**os.environ, "HOURGLASS_REPLAY": "0"}
        end = self.small("off", "--device", "cuda", "--explain", "--json", env=off)
        self.assertEqual(end["explain"]["at_once"], end["step"])

    @unittest.skipUnless(ON_GPU, "a CPU has one precision")
    def test_a_precision_is_recorded_and_kept(self):
        def weights(name):
            return (self.folder / name / "model.safetensors").read_bytes()

        for name in "fp32", "bf16":
            self.small(name, "--device", "cuda", "--precision", name)
        self.assertNotEqual(weights("fp32"), weights("bf16"))
        self.small("kept", "--device", "cuda", "--precision", "bf16", "--epochs", 2)
        self.small("kept", "--device", "cuda", "--resume", code=USAGE,
                   says=["precision", "bf16", "fp32"])
        self.call("resume", self.folder / "kept", "--epochs", 4, "--quiet")
        self.assertEqual(weights("kept"), weights("bf16"))
        config = json.loads((self.folder / "kept/config.json").read_text())
        self.assertEqual(config["precision"], "bf16")
        self.call("eval", self.folder / "kept", "--device", "cpu")

    def test_a_run_cut_off_anywhere_becomes_the_one_that_was_not(self):
        def left(name):
            run = self.folder / name
            return untimed(run), (run / "model.safetensors").read_bytes()

        self.small("whole")
        # In the middle of an epoch, at its end, before its smaller last batch.
        for step in 1, 3, 5:
            with self.subTest(step=step):
                name = f"cut{step}"
                self.small(name, "--steps", step)
                self.call("resume", self.folder / name, "--steps", 0, "--quiet")
                self.assertEqual(left(name), left("whole"))


class Found(Case):
    """Which device is taken, and why; what is said where one is missing."""

    TRAIN = "train vae-keras --hidden 64 --data synthetic:60 --epochs 1".split()
    NO_GPU = {**os.environ, "CUDA_ON_CPU_DEVICES": "0"}

    def choice(self, name, **options):
        program = test_apps.start([*self.TRAIN, "--out", self.folder, "--name", name],
                                  cwd=self.folder, **options)
        _, said = program.communicate()
        self.assertEqual(program.returncode, test_apps.DONE, said)
        return [x for x in said.splitlines() if x.startswith("device auto")]

    @unittest.skipUnless(ON_GPU, "there may be a GPU or not")
    def test_auto_says_what_it_takes_and_why(self):
        self.assertEqual(self.choice("with"), ["device auto: cuda:0, the first GPU"])
        self.assertEqual(
            self.choice("without", env=self.NO_GPU),
            ["device auto: cpu, since there is no GPU: no NVIDIA driver was found"])

    @unittest.skipUnless(ON_GPU, "there may be a GPU or not")
    def test_the_doctor_tells_of_the_gpu(self):
        found = json.loads(self.call("doctor", "--json"))
        self.assertEqual(found["device"], "cuda:0")
        for word in "compute capability", "GiB free", "cuBLAS":
            self.assertIn(word, found["gpu"])
        missing = json.loads(self.call("doctor", "--json", env=self.NO_GPU))
        self.assertEqual(missing["device"], "cpu")
        self.assertEqual(missing["gpu"], "none: no NVIDIA driver was found")

    @unittest.skipUnless(ON_GPU, "there may be a GPU or not")
    def test_a_gpu_that_is_not_there_is_a_sentence(self):
        self.call(*self.TRAIN, "--device", "cuda", env=self.NO_GPU, code=DEVICE,
                  says=["device cuda", "no NVIDIA driver", "--device cpu", "doctor"])
        self.call(*self.TRAIN, "--device", "cuda:3", code=DEVICE,
                  says=["device cuda:3", "number 3", "cuda:0"])
        self.assertFalse((self.folder / "runs").exists())

    @unittest.skipUnless(ON_GPU, "the device is the emulated one")
    def test_a_full_gpu_says_what_was_asked_for_and_what_is_live(self):
        little = {**os.environ, "CUDA_ON_CPU_MEMORY": "3000000"}
        self.call(*self.TRAIN, "--hidden", 500, "--device", "cuda", "--out", self.folder,
                  env=little, code=MEMORY,
                  says=["bytes could not be allocated on device cuda", "open scopes",
                        "in data sets", "to spare", "in parameters", "optimisers",
                        "of 3000000 are free", "smaller batch or model"])


if __name__ == "__main__":
    test_apps.PROGRAM = str(pathlib.Path(test_apps.PROGRAM).resolve())
    unittest.main(verbosity=2)
