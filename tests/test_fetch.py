"""test_fetch.py - fetching MNIST from a server that does everything wrong.

    HOURGLASS_DATA=DIR HOURGLASS_TEST_PROGRAM=... python3 tests/test_fetch.py

The server runs here, on the loopback, and has the real files, which are taken
from $HOURGLASS_DATA: without them there is nothing to check hashes with.
"""

import http.server
import json
import os
import pathlib
import signal
import sys
import threading
import time
import unittest

import test_apps
from test_apps import DATA, DONE, USAGE, Case

FILES = [
    f"{part}-{kind}-ubyte.gz"
    for part in ("train", "t10k")
    for kind in ("images-idx3", "labels-idx1")
]
REAL = pathlib.Path(os.environ.get("HOURGLASS_DATA") or "/nowhere") / "mnist"
SMALL = "t10k-labels-idx1-ubyte.gz"
PAGE = b"<!DOCTYPE html><html><body>Sign in to the network</body></html>"


class Server(http.server.ThreadingHTTPServer):
    """behaviours[file] is a list: what to do at the first request, ..."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.behaviours, self.requests, self.stopped = {}, [], False
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # clients that hang up are part of the test


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def do_GET(self):
        name = self.path.rsplit("/", 1)[1]
        span = self.headers.get("Range")
        server = self.server
        server.requests.append((name, span))
        todo = server.behaviours.get(name) or server.behaviours.get("*", [])
        getattr(self, todo.pop(0) if len(todo) > 1 else
                todo[0] if todo else "good")(name, span)

    def begin(self, size, code=200, kind="application/octet-stream"):
        self.send_response(code)
        self.send_header("Content-Length", str(size))
        self.send_header("Content-Type", kind)
        self.end_headers()

    def good(self, name, span):
        data = (REAL / name).read_bytes()
        start = int(span[6:-1]) if span else 0
        if start >= len(data):
            return self.begin(0, 416)
        self.send_response(206 if span else 200)
        self.send_header("Content-Length", str(len(data) - start))
        self.send_header(
            "Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        return self.wfile.write(data[start:])

    def half(self, name, span):
        data = (REAL / name).read_bytes()
        self.begin(len(data))
        self.wfile.write(data[: len(data) // 2])
        self.wfile.flush()
        self.close_connection = True

    def stall(self, name, span):
        self.half(name, span)
        while not self.server.stopped:
            time.sleep(0.05)

    def short(self, name, span):
        """The length is a lie: the file is longer."""
        data = (REAL / name).read_bytes()
        self.begin(len(data) // 2)
        self.wfile.write(data[: len(data) // 2])

    def long(self, name, span):
        """The length is a lie: the file is shorter."""
        data = (REAL / name).read_bytes()
        self.begin(len(data) + 100)
        self.wfile.write(data)
        self.close_connection = True

    def no_range(self, name, span):
        self.good(name, None)

    def refuse(self, name, span):
        self.begin(len(PAGE), 403, "text/html")
        self.wfile.write(PAGE)

    def page(self, name, span):
        self.begin(len(PAGE), 200, "text/html")
        self.wfile.write(PAGE)

    def other(self, name, span):
        data = bytes(1000)
        self.begin(len(data))
        self.wfile.write(data)


@unittest.skipUnless(
    all((REAL / name).exists() for name in FILES),
    "the files of MNIST are wanted in HOURGLASS_DATA/mnist, as .gz",
)
class Fetching(Case):
    def setUp(self):
        self.server = Server()
        self.root = self.folder / self.id().rsplit(".", 1)[1]
        self.root.mkdir()
        self.env = {
            **os.environ,
            "HOURGLASS_MIRROR": f"http://127.0.0.1:{self.server.server_port}",
            "HOURGLASS_OFFLINE": "0",
            "HOURGLASS_STALL": "1",
            "HOURGLASS_DATA": "",
            # The real mirrors are not to be asked.
            "https_proxy": "http://127.0.0.1:9",
            "http_proxy": "http://127.0.0.1:9",
            "no_proxy": "127.0.0.1",
        }

    def tearDown(self):
        self.server.stopped = True
        self.server.shutdown()
        self.server.server_close()

    def arguments(self):
        return "data", "fetch", "mnist", "--data-dir", self.root

    def fetch(self, code=DONE, says=(), **behaviours):
        self.server.behaviours = {
            name.replace("_", "-") + "-ubyte.gz" if name != "rest" else "*": todo
            for name, todo in behaviours.items()
        }
        self.call(*self.arguments(), code=code, says=says, env=self.env)

    def assert_whole(self):
        folder = self.root / "mnist"
        names = {path.name for path in folder.iterdir()}
        self.assertEqual(names, {*FILES, ".lock"})
        for name in FILES:
            self.assertEqual(
                (folder / name).read_bytes(), (REAL / name).read_bytes())
        self.call("data", "check", "mnist", "--data-dir", self.root)

    def ranges(self, name=SMALL):
        return [span for file, span in self.server.requests if file == name]

    def test_four_files_arrive_and_stay(self):
        self.fetch()
        self.assert_whole()
        self.assertEqual(len(self.server.requests), 4)
        self.fetch()
        self.assertEqual(len(self.server.requests), 4)

    def test_a_file_that_broke_off_is_gone_on_with(self):
        self.fetch(t10k_labels_idx1=["half", "good"])
        self.assert_whole()
        middle = (REAL / SMALL).stat().st_size // 2
        self.assertEqual(self.ranges(), [None, f"bytes={middle}-"])

    def test_a_server_that_stalls_is_left(self):
        self.fetch(t10k_labels_idx1=["stall", "good"])
        self.assert_whole()

    def test_a_server_without_ranges_begins_again(self):
        self.fetch(t10k_labels_idx1=["half", "no_range", "no_range"])
        self.assert_whole()
        self.assertIsNone(self.ranges()[2])

    def test_a_length_that_is_a_lie_is_noticed(self):
        self.fetch(t10k_labels_idx1=["short", "good"],
                   train_labels_idx1=["long", "no_range", "good"])
        self.assert_whole()

    def test_a_refusal_says_what_to_put_where(self):
        folder = str(self.root / "mnist")
        self.fetch(DATA, ["answered 403", folder, *[n[:-3] for n in FILES],
                          "ba891046e6505d7aadcbbe25680a0738", "synthetic"],
                   rest=["refuse"])
        self.assertEqual(
            [p.name for p in (self.root / "mnist").iterdir()], [".lock"])

    def test_a_web_page_is_no_data(self):
        self.fetch(DATA, ["a web page instead"], t10k_labels_idx1=["page"])
        self.assertFalse((self.root / "mnist" / SMALL).exists())
        self.fetch()
        self.assert_whole()

    def test_other_bytes_are_refused(self):
        self.fetch(DATA, ["other bytes"], t10k_labels_idx1=["other"])
        self.assertFalse((self.root / "mnist" / SMALL).exists())

    def test_what_a_killed_process_left_is_gone_on_with(self):
        self.env["HOURGLASS_STALL"] = "60"
        self.server.behaviours = {SMALL: ["stall", "good"]}
        program = test_apps.start(self.arguments(), cwd=self.folder,
                                  env=self.env)
        part = self.root / "mnist" / (SMALL + ".part")
        half = (REAL / SMALL).stat().st_size // 2
        deadline = time.monotonic() + 60
        while not self.ranges() and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.3)
        program.send_signal(signal.SIGKILL)
        program.communicate()
        self.server.stopped = True
        if not part.exists() or part.stat().st_size != half:
            part.write_bytes((REAL / SMALL).read_bytes()[:half])
        self.fetch()
        self.assert_whole()
        self.assertEqual(self.ranges()[-1], f"bytes={half}-")

    def test_two_processes_take_turns(self):
        self.server.behaviours = {SMALL: ["stall", "good"]}
        both = [test_apps.start(self.arguments(), cwd=self.folder, env=self.env)
                for _ in range(2)]
        texts = [program.communicate(timeout=300)[1] for program in both]
        self.assertEqual([program.returncode for program in both], [0, 0], texts)
        self.assert_whole()
        self.assertEqual(len(self.server.requests), 5)

    def test_offline_asks_nobody(self):
        self.call(*self.arguments(), "--offline", code=DATA, says=["offline"],
                  env=self.env)
        train = "train", "vae", "--data", "mnist", "--data-dir", self.root
        self.call(*train, "--offline", code=DATA, says=["offline"], env=self.env)
        self.env["HOURGLASS_OFFLINE"] = "1"
        self.call(*self.arguments(), code=DATA, says=["offline"], env=self.env)
        self.assertEqual(self.server.requests, [])

    def test_training_fetches_by_name(self):
        self.call("train", "ae-keras", "--data", "mnist", "--data-dir", self.root,
                  "--steps", 2, "--latent", 2, "--out", self.folder, "--name",
                  "run", "--quiet", env=self.env)
        self.assertEqual(len(self.server.requests), 4)


class Listing(Case):
    def test_sets_are_listed_with_where_they_are(self):
        env = {**os.environ, "HOURGLASS_DATA": "", "XDG_CACHE_HOME": "/nowhere"}
        rows = json.loads(self.call("data", "list", "--json", env=env))
        self.assertEqual(
            [(row["name"], row["here"]) for row in rows],
            [(name, False) for name in (
                "mnist", "fashion-mnist", "binarized-mnist", "cifar10")])
        self.assertIn("cifar10", self.call("data", "list", env=env))

    def test_wrong_words_are_told(self):
        env = {**os.environ, "HOURGLASS_OFFLINE": "1", "HOURGLASS_DATA": "",
               "XDG_CACHE_HOME": str(self.folder)}
        self.call("data", code=USAGE, says=["usage"])
        self.call("data", "fetch", code=USAGE, says=["usage"])
        self.call("data", "fetch", "imagenet", code=DATA, says=["imagenet"])
        for name, word in (("cifar10", "cifar-10-binary.tar.gz"),
                           ("binarized-mnist", "binarized_mnist_valid.amat"),
                           ("fashion-mnist", "3aede38d61863908ad78613f6a32ed")):
            self.call("train", "ae", "--data", name, code=DATA, env=env,
                      says=[word, "offline"])

    def test_damaged_files_of_a_name_are_refused(self):
        for name, file, text in (
                ("binarized-mnist", "binarized_mnist_train.amat", b"0 1\n"),
                ("cifar10", "cifar-10-binary.tar.gz", b"\x1f\x8b\x08\0"),
                ("cifar10", "cifar-10-binary.tar.gz", b"x" * 2000)):
            folder = self.folder / name
            folder.mkdir(exist_ok=True)
            (folder / file).write_bytes(text)
            for other in "valid", "test":
                (folder / f"binarized_mnist_{other}.amat").write_bytes(text)
            self.call("data", "check", name, "--data-dir", self.folder,
                      code=test_apps.DAMAGED, says=[file])


if __name__ == "__main__":
    test_apps.PROGRAM = str(pathlib.Path(test_apps.PROGRAM).resolve())
    unittest.main(argv=sys.argv, verbosity=2)
