"""test_manual.py - the manual page and bash's completion say what --help says,
and documents what the sources say.

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


class Documents(unittest.TestCase):
    def test_code_that_is_quoted_stands_in_its_file(self):
        text = (ROOT / "README.md").read_text()
        blocks = text.split("```c\n")
        self.assertGreater(len(blocks), 1)
        for before, after in zip(blocks, blocks[1:]):
            path = re.findall(r"\]\(([\w/.]+\.c)\)", before)[-1]
            source = (ROOT / path).read_text()
            for function in after.split("\n```")[0].split("\n\n"):
                self.assertIn(f"\n{function}\n", source, path)

    def test_the_tour_is_as_long_as_it_says(self):
        text = (ROOT / "docs/tour.md").read_text()
        core, whole = (int(x.replace(",", "")) for x in
                       re.findall(r"about\s([\d,]+)", text)[:2])
        lines = {}
        for step, row in re.findall(r"^\| (\d+) \|(.*)$", text, re.M):
            lines[int(step)] = sum(
                len((ROOT / "docs" / path).read_text().splitlines())
                for path in re.findall(r"\]\((.*?)\)", row))
        self.assertAlmostEqual(sum(lines.values()) / whole, 1, delta=0.05)
        four_to_seven = sum(lines[step] for step in range(4, 8))
        self.assertAlmostEqual(four_to_seven / core, 1, delta=0.06)

    def test_every_operation_has_its_row(self):
        header = (ROOT / "ops/ops.h").read_text()
        table = (ROOT / "docs/ops.md").read_text()
        for name in re.findall(r"\b((?:hg|nn)_\w+)\(hg_", header):
            self.assertIn(f"`{name}(", table)
        rows = re.findall(r"^\| (`.*?) \|", table, re.M)
        self.assertEqual(len(rows), len(set(rows)))


if __name__ == "__main__":
    unittest.main(verbosity=2)
