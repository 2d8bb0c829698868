"""test_runs.py - options, checkpoints, what a run survives and what it shows.

    HOURGLASS_TEST_PROGRAM=build/apps/hourglass python3 tests/test_runs.py [Class]

Standard library only. HOURGLASS_TEST_KILLS sets how often a run is killed,
HOURGLASS_TEST_FULL_DISKS how often the disk is full, HOURGLASS_TEST_SEED when.
"""

import json
import os
import pathlib
import random
import re
import shlex
import shutil
import signal
import struct
import subprocess
import sys
import time
import unittest

import test_apps
from test_apps import (
    DAMAGED,
    DATA,
    DONE,
    FAILED,
    INTERRUPTED,
    NONFINITE,
    USAGE,
    Case,
    lines_of,
    start,
    untimed,
)

ROOT = pathlib.Path(__file__).resolve().parent.parent
KILLS = int(os.environ.get("HOURGLASS_TEST_KILLS", 8))
FULL_DISKS = int(os.environ.get("HOURGLASS_TEST_FULL_DISKS", 3))
SEED = int(os.environ.get("HOURGLASS_TEST_SEED", time.time_ns() % 2**32))
# 540 images to train on, 17 steps an epoch; saved every third of them.
LONG = "train vae --data synthetic:600 --threads 2 --quiet --epochs 3".split()
LONG += "--save-every 3".split()
# Everything that a checkpoint has to bring back.
ALL = "--ema 0.9 --accumulate 2 --lr-warmup 10 --plateau 1 --kl-warmup 30"
ALL += " --decoder-std learned --clip-norm 5 --patience 9 --tensorboard"
SHORT = "train vae --data synthetic:60 --threads 1 --quiet --steps 2".split()


class Options(Case):
    """Flag before environment before --config before default."""

    def config(self, name, **values):
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps(values))
        return path

    def settings(self, name, *arguments, **options):
        self.call(*SHORT, "--out", self.folder, "--name", name, *arguments, **options)
        return json.loads((self.folder / name / "config.json").read_text())

    def test_what_cannot_be_written_says_what_to_try(self):
        (self.folder / "taken/lock").mkdir(parents=True)
        self.call(
            *SHORT, "--out", self.folder, "--name", "taken", code=FAILED,
            says=["taken/lock cannot be written", "something else has that name"],
        )

    def test_a_config_file_stands_before_defaults(self):
        path = self.config("one", seed=7, batch_size=8, options={"latent": 3})
        found = self.settings("config", "--config", path)
        self.assertEqual((found["seed"], found["batch_size"]), (7, 8))
        self.assertEqual(found["options"]["latent"], 3)
        self.assertEqual(found["options"]["beta"], 1)

    def test_a_flag_stands_before_a_config_file(self):
        path = self.config("two", seed=7, batch_size=8, latent=3)
        given = "--config", path, "--seed", 9, "--latent", 4
        found = self.settings("flag", *given)
        self.assertEqual((found["seed"], found["batch_size"]), (9, 8))
        self.assertEqual(found["options"]["latent"], 4)

    def test_the_environment_stands_between(self):
        path = self.config("three", device="cpu")
        watch = {**os.environ, "HOURGLASS_DEVICE": "abacus"}
        self.call(*SHORT, "--config", path, code=USAGE, says=["abacus"], env=watch)
        found = self.settings("between", "--device", "cpu", env=watch)
        self.assertEqual(found["device"], "cpu")

    def test_set_means_a_flag_by_name(self):
        given = "--seed", 1, "--set", "seed=3", "--set", "options.latent=2"
        found = self.settings("set", *given, "--set", "batch_size=5")
        self.assertEqual((found["seed"], found["batch_size"]), (3, 5))
        self.assertEqual(found["options"]["latent"], 2)

    def test_a_run_can_be_had_again_from_its_settings(self):
        first = self.settings("first", "--latent", 3, "--seed", 4)
        path = self.folder / "first" / "config.json"
        self.call(
            *("train", "--config", path, "--out", self.folder),
            *("--name", "second", "--quiet"),
        )
        second = json.loads((self.folder / "second/config.json").read_text())
        self.assertEqual(first, second)
        self.assert_same_run(self.folder / "first", self.folder / "second")

    def test_a_model_may_stand_after_its_options(self):
        self.call(
            *("train", "--steps", 2, "--latent", 3, "--quiet", "-b", 8, "vae"),
            *("--data", "synthetic:60", "--out", self.folder, "--name", "last"),
        )
        path = self.folder / "last" / "config.json"
        self.assertEqual(json.loads(path.read_text())["model"], "vae")

    def test_mistakes_in_a_config_file(self):
        spoilt = self.folder / "spoilt.json"
        spoilt.write_text('{"seed": 1,\n"epochs": }')
        for word, path in (
            ("epochs", self.config("typo", epoch=3)),
            ("latent", self.config("option", options={"lattent": 3})),
            ("switch", self.config("switch", resume="perhaps")),
            ("seed", self.config("list", seed=[1])),
            ("line 2", spoilt),
            ("nowhere", self.folder / "nowhere.json"),
        ):
            with self.subTest(path=path.name):
                self.call(*SHORT, "--config", path, code=USAGE, says=[word])
        for pair in "seed", "=3", "sede=3", "resume=perhaps":
            with self.subTest(pair=pair):
                self.call(*SHORT, "--set", pair, code=USAGE, says=["--set"])

    def test_help_shows_examples_first(self):
        text = self.call("train", "vae", "--help")
        places = [text.index(x) for x in ("examples:", "usage:", "--data-dir")]
        self.assertEqual(places, sorted(places))
        self.assertIn("--latent N", text)
        self.assertIn("$HOURGLASS_DEVICE", text)

    def test_the_documents_name_options_that_exist(self):
        root = pathlib.Path(os.environ.get("HOURGLASS_TEST_SOURCE", ROOT))
        text = (root / "docs/runs.md").read_text()
        named = set(re.findall(r"--[a-z][a-z-]+", text))
        commands = ["train", "vae"], ["resume"], ["compare"], ["eval"], ["data"]
        known = "".join(self.call(*x, "--help") for x in commands)
        missing = [x for x in named if x + " " not in known and x + "," not in known]
        missing = [x for x in missing if x + "\n" not in known]
        self.assertEqual([x for x in missing if x not in ("--help", "--offline")], [])

    def test_errors_are_json_too(self):
        out = self.call("eval", "nowhere", "--json", code=DATA, says=["nowhere"])
        error = json.loads(out)["error"]
        self.assertEqual((error["code"], error["name"]), (DATA, "data"))
        self.assertIn("nowhere", error["message"])


