"""Threads and processes by default: as many as the container may use, not as the machine has."""

from __future__ import annotations

import ast
import os
import pathlib
import subprocess
import sys

import pytest

from spin_tf import Recognizer, _cores
from tests import control_groups


@pytest.mark.parametrize("name", control_groups.CASES)
def test_quotas_of_control_groups(name: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    proc, cores = control_groups.write(name, tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(control_groups.MACHINE)), raising=False)
    assert _cores.num_cores(proc) == cores


def test_affinity_below_the_quota(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    proc, _ = control_groups.write("docker --cpus=2", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {5}, raising=False)
    assert _cores.num_cores(proc) == 1


def test_systems_without_affinity(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert _cores.num_cores(str(tmp_path)) == 6
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert _cores.num_cores(str(tmp_path)) == 1


def test_a_recognizer_looks_at_the_quota(
    strip_model: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proc, cores = control_groups.write("rounded up", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    monkeypatch.setattr(_cores.num_cores, "__defaults__", (proc,))
    assert Recognizer(strip_model).num_threads == cores == 3


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system binds no process to a core")
def test_commands_look_at_the_affinity(repository: pathlib.Path) -> None:
    one = min(os.sched_getaffinity(0))
    code = (
        f"import os, sys; os.sched_setaffinity(0, {{{one}}}); os.cpu_count = lambda: 48\n"
        "from absl import flags; import spin_tf.cli.create_tfrecords\n"
        "print(flags.FLAGS['workers'].default)"
    )
    command = subprocess.run([sys.executable, "-c", code], cwd=repository, capture_output=True, text=True)
    assert command.stdout.strip() == "1", command.stderr


def test_nothing_else_counts_cores(repository: pathlib.Path) -> None:
    """One function for all: another count would be of the machine."""
    counting = {"cpu_count", "sched_getaffinity", "process_cpu_count"}
    found = []
    for folder in ("spin_tf", "bin", "deploy", "benchmarks"):
        for path in sorted((repository / folder).rglob("*.py")):
            if "node_modules" in path.parts or path.name == "_cores.py":
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Attribute) and node.attr in counting:
                    found.append(f"{path.relative_to(repository)}:{node.lineno} {node.attr}")
    # What names the machine, or chooses among its cores, beside a measurement.
    assert {line.partition(":")[0] for line in found} == {"benchmarks/cpp.py", "benchmarks/variants.py"}, found
