"""test_own_model.py - models from files: new, compiled, loaded, refused.

    HOURGLASS_TEST_PROGRAM=build/apps/hourglass python3 tests/test_own_model.py
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import unittest

import test_apps
from test_views import little_room, pixels
from test_apps import DAMAGED, DONE, FAILED, NONFINITE, USAGE, Case, has_double_twin

SOURCE = pathlib.Path(__file__).resolve().parent.parent
DATA = "--data", "synthetic:300", "--threads", 1, "--quiet"


def text_of_the_walk():
    """The blocks of docs/new-model.md, one after the other."""
    page = (SOURCE / "docs/new-model.md").read_text()
    return "\n".join(re.findall(r"^```c\n(.*?)^```", page, re.M | re.S))


class OwnModels(Case):
    def write(self, name, text):
        (self.folder / name).write_text(text)
        return f"./{name}"

    def skeleton(self, name="my-vae"):
        path = self.folder / (name.replace("-", "_") + ".c")
        if not path.exists():
            self.call("new", name)
        return path.read_text()

    def try_everything(self, file):
        """What one does with a model of the zoo."""
        self.assertIn("--latent", self.call("train", file, "--help"))
        summary = json.loads(self.call("summary", file, "--json"))
        self.assertGreater(summary["parameters"], 1000)
        name = pathlib.Path(file).stem
        train = "train", file, *DATA, "--out", "runs", "--batch-size", 32
        self.call(*train, "--epochs", 2, "--name", f"{name}-whole")
        self.call(*train, "--epochs", 1, "--name", f"{name}-halves")
        self.call(*train, "--epochs", 2, "--name", f"{name}-halves", "--resume")
        runs = self.folder / "runs"
        whole, halves = runs / f"{name}-whole", runs / f"{name}-halves"
        self.assert_same_run(whole, halves)
        self.assertTrue((whole / "samples/epoch_0002.png").exists())
        out = json.loads(self.call("eval", whole, "--json"))
        self.assertGreater(out["kl"], 0)
        self.call("sample", whole)
        if has_double_twin():
            sizes = "--values", 2, "--batch-size", 2
            self.call("gradcheck", file, *sizes)

    @unittest.skipIf(test_apps.SANITIZED, "takes long there, in lines that others run")
    def test_a_new_model_trains_as_it_is(self):
        self.skeleton()
        self.try_everything("./my_vae.c")

    @unittest.skipIf(test_apps.SANITIZED, "takes long there, in lines that others run")
    def test_the_model_of_the_manual_does_what_it_says(self):
        self.try_everything(self.write("laplace_vae.c", text_of_the_walk()))

    def test_the_name_is_looked_at(self):
        for name in "My VAE", "3d", "", "a/b", "x" * 99:
            self.call("new", name, code=USAGE, says=["small letters"])
        for name in "int", "restrict", "hg-tensor", "nn-layer":
            self.call("new", name, code=USAGE, says=["in C already"])
        self.skeleton("twice")
        self.call("new", "twice", code=USAGE, says=["there already"])
        self.call("new", "twice", "--overwrite")
        self.call("new", code=USAGE, says=["usage"])
        self.call("new", "unwritten", code=FAILED, says=["File too large"],
                  preexec_fn=little_room)
        self.assertEqual(list(self.folder.glob("unwritten*")), [])

    def test_the_words_of_the_compiler_are_shown(self):
        file = self.write("bad.c", "#include <hourglass.h>\nint x = ;\n")
        says = ["bad.c:2:9: error", "does not compile"]
        self.call("summary", file, code=USAGE, says=says)

    def test_a_misspelt_function_does_not_compile(self):
        text = self.skeleton()
        for name, wrong, right in (
            ("misspelt", "hg_sigmiod(", "hg_sigmoid("),
            ("number", "= hg_config_number(c, \"beta\"), m->encoder = 7",
             "= hg_config_number(c, \"beta\")"),
        ):
            file = self.write(f"{name}.c", text.replace(right, wrong))
            says = [f"{name}.c:", "error: ", "does not compile"]
            self.call("summary", file, code=USAGE, says=says)

    def call(self, *arguments, code=DONE, says=(), **options):
        """A compiler writes lines with error: of its own."""
        if not any("error" in word for word in says):
            return super().call(*arguments, code=code, says=says, **options)
        program = test_apps.start(arguments, cwd=self.folder, **options)
        _, err = program.communicate(timeout=900)
        self.assertEqual(program.returncode, code, err)
        for word in says:
            self.assertIn(word, err)
        return None

    def test_a_file_without_a_model_is_refused(self):
        text = self.skeleton().replace("HG_EXPORT_MODEL(model)", "")
        file = self.write("none.c", text + "const hg_model *m = &model;\n")
        self.call("summary", file, code=USAGE, says=["HG_EXPORT_MODEL"])
        text = self.skeleton().replace(".loss = loss,", "")
        file = self.write("part.c", text + "void *u = (void *)loss;\n")
        self.call("summary", file, code=USAGE, says=["has no loss"])
        self.call("summary", "./gone.c", code=USAGE, says=["hourglass new"])
        self.call("summary", "./runs/", code=USAGE, says=["hourglass new"])
        self.write("text.md", "x")
        self.call("summary", "./text.md", code=USAGE, says=["a .so"])
        self.write("text.so", "x")
        self.call("summary", "./text.so", code=USAGE, says=["cannot be loaded"])

    def test_a_loss_that_is_no_number_an_image_is_refused(self):
        text = self.skeleton()
        at = text.index("return hg_add(", text.index("loss(void"))
        end = text.index(";", at)
        whole = f"return hg_mean({text[at + 7 : end]}, HG_ALL)"
        file = self.write("scalar.c", text[:at] + whole + text[end:])
        says = ["my-vae: the loss is [], one number an image [32] is needed"]
        self.call("train", file, *DATA, "-b", 32, "--epochs", 1, "--name", "scalar",
                  code=FAILED, says=says)
        if has_double_twin():
            says = ["my-vae: the loss is [], one number an image [2] is needed"]
            self.call("gradcheck", file, "-b", 2, code=FAILED, says=says)

    def test_a_loss_that_is_not_finite_is_not_checked(self):
        if not has_double_twin():
            self.skipTest("there is no double library")
        text = self.skeleton()
        at = text.index("return hg_add(", text.index("loss(void"))
        end = text.index(";", at)
        nan = f"{text[:at]}return hg_log(hg_neg({text[at + 7 : end]})){text[end:]}"
        file = self.write("nan.c", nan)
        says = ["my-vae: the loss is nan"]
        out = self.call("gradcheck", file, "-b", 2, code=NONFINITE, says=says)
        self.assertEqual(out, "")
        nan = nan.replace(".loss = loss,", ".loss = loss, .prepare = prepare,")
        prepare = "static bool prepare(void *m, hg_data *d) { return m && d; }\n"
        file = self.write("prepared.c", nan.replace("static const", prepare + "static const"))
        says += ["only training calls prepare"]
        self.call("gradcheck", file, "-b", 2, code=NONFINITE, says=says)

    def test_a_dry_run_keeps_no_step_to_make_again(self):
        text = self.skeleton()
        at = text.index("return hg_add(", text.index("loss(void"))
        end = text.index(";", at)
        nan = f"return hg_log(hg_neg({text[at + 7 : end]}))"
        file = self.write("dry.c", text[:at] + nan + text[end:])
        train = "train", file, *DATA, "--anomaly", "--name", "dry", "--out", "runs"
        self.call(*train, code=NONFINITE, says=["--replay"])
        program = test_apps.start([*train, "--dry-run"], cwd=self.folder)
        _, err = program.communicate()
        self.assertEqual(program.returncode, NONFINITE, err)
        self.assertNotIn("--replay", err)

    def test_anomaly_takes_what_train_takes(self):
        self.skeleton()
        quick = "--data synthetic:300 --epochs 1 --digits 0 --json".split()
        for words in ["./my_vae.c", *quick], [*quick, "my_vae.c"], [*quick, "vae"]:
            out = json.loads(self.call("anomaly", *words))
            self.assertEqual(len(out["rows"]), 3)
        examples = self.call("anomaly", "--help").split("usage:")[0]
        self.assertNotIn("[options]", examples)

    def test_a_term_must_not_have_a_name_of_the_log(self):
        text = self.skeleton()
        for term in "epoch", "ms_per_step", "loss":
            file = self.write(f"{term}.c", text.replace('report("kl"', f'report("{term}"'))
            self.call("train", file, *DATA, "--epochs", 1, "--name", term,
                      code=USAGE, says=[f"my-vae reports {term}"])

    @unittest.skipIf(test_apps.SANITIZED, "takes long there, in lines that others run")
    def test_many_long_terms_are_drawn_too(self):
        many = """char name[70];
            for (int i = 0; i < 60; i++) {
                snprintf(name, sizeof name, "term_%058d", i);
                hg_report(name, kl);
            }
            hg_report("kl","""
        text = self.skeleton().replace('hg_report("kl",', many)
        file = self.write("many.c", "#include <stdio.h>\n" + text)
        self.call("train", file, *DATA, "--epochs", 2, "--name", "many", "--out", "runs")
        run = self.folder / "runs/many"
        longest = max(map(len, (run / "metrics.jsonl").read_text().splitlines()))
        self.assertGreater(longest, 4096)
        picture = pixels(run / "loss.png")
        legend = [picture[52 + 20 * line][655] for line in range(4)]
        self.assertEqual(len({x for x in legend if x != (255, 255, 255)}), 4)

    def test_what_does_not_apply_is_left_out(self):
        text = self.skeleton()
        file = self.write("blind.c", text.replace(".decode = decode,", ""))
        train = "train", file, *DATA, "--epochs", 1, "--out", "runs"
        self.call(*train, "--name", "blind")
        out = json.loads(self.call("eval", "runs/blind", "--json"))
        self.assertIn("kl", out)
        self.assertLessEqual({"elbo", "distortion"} & out.keys(), set())
        self.call("train", "gan", *DATA, "--steps", 1, "--name", "gan", "--out", "runs")
        log = (self.folder / "runs/gan/train.log").read_text()
        self.assertNotIn("nan", log)

    def shared(self, name, *flags, change=lambda text: text):
        (self.folder / "source.c").write_text(change(self.skeleton()))
        subprocess.run(
            ["cc", "-std=c11", "-shared", "-fPIC", f"-I{SOURCE}", *flags,
             "source.c", "-o", name],
            cwd=self.folder, check=True)
        return f"./{name}"

    def test_a_ready_library_is_loaded(self):
        self.call("summary", self.shared("ready.so"))

    def test_a_library_of_other_headers_is_refused(self):
        def newer(text):
            return text.replace(
                "#include <hourglass.h>",
                "#include <hourglass.h>\n#undef HG_MODEL_VERSION\n"
                "#define HG_MODEL_VERSION 7777")

        file = self.shared("newer.so", change=newer)
        self.call("summary", file, code=USAGE, says=["version 7777"])
        file = self.shared("double.so", "-DHG_DOUBLE=1")
        self.call("summary", file, code=USAGE, says=["values of 8 bytes"])

        def longer(text):
            return text.replace(
                "#include <hourglass.h>",
                "#define hg_batch longer_batch\n#include <hourglass.h>\n"
                "#undef hg_batch\ntypedef struct { longer_batch b; int more; }"
                " hg_batch;").replace("b->", "b->b.")

        file = self.shared("longer.so", "-w", change=longer)
        self.call("summary", file, code=USAGE, says=["other headers"])

    def test_a_compiler_that_is_not_there_is_told(self):
        self.skeleton()
        other = {**os.environ, "CC": "no-such-compiler"}
        self.call("summary", "./my_vae.c", code=USAGE, env=other,
                  says=["no-such-compiler", "CC"])
        other = {**os.environ, "HOURGLASS_INCLUDE": "/nowhere"}
        self.call("summary", "./my_vae.c", code=USAGE, env=other,
                  says=["/nowhere"])

    def test_a_long_path_in_a_config_file_is_found(self):
        deep = "/".join(["a-rather-long-name-of-a-folder"] * 6)
        (self.folder / deep).mkdir(parents=True)
        file = self.write(f"{deep}/deep.c", self.skeleton())
        out = self.call("train", file, "--data", "synthetic:60", "--print-config")
        self.write("deep.json", out)
        again = self.call("train", "--config", "deep.json", "--print-config")
        self.assertEqual(json.loads(again), json.loads(out))

    def test_a_run_keeps_its_model(self):
        text = self.skeleton()
        file = self.write("kept.c", text)
        train = "train", file, *DATA, "--epochs", 1, "--out", "runs", "--name", "kept"
        self.call(*train)
        run = self.folder / "runs/kept"
        self.assertEqual((run / "model.c").read_text(), text)
        self.assertIn("hg_tensor *posterior", (run / "report.html").read_text())
        self.write("kept.c", text.replace("a variational", "my variational"))
        self.call("resume", run, "--epochs", 2, "--quiet")
        self.assertEqual((run / "model.c").read_text(), text)
        log = (run / "train.log").read_text()
        self.assertIn("kept.c has changed since this run began", log)
        (self.folder / "kept.c").unlink()
        self.call("eval", run, code=USAGE, says=["is gone", f"cp {run}/model.c"])
        self.call("train", "ae", *train[2:], "--overwrite")
        self.assertFalse((run / "model.c").exists())

    def test_a_run_keeps_headers_beside_its_model(self):
        head = '#include "sizes.h"\n#include "sub/far.h"\n#include <math.h>\n'
        text = head + self.skeleton().replace("400", "HIDDEN")
        (self.folder / "beside/sub").mkdir(parents=True)
        file = self.write("beside/mine.c", text)
        self.write("beside/sizes.h", '#pragma once\n # include "more.h"\n#include "sizes.h"\n')
        self.write("beside/more.h", "#define HIDDEN 40\n")
        self.write("beside/other.h", "")
        self.write("beside/sub/far.h", "")
        train = "train", file, *DATA, "--out", "runs", "--name", "headers"
        self.call(*train, "--steps", 1)
        run = self.folder / "runs/headers"
        kept = {x.name for x in [*run.rglob("*.h"), *run.glob("*.c")]}
        self.assertEqual(kept, {"model.c", "sizes.h", "more.h"})
        self.call("summary", run / "sizes.h", code=USAGE, says=[".c file"])
        self.write("beside/more.h", "#define HIDDEN 4 * 10\n")
        self.call("resume", run, "--steps", 2, "--quiet")
        self.assertEqual((run / "more.h").read_text(), "#define HIDDEN 40\n")
        self.assertIn("more.h has changed since this run began",
                      (run / "train.log").read_text())
        (run / "sub").mkdir()
        self.write("runs/headers/sub/far.h", "")
        again = "train", f"{run}/model.c", *train[2:], "--steps", 1, "--overwrite"
        self.call(*again)  # from what the run has kept
        self.assertEqual((run / "model.c").read_text(), text)
        self.call("train", "ae", *again[2:])
        self.assertEqual([*run.glob("*.h"), *run.glob("*.c")], [])

    def test_a_run_whose_file_is_gone_says_so(self):
        text = self.skeleton()
        file = self.write("lost.c", text)
        self.call("train", file, *DATA, "--epochs", 1, "--name", "lost",
                  "--out", "runs")
        (self.folder / "lost.c").unlink()
        self.call("eval", "runs/lost", code=USAGE, says=["lost.c"])
        self.write("lost.c", text.replace("number = 400", "number = 300"))
        self.call("eval", "runs/lost")  # the run has its options
        self.write("lost.c", text.replace("2 * latent", "3 * latent"))
        self.call("eval", "runs/lost", code=DAMAGED, says=["encoder.2"])


if __name__ == "__main__":
    test_apps.PROGRAM = str(pathlib.Path(test_apps.PROGRAM).resolve())
    unittest.main(argv=sys.argv, verbosity=2)