class Survival(Case):
    """Stopped at any moment, a run goes on as if it had not been."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.random = random.Random(SEED)
        cls.whole = cls.folder / "whole"
        began = time.monotonic()
        cls("call").run_to_the_end("whole")
        cls.seconds = time.monotonic() - began

    def run_to_the_end(self, name, *options, **others):
        base = [*LONG, *ALL.split(), *options, "--name", name]
        return self.call(*base, "--out", self.folder, **others)

    def begin(self, name, *options):
        base = [*LONG, *ALL.split(), *options, "--out", self.folder]
        return start([*base, "--name", name], cwd=self.folder)

    def assert_nothing_half_written(self, run):
        """`last` names a whole checkpoint, which may wait to be put in place of
        another of its step, and there is no partial file."""
        last = run / "checkpoints" / "last"
        if not last.exists():
            return None
        folder = run / "checkpoints" / last.read_text().strip()
        if not folder.exists():
            folder = folder.with_name(folder.name + ".tmp")
        json.loads((folder / "state.json").read_text())
        for name in "model", "optim", "ema":
            bytes_ = (folder / f"{name}.safetensors").read_bytes()
            size = struct.unpack("<Q", bytes_[:8])[0]
            header = json.loads(bytes_[8 : 8 + size])
            header.pop("__metadata__", None)
            end = max(x["data_offsets"][1] for x in header.values())
            self.assertEqual(len(bytes_), 8 + size + end, name)
        return folder

    def assert_same(self, run):
        self.assert_same_run(self.whole, run)
        for name in ["warnings.jsonl"]:
            self.assertEqual(
                (self.whole / name).read_text(), (run / name).read_text()
            )
        last = (self.whole / "checkpoints/last").read_text()
        self.assertEqual((run / "checkpoints/last").read_text(), last)
        for part in "model", "optim", "ema":
            a, b = (
                x / "checkpoints" / last.strip() / f"{part}.safetensors"
                for x in (self.whole, run)
            )
            self.assertTrue(a.read_bytes() == b.read_bytes(), f"{part} differs")

    def test_kills_at_random_moments_change_nothing(self):
        print(f"{KILLS} kills, HOURGLASS_TEST_SEED={SEED} ... ", end="", flush=True)
        kills = rounds = 0
        while kills < KILLS:
            name = f"killed{rounds}"
            rounds += 1
            while kills < KILLS:
                program = self.begin(name, "--resume")
                try:
                    program.communicate(
                        timeout=self.random.uniform(0, 0.7 * self.seconds)
                    )
                except subprocess.TimeoutExpired:
                    program.kill()
                    program.communicate()
                if program.returncode == DONE:
                    break
                self.assertEqual(program.returncode, -signal.SIGKILL)
                kills += 1
                self.assert_nothing_half_written(self.folder / name)
            self.run_to_the_end(name, "--resume")
            self.assert_same(self.folder / name)
            shutil.rmtree(self.folder / name)

    def test_interrupts_at_random_moments_change_nothing(self):
        for i in range(max(2, KILLS // 4)):
            name, code = f"interrupted{i}", INTERRUPTED
            # -SIGINT: it had not begun to listen.
            while code in (INTERRUPTED, -signal.SIGINT):
                program = self.begin(name, "--resume")
                log = self.folder / name / "train.log"
                while program.poll() is None and not log.exists():
                    time.sleep(0.001)
                time.sleep(self.random.uniform(0, 0.5 * self.seconds))
                program.send_signal(signal.SIGINT)
                program.communicate()
                code = program.returncode
            self.assertEqual(code, DONE)
            self.assert_same(self.folder / name)

    def test_a_run_of_before_an_option_goes_on(self):
        where = "--out", self.folder, "--name", "older"
        self.call(*SHORT, *where)
        path = self.folder / "older/config.json"
        config = json.loads(path.read_text())
        del config["precision"], config["training"]["lr_final"]
        path.write_text(json.dumps(config))
        self.call(*SHORT, *where, "--steps", 3, "--resume")
        self.assertEqual(lines_of(self.folder / "older")[-1]["step"], 3)
        self.call(*SHORT, *where, "--steps", 4, "--resume", "--lr-final", "0.5",
                  code=USAGE, says=["lr_final"])

    def test_a_whole_number_may_be_written_without_its_point(self):
        where = "--out", self.folder, "--name", "pointless"
        self.call(*SHORT, *where)
        path = self.folder / "pointless/config.json"
        text = path.read_text()
        self.assertIn('"latent": 10.0', text)
        path.write_text(text.replace('"latent": 10.0', '"latent": 10'))
        self.call("resume", path.parent, "--steps", 3, "--quiet")

    def test_a_resume_that_fails_changes_nothing(self):
        run = self.folder / "described"
        self.call(*SHORT, "--out", self.folder, "--name", run.name)
        files = [x for x in run.rglob("*") if x.is_file()]
        state = next(run.rglob("state.json"))
        good = state.read_bytes()
        state.write_text("{")
        before = {x: x.read_bytes() for x in files}
        self.call("resume", run, "--steps", 3, code=DAMAGED, says=["state.json"])
        self.assertEqual([x for x in files if x.read_bytes() != before[x]], [])
        state.write_bytes(good)
        for steps in 3, 4, 4:  # the last has nothing to do
            self.call("resume", run, "--steps", steps, "--quiet")
        first, *more = (run / "command.txt").read_text().splitlines()
        self.assertIn("hourglass train vae", first)
        self.assertEqual(
            more, [f"hourglass resume {run} --steps {n} --quiet" for n in (3, 4)]
        )
        page = (run / "report.html").read_text()
        for line in first, *more:
            self.assertIn(line, page)

    def test_commands_are_written_as_a_shell_takes_them(self):
        words = [*SHORT, "--out", "two words", "--name", "it's $HOME"]
        self.call(*words)
        run = self.folder / "two words" / "it's $HOME"
        again = ["resume", "two words/it's $HOME", "--steps", "3", "-q"]
        for _ in range(2):
            self.call(*again)
        text = (run / "command.txt").read_text()
        self.assertEqual([shlex.split(x) for x in text.splitlines()],
                         [["hourglass", *words], ["hourglass", *again]])
        out = subprocess.run(
            ["sh", "-c", 'hourglass() { printf "%s\\n" "$@"; }\n' + text],
            stdout=subprocess.PIPE, text=True, check=True)
        self.assertEqual(out.stdout.splitlines(), [*words, *again])

    def test_resume_needs_no_more_than_the_run(self):
        program = self.begin("resumed")
        last = self.folder / "resumed/checkpoints/last"
        while program.poll() is None and not last.exists():
            time.sleep(0.001)
        program.kill()
        program.communicate()
        always = "--save-every", 3, "--tensorboard", "--quiet"
        self.call("resume", self.folder / "resumed", *always)
        self.assert_same(self.folder / "resumed")
        out = self.call("resume", self.folder / "resumed", "--tensorboard")
        self.assertEqual(out, "")

    def test_one_process_trains_a_run(self):
        base = "train vae --data synthetic:600 --epochs 900 --quiet".split()
        base += "--threads 1 --name busy --out".split() + [self.folder]
        run = self.folder / "busy"
        program = start(base)
        while program.poll() is None and not (run / "checkpoints/last").exists():
            time.sleep(0.01)
        says = ["busy is being trained by process %d" % program.pid]
        for again in ["resume", run], [*base, "--overwrite"], base:
            self.call(*again, code=FAILED, says=says)
        program.send_signal(signal.SIGINT)
        err = program.communicate()[1]
        self.assertEqual(program.returncode, INTERRUPTED, err)
        self.assertFalse((run / "lock").exists())
        program = start(["resume", run, "--quiet"])
        while program.poll() is None and not (run / "lock").exists():
            time.sleep(0.01)
        program.kill()  # what is left behind locks nobody out
        program.communicate()
        step = json.loads((run / "checkpoints" / (run / "checkpoints/last")
                           .read_text() / "state.json").read_text())["step"]
        self.call("resume", run, "--epochs", 1, "--steps", step)

    def test_a_second_interrupt_ends_at_once(self):
        base = "train tfp-vae --data synthetic:1500 --batch-size 1350".split()
        program = start(
            [*base, "--threads", 1, "--name", "twice", "--val", 0.1]
            + ["--out", self.folder],
        )
        log = self.folder / "twice" / "train.log"
        while program.poll() is None and not (log.exists() and log.stat().st_size):
            time.sleep(0.01)
        time.sleep(0.2)
        program.send_signal(signal.SIGINT)
        time.sleep(0.1)
        program.send_signal(signal.SIGINT)
        program.communicate()
        self.assertEqual(program.returncode, INTERRUPTED)
        self.assertFalse((self.folder / "twice/checkpoints/last").exists())

    def mounted(self, command):
        """A folder in a name space of its own, as seen from this one."""
        place = self.folder / f"mount{len(list(self.folder.iterdir()))}"
        place.mkdir()
        if not shutil.which("unshare"):
            self.skipTest("there is no unshare to mount a small disk with")
        command = command.format(place) + " && echo ready && exec sleep 3600"
        holder = subprocess.Popen(
            ["unshare", "-r", "-m", "sh", "-c", command],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.addCleanup(holder.communicate)
        self.addCleanup(holder.kill)
        if holder.stdout.readline() != "ready\n":
            self.skipTest("a small disk cannot be mounted here (user name spaces)")
        return pathlib.Path(f"/proc/{holder.pid}/root{place}")

    def test_a_full_disk_leaves_the_old_checkpoint(self):
        print(f"{FULL_DISKS} disks, HOURGLASS_TEST_SEED={SEED} ... ", end="")
        disk = self.mounted("mount -t tmpfs -o size=64m tmpfs {}")
        full = 0
        while full < FULL_DISKS:
            room = int(self.random.uniform(0.05, 24) * 2**20)
            (disk / "filler").write_bytes(bytes((64 << 20) - room))
            run = disk / "run"
            base = [*LONG, *ALL.split(), "--out", disk, "--name", "run"]
            program = start([*base, "--resume"])
            err = program.communicate()[1]
            if program.returncode != DONE:
                full += 1
                self.assertEqual(program.returncode, FAILED, err)
                self.assertEqual(err.count("error: "), 1, err)
                self.assertIn("No space left", err)
                self.assert_nothing_half_written(run)
            (disk / "filler").unlink()
            self.call(*base, "--resume")
            self.assert_same(run)
            shutil.rmtree(run)

    def test_a_read_only_run_is_told_and_left_alone(self):
        shutil.copytree(self.whole, self.folder / "frozen" / "run")
        bind = f"mount --bind {self.folder / 'frozen'} {{0}}"
        place = self.mounted(bind + " && mount -o remount,bind,ro {0}")
        before = {
            x: x.read_bytes() for x in (place / "run").rglob("*") if x.is_file()
        }
        base = [*LONG, *ALL.split(), "--out", place, "--name"]
        for name, options in ("run", ["--resume", "--epochs", 5]), ("new", []):
            with self.subTest(name=name):
                self.call(*base, name, *options, code=FAILED, says=["Read-only"])
        for path, content in before.items():
            self.assertEqual(path.read_bytes(), content, path)

    def test_old_checkpoints_are_kept_as_asked(self):
        for keep, count in (2, 2), (0, 17):
            run = self.folder / f"keep{keep}"
            self.run_to_the_end(run.name, "--keep", keep)
            kept = list((run / "checkpoints").glob("step_*"))
            self.assertGreaterEqual(len(kept), count)
            self.assertLessEqual(len(kept), count + (1 if keep else 3))
            best = (run / "checkpoints/best").read_text().strip()
            self.assertIn(best, [x.name for x in kept])

    def test_a_replaced_run_keeps_nothing_of_the_old_one(self):
        small = "--latent", 3, "--epochs", 1, "--save-every", 0
        base = [*LONG, "--out", self.folder, "--name", "replaced"]
        self.call(*base)
        self.call(*base, *small, "--overwrite")
        run = self.folder / "replaced"
        self.assertEqual(len(list((run / "recon").iterdir())), 1)
        self.assertEqual(len(list((run / "checkpoints").glob("step*"))), 1)
        self.assertEqual(len(lines_of(run)), 3)


class Continued(Case):
    """A run that was cut off by --steps, or lost a file, goes on."""

    # 576 images to train on, 8 steps an epoch.
    BASE = "train ae-keras --data synthetic:640 --batch-size 72 --threads 1"
    BASE = f"{BASE} --quiet --epochs 2 --log-every 3 --seed 3".split()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.whole = cls("call").run_of("whole")

    def run_of(self, name, *arguments, **options):
        where = "--out", self.folder, "--name", name
        self.call(*self.BASE, *where, *arguments, **options)
        return self.folder / name

    def checkpoint(self, run, name="last"):
        return run / "checkpoints" / (run / "checkpoints" / name).read_text().strip()

    def assert_same(self, run, whole=None):
        whole = whole or self.whole
        self.assert_same_run(whole, run)
        for name in "last", "best":
            a, b = (x / "checkpoints" / name for x in (whole, run))
            self.assertEqual(a.exists(), b.exists())
            if not a.exists():
                continue
            a, b = (self.checkpoint(x, name) for x in (whole, run))
            self.assertEqual(a.name, b.name)
            for part in "model", "optim":
                file = f"{part}.safetensors"
                self.assertTrue((a / file).read_bytes() == (b / file).read_bytes())
        for name in "warnings.jsonl", "checkpoints":
            a, b = whole / name, run / name
            same = (lambda x: x.read_text()) if a.is_file() else os.listdir
            self.assertEqual(sorted(same(a)), sorted(same(b)))

    def test_an_epoch_cut_off_by_steps_is_made_whole(self):
        for steps in 1, 5, 8, 11, 16:
            with self.subTest(steps=steps):
                run = self.run_of(f"cut{steps}", "--steps", steps)
                lines = lines_of(run)
                self.assertEqual([x["step"] for x in lines if "step" in x][-1], steps)
                parts = [x["split"] for x in lines if x["event"] == "epoch"]
                self.assertEqual(parts, ["train", "val"] * ((steps + 7) // 8))
                self.assertTrue(self.checkpoint(run, "best").exists())
                self.call("resume", run, "--steps", 0, "--log-every", 3, "--quiet")
                self.assert_same(run)

    def test_speed_counts_what_was_trained_since(self):
        # 640 images: eight batches of 72, one of 64.
        run = self.run_of("speed", "--val", 0, "--steps", 8)
        self.call("resume", run, "--steps", 0, "--quiet")
        rows = [x for x in lines_of(run) if x["event"] == "epoch"]
        a_step = [x["images_per_s"] * x["ms_per_step"] / 1000 for x in rows]
        self.assertAlmostEqual(a_step[0], 64, 6)
        self.assertAlmostEqual(a_step[1], 640 / 9, 6)

    def test_several_cuts_make_the_same_run(self):
        for steps in 3, 3, 4, 9, 13:
            run = self.run_of("often", "--steps", steps, "--resume")
        self.assert_same(self.run_of("often", "--resume"))

    def test_one_batch_is_seen_as_often(self):
        options = "--overfit-batch", "--val", 0
        whole = self.run_of("heart", *options)
        run = self.run_of("beat", *options, "--steps", 5)
        self.assertEqual(len(lines_of(run)), 3)
        self.assert_same(self.run_of("beat", *options, "--resume"), whole)

    def test_a_stop_before_the_last_lines_is_made_good(self):
        cut = self.run_of("lines", "--steps", 5)
        run = self.folder / "stopped"
        shutil.copytree(cut, run)
        # As if it had been killed when the checkpoint was written.
        (run / "report.html").unlink()
        state = json.loads((self.checkpoint(run) / "state.json").read_text())
        os.truncate(run / "metrics.jsonl", state["lengths"]["metrics.jsonl"])
        self.assert_same_run(cut, self.run_of("stopped", "--steps", 5, "--resume"))

    def test_an_epoch_that_an_older_run_counted_too_early_is_made_whole(self):
        run = self.run_of("early", "--steps", 5)
        path = self.checkpoint(run) / "state.json"
        state = json.loads(path.read_text())
        state.update(epoch=1, epoch_steps=0, epoch_images=0, terms={})
        path.write_text(json.dumps(state))
        self.run_of("early", "--resume")
        self.assertEqual(lines_of(run)[-1]["step"], 16)
        a, b = (x / "model.safetensors" for x in (self.whole, run))
        self.assertTrue(a.read_bytes() == b.read_bytes())

    def first_epoch(self, name, *options):
        run = self.run_of(name, "--epochs", 1, *options)
        return run, [*self.BASE, *options, "--out", self.folder, "--name", name]

    def test_a_log_that_is_gone_begins_anew(self):
        for name in "metrics.jsonl", "train.log", "warnings.jsonl":
            with self.subTest(name=name):
                run, base = self.first_epoch(f"gone-{name}")
                had = (run / name).stat().st_size
                (run / name).unlink()
                self.call(*base, "--resume")
                for log in "metrics.jsonl", "train.log", "warnings.jsonl":
                    self.assertNotIn("\0", (run / log).read_text())
                    if log.endswith("jsonl"):
                        [json.loads(x) for x in (run / log).read_text().splitlines()]
                said = (run / "train.log").read_text()
                self.assertEqual(f"{name} has 0 of the" in said, had > 0)
                epochs = [x["epoch"] for x in lines_of(run) if x["split"] == "train"]
                self.assertEqual(epochs[-1], 2)
                self.assertEqual(min(epochs), 2 if name == "metrics.jsonl" else 1)

    def test_a_log_that_is_cut_off_keeps_its_whole_lines(self):
        run, base = self.first_epoch("cut-off", "--tensorboard")
        path = run / "metrics.jsonl"
        first = path.read_text().splitlines(keepends=True)[0]
        path.write_text(first + "{\"event\":")
        (events,) = run.glob("events.out.tfevents.*")
        whole = events.read_bytes()
        events.write_bytes(whole[:100])
        self.call(*base, "--resume")
        self.assertNotIn("\0", path.read_text())
        self.assertEqual(path.read_text()[: len(first)], first)
        self.assertEqual(lines_of(run)[1]["epoch"], 2)
        said = (run / "train.log").read_text()
        self.assertIn(f"metrics.jsonl has {len(first)} of the", said)
        self.assertIn("begins anew", said)
        begins = events.read_bytes()
        self.assertEqual(begins[20:50].count(b"brain.Event:2"), 1)
        self.assertNotEqual(begins[:100], whole[:100])
        self.assertNotIn(bytes(64), begins[50:200])

    def test_a_checkpoint_that_is_gone_is_made_again(self):
        often = "--save-every", 3, "--keep", 0
        run = self.run_of("lost", *often, "--steps", 11)
        last = self.checkpoint(run)
        self.assertEqual(last.name, "step_00000011")
        shutil.rmtree(last)
        shutil.rmtree(last.with_name("step_00000009"))
        (last.with_name("step_00000008") / "state.json").unlink()
        self.run_of("lost", *often, "--resume")
        a, b = (x / "model.safetensors" for x in (self.whole, run))
        self.assertEqual(untimed(self.whole), untimed(run))
        self.assertTrue(a.read_bytes() == b.read_bytes())
        said = (run / "train.log").read_text()
        self.assertIn("names step_00000011, which is gone", said)
        self.assertIn("the newest that is whole, step 6", said)

    def test_the_newest_is_told_by_its_number(self):
        run = self.run_of("large", "--save-every", 3, "--keep", 0, "--steps", 11)
        places = run / "checkpoints"
        (places / "step_00000003").rename(places / "step_99999999")
        (places / "step_00000008").rename(places / "step_100000000")
        for name in "06", "09", "11":
            shutil.rmtree(places / f"step_000000{name}")
        self.run_of("large", "--save-every", 3, "--keep", 0, "--resume")
        said = (run / "train.log").read_text()
        self.assertIn("the newest that is whole, step 8", said)
        self.assert_same_run(self.whole, run)

    def test_without_any_checkpoint_it_is_said_what_to_do(self):
        run = self.run_of("bare", "--steps", 5)
        for folder in (run / "checkpoints").glob("step_*"):
            shutil.rmtree(folder)
        says = "checkpoints/last names step_00000005", "--overwrite"
        self.run_of("bare", "--resume", code=DAMAGED, says=says)
        self.call("resume", run, code=DAMAGED, says=says)
        self.run_of("bare", "--overwrite")
        self.assert_same(run)


class Trainer(Case):
    """What the trainer does with any model."""

    BASE = "train vae --data synthetic:300 --threads 1 --quiet".split()

    def run_of(self, name, *arguments, **options):
        self.call(
            *self.BASE, "--out", self.folder, "--name", name, *arguments, **options
        )
        return self.folder / name

    def epochs(self, name, split="train"):
        rows = lines_of(self.folder / name)
        return [x for x in rows if x["event"] == "epoch" and x["split"] == split]

    def test_a_run_without_a_name_is_named_after_the_data_that_were_found(self):
        out = self.folder / "found"
        none = {**os.environ, "HOURGLASS_DATA": "", "XDG_CACHE_HOME": "/nowhere"}
        brief = "train vae --steps 1 --threads 1 --val 0.01 --quiet --out".split()
        self.call(*brief, out, env=none)
        (run,) = out.iterdir()
        self.assertRegex(run.name, r"^vae-synthetic-\d{8}-\d{6}$")

    def test_early_stopping_waits_as_long_as_asked(self):
        run = self.run_of("early", "--lr", "1e-12", "--patience", 2, "--epochs", 9)
        # Nothing moves: val differs by draws alone, so it stops well before 9.
        self.assertLess(len(self.epochs("early")), 9)
        self.assertIn("stopping early", (run / "train.log").read_text())
        self.assertEqual(lines_of(run)[-1]["event"], "final")
        again = self.call("resume", run, "--epochs", 9)
        self.assertEqual(again, "")
        self.run_of("unchecked", "--val", 0, "--patience", 2, code=USAGE, says=["val"])

    def test_a_plateau_lowers_the_rate(self):
        run = self.run_of("plateau", "--lr", "1e-12", "--plateau", 1, "--epochs", 6)
        self.assertIn("rates are times 0.1", (run / "train.log").read_text())

    def test_the_rate_falls_to_its_share(self):
        run = self.run_of("final", "--lr", "1e-2", "--lr-final", "1e-3", "--epochs", 2)
        last = run / "checkpoints" / (run / "checkpoints/last").read_text().strip()
        raw = (last / "optim.safetensors").read_bytes()
        size = struct.unpack("<Q", raw[:8])[0]
        at = 8 + size + json.loads(raw[8 : 8 + size])["adam/rate"]["data_offsets"][0]
        rate = struct.unpack("<f", raw[at : at + 4])[0]
        self.assertAlmostEqual(rate, 1e-5, delta=1e-8)
        for wrong in ("--lr-final", 2), ("--lr-final", "0.1", "--plateau", 1):
            self.run_of("wrong", *wrong, code=USAGE, says=["--lr-final"])

    def test_a_warm_up_of_the_kl_lets_it_grow_at_first(self):
        self.run_of("cold", "--epochs", 2)
        self.run_of("warm", "--epochs", 2, "--kl-warmup", 10000)
        self.assertGreater(
            self.epochs("warm")[1]["kl"], 2 * self.epochs("cold")[1]["kl"]
        )

    def test_a_capacity_is_what_the_kl_becomes(self):
        options = "--capacity", 6, "--capacity-weight", 100, "--epochs", 12
        self.run_of("capacity", *options, "--lr", 3e-3)
        self.assertAlmostEqual(self.epochs("capacity")[-1]["kl"], 6, delta=2)

    def test_free_bits_keep_dimensions_in_use(self):
        self.run_of("free", "--free-bits", 2, "--epochs", 15, "--lr", 3e-3)
        self.run_of("bound", "--epochs", 15, "--lr", 3e-3)
        free, bound = (self.epochs(x)[-1]["kl"] for x in ("free", "bound"))
        self.assertGreater(free, 1.5 * bound)

    def test_averaged_weights_are_what_is_measured(self):
        run = self.run_of("average", "--ema", "0.999", "--epochs", 2)
        last = (run / "checkpoints/last").read_text().strip()
        raw = (run / "checkpoints" / last / "model.safetensors").read_bytes()
        average = (run / "checkpoints" / last / "ema.safetensors").read_bytes()
        final = (run / "model.safetensors").read_bytes()
        self.assertEqual(final, average)
        self.assertNotEqual(final, raw)
        # At 0.999 a few steps hardly move the average.
        self.assertGreater(
            self.epochs("average", "val")[-1]["loss"],
            1.5 * self.epochs("average")[-1]["loss"],
        )

    def test_accumulated_batches_follow_a_larger_one(self):
        # Nothing is drawn; 360 images make 36 batches of ten.
        base = "train ae --data synthetic:400 --threads 1 --quiet --epochs 2"
        for name, size, count in ("two", 10, 2), ("one", 20, 1), ("off", 10, 1):
            self.call(
                *(*base.split(), "--out", self.folder, "--name", name),
                *("--batch-size", size, "--accumulate", count),
            )
        two, one, off = (
            self.epochs(x, "val")[-1]["recon_mse"] for x in ("two", "one", "off")
        )
        self.assertAlmostEqual(two / one, 1, 4)
        self.assertNotAlmostEqual(off / one, 1, 2)

    def test_one_batch_is_learnt_by_heart(self):
        options = "--overfit-batch", "--batch-size", 8, "--epochs", 20
        run = self.run_of("heart", *options, "--decoder-std", "0.05")
        first, last = self.epochs("heart")[0], self.epochs("heart")[-1]
        self.assertLess(last["loss"], 0.5 * first["loss"])
        self.assertEqual(self.epochs("heart", "val"), [])

    def test_a_learned_spread_becomes_the_error_of_the_pixels(self):
        run = self.run_of("learned", "--decoder-std", "learned", "--epochs", 30, "--lr", 1e-2)
        bytes_ = (run / "model.safetensors").read_bytes()
        size = struct.unpack("<Q", bytes_[:8])[0]
        entry = json.loads(bytes_[8 : 8 + size])["decoder_log_std"]
        at = 8 + size + entry["data_offsets"][0]
        std = 2.718281828 ** struct.unpack("<f", bytes_[at : at + 4])[0]
        mse = lines_of(run)[-1]["recon_mse"]
        self.assertAlmostEqual(std / mse**0.5, 1, delta=0.25)
        out = json.loads(self.call("eval", run, "--json"))
        self.assertAlmostEqual(out["elbo"] / lines_of(run)[-1]["elbo"], 1, 1)

    def test_what_a_model_does_not_have_is_told(self):
        base = "train ae --data synthetic:60 --quiet".split()
        for word, option in ("KL", "--kl-warmup=3"), ("Gaussian", "--decoder-std=1"):
            self.call(
                *(*base, option, "--out", self.folder, "--name", word),
                code=USAGE,
                says=[word],
            )

    def test_a_run_is_named_after_its_folder_of_pictures(self):
        pictures = self.folder / "pictures"
        pictures.mkdir()
        for i in range(40):
            data = b"P5 28 28 255\n" + bytes([i]) * 784
            (pictures / f"{i}.pgm").write_bytes(data)
        self.call("train", "ae", "--data", f"{pictures}//", "--steps", 1, "--quiet",
                  "--out", self.folder / "named")
        (run,) = os.listdir(self.folder / "named")
        self.assertRegex(run, r"^ae-pictures-\d+-\d+$")

    def test_a_dry_run_keeps_nothing(self):
        self.call(*self.BASE, "--dry-run", "--out", self.folder / "dry")
        self.assertEqual(list((self.folder / "dry").iterdir()), [])

    def test_merged_settings_can_be_printed(self):
        out = self.call(*self.BASE, "--print-config", "--latent", 3, "--ema", 0.5)
        config = json.loads(out)
        self.assertEqual(config["options"]["latent"], 3)
        self.assertEqual(config["training"]["ema"], 0.5)
        path = self.folder / "printed.json"
        path.write_text(out)
        again = self.call("train", "--config", path, "--print-config")
        self.assertEqual(json.loads(again), config)

    def config_of(self, *arguments):
        base = "train --data synthetic:300 --print-config".split()
        return json.loads(self.call(*base, *arguments))

    def test_the_faithful_recipe_trains_as_published(self):
        config = self.config_of("conv-vae", "--recipe", "faithful")
        training = config["training"]
        self.assertEqual((config["epochs"], config["val"]), (50, 0.2))
        self.assertEqual((training["in_order"], training["drop_last"]), (1, 0))
        config = self.config_of("ae-leaky", "--recipe", "faithful")
        training = config["training"]
        self.assertEqual((config["epochs"], config["val"]), (10, 0))
        self.assertEqual((training["in_order"], training["drop_last"]), (1, 1))
        self.assertEqual(self.config_of("aae", "--recipe=faithful")["steps"], 50000)
        # Of this one only the optimiser is known.
        config = self.config_of("ae-keras", "--recipe", "faithful")
        self.assertEqual((config["epochs"], config["val"]), (50, 0.1))
        for corrected in self.config_of("conv-vae"), self.config_of("vae"):
            self.assertEqual((corrected["epochs"], corrected["val"]), (10, 0.1))
            self.assertEqual(corrected["training"]["in_order"], 0)

    def test_what_is_asked_for_goes_before_what_was_published(self):
        own = "--epochs 3 --val 0.3 --in-order 0 --drop-last 0".split()
        config = self.config_of("ae-leaky", "--recipe", "faithful", *own)
        training = config["training"]
        self.assertEqual((config["epochs"], config["val"]), (3, 0.3))
        self.assertEqual((training["in_order"], training["drop_last"]), (0, 0))
        config = self.config_of("aae", "--recipe", "faithful", "--epochs", 2)
        self.assertEqual((config["epochs"], config["steps"]), (2, 0))

    def test_a_last_batch_is_left_out_on_demand(self):
        run = self.run_of("whole", "--epochs", 1, "--drop-last", 1, "--val", 0)
        self.assertEqual(lines_of(run)[-1]["step"], 300 // 32)
        self.call(
            *"train vae --data synthetic:60 --batch-size 61 --drop-last 1".split(),
            *("--val", 0, "--quiet", "--out", self.folder, "--name", "none"),
            code=DATA,
            says=["make no batch of 61", "--drop-last 0"],
        )

    def test_a_random_seed_is_said_and_recorded(self):
        a = self.run_of("seed1", "--seed", "random", "--steps", 1)
        b = self.run_of("seed2", "--seed", "random", "--steps", 1)
        seeds = [
            json.loads((x / "config.json").read_text())["seed"] for x in (a, b)
        ]
        self.assertNotEqual(*seeds)
        self.assertIn(f"seed {seeds[0]}", (a / "train.log").read_text())

    def test_a_resumed_run_refuses_another_objective(self):
        run = self.run_of("objective", "--epochs", 1, "--ema", 0.5)
        self.run_of(
            *("objective", "--epochs", 2, "--ema", 0.6, "--resume"),
            code=USAGE,
            says=["ema", "0.5", "0.6"],
        )
        self.assertEqual(len(self.epochs("objective")), 1)
        self.call("resume", run, "--epochs", 2, "--quiet")
        self.assertEqual(len(self.epochs("objective")), 2)

    def test_lines_between_epochs_are_written_when_asked(self):
        self.run_of("steps", "--epochs", 1, "--log-every", 3)
        rows = [x for x in lines_of(self.folder / "steps") if x["event"] == "step"]
        self.assertEqual([x["step"] for x in rows], [3, 6, 9])
        self.assertTrue(all(x["loss"] > 0 for x in rows))

    def test_without_a_terminal_lines_are_plain(self):
        program = start([*self.BASE[:-1], "--epochs", 1, "--out", self.folder])
        err = program.communicate()[1]
        self.assertIn("epoch 1/1", err)
        self.assertNotIn("\033", err)
        self.assertNotIn("\r", err)


class Anomaly(Case):
    """The step that makes the first NaN can be made again."""

    def test_the_failing_step_is_kept(self):
        # At this rate an early step overflows; a checkpoint lies before it.
        base = "train vae --data synthetic:300 --lr 3 --threads 1".split()
        where = "--save-every", 1, "--out", self.folder, "--name", "broken"
        program = start([*base, *where, "--anomaly"])
        err = program.communicate()[1]
        self.assertEqual(program.returncode, NONFINITE, err)
        sentence = [x for x in err.splitlines() if x.startswith("error: ")][0]
        operation = sentence[7:].split("; broken")[0].split("; /")[0]
        self.assertIn("made the first non-finite values", operation)
        folder = self.folder / "broken" / "nan-step"
        report = (folder / "report.txt").read_text()
        self.assertIn(operation, report)
        step = int(report.split()[1])
        state = json.loads((folder / "state.json").read_text())
        self.assertEqual(state["step"], step - 1)
        self.assertGreater(step, 1)
        size = struct.unpack("<Q", (folder / "batch.safetensors").read_bytes()[:8])
        self.assertGreater(size[0], 0)
        log = (self.folder / "broken" / "train.log").read_bytes()
        for _ in range(2):
            self.call(
                *("resume", self.folder / "broken", "--replay"),
                code=NONFINITE,
                says=[operation],
            )
        self.assertEqual((self.folder / "broken/train.log").read_bytes(), log)

    def test_a_run_without_such_a_step_says_so(self):
        base = "train vae --data synthetic:300 --epochs 1 --threads 1 -q".split()
        self.call(*base, "--out", self.folder, "--name", "sound")
        (self.folder / "sound" / "anomaly").mkdir()  # rankings, say
        self.call(
            *("resume", self.folder / "sound", "--replay"),
            code=USAGE,
            says=["no step", "--anomaly"],
        )

    def spoil(self, path, name):
        """Weights so large that what they multiply overflows."""
        raw = bytearray(path.read_bytes())
        size = struct.unpack("<Q", raw[:8])[0]
        at, end = json.loads(raw[8 : 8 + size])[name]["data_offsets"]
        large = struct.pack("<f", 3e38) * ((end - at) // 4)
        raw[8 + size + at : 8 + size + end] = large
        path.write_bytes(raw)

    def test_a_run_that_goes_on_at_an_epochs_end_keeps_it_too(self):
        # 270 images to train on, 5 steps an epoch.
        base = "train vae --data synthetic:300 --batch-size 54 --threads 1 -q".split()
        run = self.folder / "ended"
        self.call(*base, "--steps", 5, "--out", self.folder, "--name", run.name)
        last = run / "checkpoints" / (run / "checkpoints/last").read_text().strip()
        self.assertEqual(json.loads((last / "state.json").read_text())["position"], 5)
        self.spoil(last / "model.safetensors", "encoder.0.weight")
        self.call("resume", run, "--steps", 0, "--anomaly", "--quiet",
                  code=NONFINITE, says=["first non-finite values", "--replay"])
        state = json.loads((run / "nan-step/state.json").read_text())
        self.assertEqual((state["step"], state["position"]), (5, 0))
        self.call("resume", run, "--replay", code=NONFINITE, says=["non-finite"])

    def test_without_checkpoints_it_is_kept_too(self):
        base = "train vae --data synthetic:300 --lr 3 --threads 1".split()
        where = "--out", self.folder, "--name", "first", "--anomaly"
        self.call(*base, *where, code=NONFINITE, says=["--replay"])
        self.assertTrue((self.folder / "first/nan-step/model.safetensors").exists())
        self.call(
            *("resume", self.folder / "first", "--replay"),
            code=NONFINITE,
            says=["non-finite"],
        )


class Warnings(Case):
    """What looks wrong is said once, with what it means."""

    def warnings_of(self, name, *arguments, **options):
        base = "--epochs 2 --threads 1 --quiet --sample-every 0".split()
        self.call(
            *("train", *arguments, *base, "--out", self.folder, "--name", name),
            **options,
        )
        text = (self.folder / name / "warnings.jsonl").read_text()
        rows = {}
        for line in map(json.loads, text.splitlines()):
            rows[line["kind"]] = line.get("text")
        log = (self.folder / name / "train.log").read_text()
        for kind, text in rows.items():
            self.assertTrue(text is None or "warning: " in log, kind)
        return {k: v for k, v in rows.items() if v}

    def test_collapsed_dimensions(self):
        found = self.warnings_of(
            "collapsed", *"vae --data synthetic:300 --beta 1000".split()
        )
        self.assertIn("10 of 10 dimensions", found["collapsed"])
        page = (self.folder / "collapsed/report.html").read_text()
        self.assertIn("10 of 10 dimensions", page)
        self.assertIn("collapsed onto the prior", page)
        self.assertIn("<code>--free-bits</code> 0.1", page)
        found = self.warnings_of(
            "single", *"vae --data synthetic:300 --beta 1000 --latent 1".split()
        )
        self.assertIn("1 of 1 dimensions of the code carries", found["collapsed"])

    def test_dead_units(self):
        found = self.warnings_of("dead", *"vae --data synthetic:600 --lr 0.05".split())
        self.assertIn("ReLU units never fire", found["dead-units"])

    PLAYERS = """
        #include <hourglass.h>
        struct players {{
            nn_layer *net;
        }};
        static void build(void *model, hg_params *p, const hg_config *c)
        {{
            struct players *m = model;
            m->net = nn_linear(p, "net", hg_config_int(c, "inputs"), 1);
        }}
        static hg_tensor *loss(void *model, const hg_batch *b)
        {{
            hg_report("d_real", hg_full(HG_SCALAR, (hg_real){}));
            hg_report("d_fake", hg_full(HG_SCALAR, (hg_real){}));
            return hg_sum(hg_square(nn_forward(((struct players *)model)->net, b->x)), HG_FROM(1));
        }}
        static const hg_model players = {{
            .name = "players", .about = "a game", .size = sizeof(struct players),
            .build = build, .loss = loss}};
        HG_EXPORT_MODEL(players)
        """

    def test_a_discriminator_at_chance_or_saturated(self):
        for name, real, fake in (
            ("discriminator-chance", 0.52, 0.48),
            ("discriminator-saturated", 0.99, 0.01),
            (None, 0.8, 0.3),
        ):
            path = self.folder / f"{name}.c"
            path.write_text(self.PLAYERS.format(real, fake))
            found = self.warnings_of(
                f"players-{name}", path, "--data", "synthetic:60"
            )
            kinds = [x for x in found if x.startswith("discriminator")]
            self.assertEqual(kinds, [name] if name else [])

    def test_parameters_that_never_move(self):
        found = self.warnings_of(
            "still", *"vae --data synthetic:60 --lr 1e-30".split()
        )
        self.assertRegex(found["still"], "parameters have not moved: .*weight")

    def test_values_outside_of_what_a_model_can_make(self):
        head = "{'descr': '<f4', 'fortran_order': False, 'shape': (40, 784), }"
        head = head.ljust(117) + "\n"
        path = self.folder / "large.npy"
        values = struct.pack("<f", 3.0) * 20 + struct.pack("<f", -1.0) * 764
        path.write_bytes(
            b"\x93NUMPY\x01\x00"
            + struct.pack("<H", len(head))
            + head.encode()
            + values * 40
        )
        found = self.warnings_of("large", "vae", "--data", path)
        self.assertIn("from -1 to 3", found["range"])
        self.call(
            *("train", "aae", "--data", path, "--out", self.folder),
            code=DATA,
            says=["from -1 to 3", "--range"],
        )
        found = self.warnings_of("mapped", "vae", "--data", path, "--range=-1:3")
        self.assertNotIn("range", found)

    def test_an_ordinary_run_has_nothing_of_the_kind(self):
        found = self.warnings_of("fine", *"vae --data synthetic:600".split())
        self.assertNotIn("still", found)
        self.assertNotIn("range", found)
        self.assertNotIn("discriminator-chance", found)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


class Events(Case):
    """TensorBoard's files."""

    READ = """if True:
        import json, sys
        from tensorboard.backend.event_processing import event_accumulator
        e = event_accumulator.EventAccumulator(
            sys.argv[1], size_guidance=dict(images=0, scalars=0, histograms=0))
        e.Reload()
        h = e.Histograms("weights/encoder.0.weight")
        i = e.Images("reconstructions")
        print(json.dumps(dict(
            loss=[[x.step, x.value] for x in e.Scalars("train/loss")],
            test=[x.value for x in e.Scalars("test/recon_mse")],
            numbers=[x.histogram_value.num for x in h],
            counted=[sum(x.histogram_value.bucket) for x in h],
            images=[[x.width, x.height] for x in i],
            png=i[0].encoded_image_string[:4].hex())))
        """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        base = "train vae --data synthetic:200 --epochs 2 --quiet".split()
        tail = "--threads", 1, "--out", cls.folder, "--name", "run", "--tensorboard"
        cls("call").call(*base, *tail)
        cls.run_ = cls.folder / "run"

    def test_checksums_are_those_of_the_standard(self):
        self.assertEqual(crc32c(b"123456789"), 0xE3069283)  # RFC 3720
        data = next(self.run_.glob("events.out.tfevents.*")).read_bytes()
        records = at = 0
        while at < len(data):
            (size,) = struct.unpack("<Q", data[at : at + 8])
            (head,) = struct.unpack("<I", data[at + 8 : at + 12])
            body = data[at + 12 : at + 12 + size]
            (tail,) = struct.unpack("<I", data[at + 12 + size : at + 16 + size])
            self.assertEqual(head, masked(data[at : at + 8]))
            if size < 5000:
                self.assertEqual(tail, masked(body))
            if not records:
                self.assertIn(b"brain.Event:2", body)
            at += 16 + size
            records += 1
        self.assertEqual(at, len(data))
        self.assertGreater(records, 40)

    def test_the_real_package_reads_them(self):
        python = os.environ.get("HOURGLASS_TEST_TENSORBOARD", sys.executable)
        probe = [python, "-c", "import tensorboard"]
        if subprocess.run(probe, stderr=subprocess.DEVNULL).returncode:
            self.skipTest(
                "tensorboard is not installed (HOURGLASS_TEST_TENSORBOARD may "
                "name a python that has it)"
            )
        out = subprocess.run(
            [python, "-c", self.READ, str(self.run_)],
            stdout=subprocess.PIPE,
            check=True,
        )
        seen = json.loads(out.stdout)
        rows = lines_of(self.run_)
        train = [x for x in rows if x["split"] == "train"]
        self.assertEqual([x[0] for x in seen["loss"]], [x["step"] for x in train])
        for (_, value), row in zip(seen["loss"], train):
            self.assertAlmostEqual(value / row["loss"], 1, 6)
        self.assertAlmostEqual(seen["test"][0] / rows[-1]["recon_mse"], 1, 6)
        self.assertEqual(seen["numbers"], [784 * 256] * 2)
        self.assertEqual(seen["counted"], seen["numbers"])
        # The last epoch's pictures are drawn again at the end.
        self.assertEqual(set(map(tuple, seen["images"])), {(582, 350)})
        self.assertEqual(seen["png"], "89504e47")


