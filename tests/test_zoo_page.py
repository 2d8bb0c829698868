"""test_zoo_page.py - tools/zoo.py on a plan of a few seconds.

    HOURGLASS_TEST_PROGRAM=build/apps/hourglass python3 tests/test_zoo_page.py
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = pathlib.Path(os.environ.get("HOURGLASS_TEST_PROGRAM",
                                      "build/apps/hourglass")).resolve()
PLAN = """
data = "synthetic:200"
about_bars = "Means."
[[bar]]
claim = "reached"
run = "small"
figure = "final/recon_mse"
at_most = 1
[[bar]]
claim = "missed"
run = "small"
figure = "classify/method=linear on codes/accuracy"
at_least = 2
tried = "everything"
[[bar]]
claim = "absent"
run = "never"
figure = "final/loss"
at_most = 1
[[family]]
title = "One"
text = "A family."
[[family.run]]
name = "small"
train = "ae --latent 2 --epochs 1"
seeds = [1, 2]
measure = ["classify {run} --labels 10 --repeats 1 --json"]
figures = { error = "error classify/method=linear on codes/accuracy" }
published = "none"
[[family.run]]
name = "never"
train = "ae --epochs 1"
seeds = []
figures = { loss = "final/loss" }
[[family.picture]]
file = "small.png"
command = "reconstruct {runs}/small-s1 --count 4"
shows = "*Four* images."
[[family.picture]]
file = "loss.png"
copy = "small-s1/loss.png"
shows = "A copy."
"""


class Page(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.folder = pathlib.Path(place.name)

    def zoo(self, plan, *options):
        (self.folder / "plan.toml").write_text(plan, encoding="utf-8")
        return subprocess.run(
            [sys.executable, SOURCE / "tools/zoo.py", "--program", PROGRAM,
             "--plan", self.folder / "plan.toml", "--docs", self.folder,
             "--runs", self.folder / "runs", *options],
            capture_output=True, text=True, check=False)

    def test_a_run_is_made_once_and_the_page_has_its_figures(self):
        first = self.zoo(PLAN)
        self.assertEqual(first.returncode, 0, first.stderr)
        self.assertEqual(len(first.stdout.splitlines()), 4)
        page = (self.folder / "zoo.md").read_text(encoding="utf-8")
        rows = {row.split(" | ")[0]: row for row in page.splitlines()}
        self.assertIn("| yes, on 2 of 3 seeds |", rows["| reached"])
        self.assertIn("| no, on 2 of 3 seeds | everything |", rows["| missed"])
        self.assertIn("| not run |", rows["| absent"])
        self.assertRegex(rows["| `train ae --latent 2 --epochs 1`"],
                         r"1, 2 \| none \| error [\d.]+, [\d.]+ \| \d+ s")
        for picture in ("small.png", "loss.png"):
            self.assertIn(f"(zoo/{picture})", page)
            magic = (self.folder / "zoo" / picture).read_bytes()[:4]
            self.assertEqual(magic, b"\x89PNG")
        again = self.zoo(PLAN)
        self.assertEqual((again.returncode, again.stdout), (0, ""))
        # Another command trains anew, and measures what that made.
        other = self.zoo(PLAN.replace("--latent 2", "--latent 3"))
        self.assertEqual(len(other.stdout.splitlines()), 4, other.stderr)
        page = (self.folder / "zoo.md").read_text(encoding="utf-8")
        self.assertIn("`train ae --latent 3 --epochs 1`", page)
        config = self.folder / "runs/small-s1/config.json"
        self.assertEqual(json.loads(config.read_text())["options"]["latent"], 3)
        # The page has no figure of a run that another command trained.
        self.assertEqual(self.zoo(PLAN, "--page").returncode, 0)
        page = (self.folder / "zoo.md").read_text(encoding="utf-8")
        self.assertIn("| reached | not run |", page)

    def test_one_seed_can_be_asked_for(self):
        self.assertEqual(self.zoo(PLAN, "--only", "small-s2").returncode, 0)
        runs = sorted(p.name for p in (self.folder / "runs").iterdir())
        self.assertEqual(runs, ["small-s2"])
        self.assertFalse((self.folder / "zoo.md").exists())

    def figures(self):
        text = (self.folder / "zoo/figures.json").read_text(encoding="utf-8")
        return json.loads(text)["rows"]["small"]

    def test_the_page_needs_no_run_and_rows_are_renewed_one_by_one(self):
        self.assertEqual(self.zoo(PLAN).returncode, 0)
        page = self.folder / "zoo.md"
        text, old = page.read_text(encoding="utf-8"), self.figures()
        picture = (self.folder / "zoo/small.png").read_bytes()
        self.assertRegex(old["1"]["date"], r"^\d{4}-\d\d-\d\d$")
        self.assertEqual(old["2"]["commands"][1],
                         "classify small-s2 --labels 10 --repeats 1 --json")
        # Another machine: no runs, the page as it was.
        shutil.rmtree(self.folder / "runs")
        page.unlink()
        self.assertEqual(self.zoo(PLAN, "--page").returncode, 0)
        self.assertEqual(page.read_text(encoding="utf-8"), text)
        self.assertEqual(self.zoo(PLAN, "--check").returncode, 0)
        # One seed is made anew; the other, and the pictures, stay.
        path = self.folder / "zoo/figures.json"
        whole = json.loads(path.read_text(encoding="utf-8"))
        for seed in "1", "2":
            whole["rows"]["small"][seed]["figures"] = {"final/recon_mse": 7}
        path.write_text(json.dumps(whole), encoding="utf-8")
        self.zoo(PLAN, "--only", "small-s2")
        done = self.zoo(PLAN, "--page", "--only", "small-s2")
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        self.assertEqual(self.figures()["1"]["figures"], {"final/recon_mse": 7})
        self.assertEqual(self.figures()["2"]["figures"], old["2"]["figures"])
        self.assertEqual((self.folder / "zoo/small.png").read_bytes(), picture)
        self.assertEqual(self.zoo(PLAN, "--check").returncode, 0)

    def test_a_page_that_says_something_else_is_found(self):
        self.assertEqual(self.zoo(PLAN).returncode, 0)
        page = self.folder / "zoo.md"
        text = page.read_text(encoding="utf-8")
        page.write_text(text.replace("A family.", "A clan."), encoding="utf-8")
        done = self.zoo(PLAN, "--check")
        self.assertEqual(done.returncode, 1)
        self.assertIn("zoo.md:", done.stdout)
        page.write_text(text, encoding="utf-8")
        (self.folder / "zoo/stray.png").write_bytes(b"")
        done = self.zoo(PLAN, "--check")
        self.assertIn("stray.png", done.stdout)
        other = PLAN.replace("ae --latent 2", "ae --latent 3")
        self.assertIn("another command", self.zoo(other, "--check").stdout)

    def test_the_page_of_this_tree_is_what_its_figures_say(self):
        done = subprocess.run(
            [sys.executable, SOURCE / "tools/zoo.py", "--check"],
            capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_what_fails_is_named(self):
        done = self.zoo(PLAN.replace("--latent 2", "--latent two"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("--latent two", done.stderr)
        self.assertIn("exit code 2", done.stderr)


if __name__ == "__main__":
    unittest.main()
