"""test_manual.py - the manual page and bash's completion say what --help says.

    HOURGLASS_TEST_PROGRAM=build/apps/hourglass python3 tests/test_manual.py

Standard library only.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

ROOT = pathlib.Path(os.environ.get("HOURGLASS_TEST_SOURCE",
                                   pathlib.Path(__file__).parent.parent))
PROGRAM = os.environ.get("HOURGLASS_TEST_PROGRAM", "build/apps/hourglass")


def run(*command, **options):
    return subprocess.run(command, check=True, text=True, capture_output=True,
                          **options)


def made(kind):
    return run(sys.executable, ROOT / "tools/manual.py", kind, PROGRAM).stdout


def options():
    """{command: its options}, by way of --help."""
    text = run(PROGRAM, "--help").stdout.split("commands:\n")[1]
    names = [x.split()[0] for x in text.split("\n\n")[0].splitlines()]
    return {x: re.findall(r"^  (--[\w-]+)", run(PROGRAM, x, "--help").stdout,
                          re.M) for x in names}


class Manual(unittest.TestCase):
    def test_every_command_and_option_has_its_paragraph(self):
        page = made("man").replace("\\", "")
        parts = dict(x.split("\n", 1) for x in page.split("\n.SS ")[1:])
        known = options()
        self.assertEqual(list(parts), list(known))
        self.assertIn(".SH EXIT STATUS", page)
        for command, names in known.items():
            for name in set(names) - {"--config", "--set", "--no-color"}:
                self.assertIn(f"fB{name}fR", parts[command], command)

    @unittest.skipUnless(shutil.which("groff"), "groff is not there")
    def test_it_is_set_without_a_warning(self):
        shown = run("groff", "-man", "-Tutf8", "-ww", input=made("man"))
        self.assertEqual(shown.stderr, "")
        self.assertIn("train a model and leave a run behind",
                      re.sub(r".\x08|\x1b\[[0-9;]*m", "", shown.stdout).lower())

    @unittest.skipUnless(shutil.which("bash"), "bash is not there")
    def test_words_are_completed(self):
        tries = {"tr": ["train", "traverse"], "train aae-": [
                     "aae-cluster", "aae-semi", "aae-supervised"],
                 "train vae --kl": ["--kl-warmup"],
                 "eval x --precision b": ["bf16"], "bench --rep": []}
        script = made("bash") + (
            '\nCOMP_WORDS=(hourglass "$@"); COMP_CWORD=$#; _hourglass\n'
            'echo "${COMPREPLY[@]}"')
        for words, wanted in tries.items():
            got = run("bash", "-c", script, "bash", *words.split()).stdout
            self.assertEqual(sorted(got.split()), wanted, words)
        known = options()
        for command, names in known.items():
            got = run("bash", "-c", script, "bash", command, "--").stdout
            self.assertEqual(set(got.split()), {*names, "--help"}, command)


if __name__ == "__main__":
    unittest.main(verbosity=2)
