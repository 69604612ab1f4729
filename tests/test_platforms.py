"""What is not on every system is not taken for granted: without POSIX, words are converted, drawn and read."""

from __future__ import annotations

import ast
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from tests.data import samples

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
# Modules that Windows lacks, and what os, signal and socket have there not.
POSIX_MODULES = {"fcntl", "resource", "pwd", "grp", "termios", "pty", "tty", "posix", "syslog", "curses"}
POSIX_NAMES = {
    "os": {"fork", "forkpty", "pread", "preadv", "pwrite", "mkfifo", "getuid", "geteuid", "killpg", "setsid", "wait"},
    "signal": {"SIGKILL", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGALRM", "alarm", "pthread_sigmask", "setitimer", "pause"},
}

POSIX_PATHS = ("/dev/stdin", "/dev/stdout", "/tmp/", "/proc/")

HIDE = """
import os, shutil, signal, sys
for name in {modules!r}:
    sys.modules[name] = None
# The standard library itself is that of this system: what it has imported already, it keeps.
import multiprocessing, socket, subprocess, tempfile
for module, names in {names!r}.items():
    for name in names:
        if hasattr(sys.modules[module], name):
            delattr(sys.modules[module], name)
"""

WORK = """
import pathlib, sys
from absl import flags
from spin_tf.data.conversion.plan import Conversion
from spin_tf.data.conversion.convert import convert, publish
from spin_tf.data.records.tfrecord import RecordIndex, ShardWriter, WordExample
from spin_tf.data.feeding.record_labels import usable_records
from spin_tf.charset import Charset, Tokenizer
from spin_tf.synthesis import WordSynthesizer
from tests.data.samples import CHECKS

folder = pathlib.Path(sys.argv[1])
for _ in range(2):
    conversion = Conversion("tsv", [str(folder / "labels.tsv")], str(folder / "out"), CHECKS, 2)
    assert convert(conversion).kept == 4
    publish(conversion)
index = RecordIndex(str(folder / "out-*.tfrecord"))
assert len(usable_records(index, Tokenizer(Charset.from_spec("94")))[0]) == 4
encoded = [index.read_example(i, check=True).encoded for i in range(4)]
image, label = WordSynthesizer().word(3)
from spin_tf import Recognizer
words = list(Recognizer(num_threads=1).read_many([image, *encoded]))
assert len(words) == 5
if "train" in sys.argv:
    from tests.training import tiny
    from spin_tf.training.loop import Trainer
    Trainer(tiny.config(folder, "training.steps=2"), str(folder / "run")).train()
    assert Trainer(tiny.config(folder, "training.steps=3"), str(folder / "run")).step == 2
print("done")
"""


def run_hidden(folder: pathlib.Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    samples.make("tsv", folder)
    code = HIDE.format(modules=sorted(POSIX_MODULES - {"posix"}), names=POSIX_NAMES) + WORK
    line = [sys.executable, "-c", code, str(folder), *arguments]
    return subprocess.run(line, cwd=REPOSITORY, capture_output=True, text=True)


def test_words_are_converted_drawn_and_read_without_posix(tmp_path: pathlib.Path) -> None:
    result = run_hidden(tmp_path)
    assert result.returncode == 0 and result.stdout.endswith("done\n"), result.stderr[-3000:]


def _asks(test: ast.expr) -> bool:
    """Whether a condition is about what the system has."""
    return "hasattr(" in ast.unparse(test) or "fcntl" in ast.unparse(test)


def test_nothing_posix_is_imported_or_called_unasked() -> None:
    """An import stands in a `try`, a name behind `hasattr` or `getattr`: found by reading the whole package."""
    found = []
    for path in sorted((REPOSITORY / "spin_tf").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        guarded = {
            id(inner)
            for node in ast.walk(tree)
            if isinstance(node, ast.Try)
            or (
                isinstance(node, ast.If | ast.IfExp)
                and ("hasattr(" in ast.unparse(node.test) or "fcntl" in ast.unparse(node.test))
            )
            for inner in ast.walk(node)
        }
        # A function that leaves early where the name is missing.
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef) and any(
                isinstance(s, ast.If) and ast.unparse(s.test).startswith("not hasattr(") for s in function.body
            ):
                guarded |= {id(inner) for inner in ast.walk(function)}
        for node in ast.walk(tree):
            if id(node) in guarded:
                continue
            names: set[str] = set()
            if isinstance(node, ast.Import):
                names = {alias.name for alias in node.names} & POSIX_MODULES
            elif isinstance(node, ast.ImportFrom):
                names = {node.module or ""} & POSIX_MODULES
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                names = {node.attr} & POSIX_NAMES.get(node.value.id, set())
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                names = {
                    name for name in ("/dev/stdin", "/dev/stdout", "/tmp/", "/proc/") if node.value.startswith(name)
                }
            found += [f"{path.relative_to(REPOSITORY)}:{node.lineno} {name}" for name in names]  # type: ignore[attr-defined]
    assert found == []


@pytest.mark.parametrize("command", ["synthesize", "create_tfrecords"])
def test_an_interrupt_of_a_terminal_is_one_line_without_tracebacks(tmp_path: pathlib.Path, command: str) -> None:
    """Ctrl-C reaches the whole process group, the workers while they still import among it."""
    if command == "synthesize":
        arguments = [f"--output={tmp_path}/w", "--num_words=100000", "--workers=2"]
    else:
        samples.write(tmp_path / "a.png", samples.picture())
        labels = "".join(f"a.png\tw{i}\n" for i in range(600_000))
        samples.write(tmp_path / "l.txt", labels)
        arguments = ["--source=tsv", f"--input={tmp_path}/l.txt", f"--output={tmp_path}/w", "--workers=2"]
    line = [sys.executable, str(REPOSITORY / "bin" / f"{command}.py"), *arguments]
    for wait in (1.0, 4.0):
        with subprocess.Popen(
            line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        ) as process:
            # From the moment that the command answers signals.
            deadline = time.monotonic() + 60
            while not list(tmp_path.glob("w*")) and time.monotonic() < deadline:
                time.sleep(0.05)
            time.sleep(wait)
            os.killpg(process.pid, signal.SIGINT)
            told = process.communicate(timeout=60)[1]
        assert process.returncode == 130, told
        assert "Traceback" not in told and told.strip().endswith("interrupted"), told
    assert not list(tmp_path.glob("*.partial"))
