"""test_runs.py - options, checkpoints, what a run survives and what it shows.

    HOURGLASS_TEST_PROGRAM=build/apps/hourglass python3 tests/test_runs.py [Class]

Standard library only; HOURGLASS_TEST_KILLS sets how often a run is killed.
"""

import json
import os
import pathlib
import sys
import unittest

import test_apps
from test_apps import DATA, DONE, USAGE, Case

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

    def test_errors_are_json_too(self):
        out = self.call("eval", "nowhere", "--json", code=DATA, says=["nowhere"])
        error = json.loads(out)["error"]
        self.assertEqual((error["code"], error["name"]), (DATA, "data"))
        self.assertIn("nowhere", error["message"])


if __name__ == "__main__":
    test_apps.PROGRAM = str(pathlib.Path(test_apps.PROGRAM).resolve())
    unittest.main(argv=sys.argv, verbosity=2)