class Report(Case):
    """report.html, opened in a real browser where there is one."""

    BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
    PROBE = """
    <script>
    addEventListener("error", e => document.title = "error " + e.message);
    addEventListener("load", () => setTimeout(() => {
      const svg = document.querySelector(".chart svg");
      const box = svg.getBoundingClientRect();
      svg.dispatchEvent(new PointerEvent("pointermove",
        { clientX: box.right - 20, clientY: box.top + 20 }));
      const linear = svg.querySelectorAll("path").length;
      document.querySelector(".chart button").click();
      const out = document.createElement("pre");
      out.id = "probe";
      out.textContent = JSON.stringify({
        title: document.title,
        charts: document.querySelectorAll(".chart").length,
        curves: [...document.querySelectorAll(".chart svg path")]
          .filter(p => /L/.test(p.getAttribute("d"))).length,
        tip: document.querySelector(".tip").textContent,
        pressed: document.querySelector(".chart button").ariaPressed,
        sliders: document.querySelectorAll("input[type=range]").length,
        wide: document.documentElement.scrollWidth - innerWidth,
        high: document.body.scrollHeight,
        colours: [...document.querySelectorAll(".chart svg path")]
          .filter(p => /L/.test(p.getAttribute("d")))
          .map(p => p.getAttribute("stroke")),
        broken: [...document.images].filter(i => !i.naturalWidth).length,
        outside: performance.getEntriesByType("resource")
          .filter(r => !r.name.startsWith("data:")).length,
      });
      document.body.appendChild(out);
    }, 50));
    </script>
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        base = "train vae --data synthetic:200 --epochs 3 --quiet".split()
        tail = "--threads", 1, "--out", cls.folder, "--name"
        cls("call").call(*base, *tail, "run")
        cls.page = (cls.folder / "run/report.html").read_text()

    def opened(self, page, width=1200):
        if not self.BROWSER:
            self.skipTest("there is no chromium to open the report with")
        head, body = page.split("<body>", 1)
        path = self.folder / f"page{width}.html"
        path.write_text(head + self.PROBE + "<body>" + body)
        program = subprocess.run(
            [self.BROWSER, "--headless", "--no-sandbox", "--disable-gpu"]
            + ["--enable-logging=stderr", f"--window-size={width},900"]
            + ["--virtual-time-budget=3000", "--dump-dom", f"file://{path}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        said = [x for x in program.stderr.splitlines() if "CONSOLE" in x]
        self.assertEqual(said, [])
        probe = program.stdout.split('<pre id="probe">')
        self.assertEqual(len(probe), 2, program.stdout[-500:] + program.stderr)
        text = probe[1].split("</pre>")[0]
        for entity, sign in ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"):
            text = text.replace(entity, sign)
        return json.loads(text)

    def test_it_needs_nothing_from_outside(self):
        for word in "http://", "https://", "src=\"/", "@import", "url(":
            page = self.page.replace("http://www.w3.org/2000/svg", "")
            self.assertNotIn(word, page)

    def test_a_browser_draws_it(self):
        seen = self.opened(self.page)
        self.assertEqual(seen["title"], "vae on synthetic:200")
        self.assertEqual(seen["charts"], 4)
        self.assertGreaterEqual(seen["curves"], 6)
        for colour in seen["colours"]:
            self.assertRegex(colour, "^#[0-9a-f]{6}$")
        self.assertIn("epoch 3", seen["tip"])
        self.assertIn("training", seen["tip"])
        self.assertEqual(seen["pressed"], "true")
        self.assertEqual(seen["sliders"], 4)
        self.assertEqual((seen["broken"], seen["outside"]), (0, 0))
        self.assertGreater(seen["high"], 1500)

    def test_runs_are_compared_on_one_page(self):
        base = "train ae --data synthetic:200 --epochs 3 --quiet --seed 5".split()
        self.call(*base, "--threads", 1, "--out", self.folder, "--name", "other")
        runs = self.folder / "run", self.folder / "other"
        self.call("compare", *runs)
        page = (self.folder / "compare.html").read_text()
        seen = self.opened(page, 1100)
        self.assertEqual(seen["title"], "2 runs compared")
        self.assertEqual(seen["charts"], 4)
        self.assertIn("other", seen["tip"])
        self.assertEqual(seen["sliders"], 3)
        self.assertEqual((seen["broken"], seen["outside"]), (0, 0))
        self.assertIn("<td>seed</td>", page)
        self.assertNotIn("<td>batch_size</td>", page)  # the same in both

    def test_it_fits_a_phone(self):
        seen = self.opened(self.page, 500)
        self.assertLessEqual(seen["wide"], 0)


if __name__ == "__main__":
    test_apps.PROGRAM = str(pathlib.Path(test_apps.PROGRAM).resolve())
    unittest.main(argv=sys.argv, verbosity=2)
