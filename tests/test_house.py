"""The package as a house: what is installed, what importing costs, how launchers and extras fit together."""

from __future__ import annotations

import ast
import configparser
import os
import pathlib
import re
import subprocess
import sys
import tomllib

import pytest

from spin_tf import __main__ as script
from spin_tf._version import __version__

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
PACKAGE = REPOSITORY / "spin_tf"
CORE = {"absl-py", "ai-edge-litert", "google-crc32c", "numpy", "pillow", "protobuf", "tqdm"}
# Modules whose package is called otherwise.
PACKAGE_OF = {"grpc": "grpcio"}


@pytest.fixture(scope="module")
def setup() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(REPOSITORY / "setup.cfg")
    return parser


def requirements(text: str) -> set[str]:
    return {re.split(r"[<>=!~\s]", line)[0] for line in text.split()}


def git(*arguments: str) -> list[str]:
    result = subprocess.run(["git", *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return result.stdout.splitlines()


def tracked(*patterns: str) -> list[pathlib.Path]:
    # A file that was deleted but not yet committed is still listed.
    return [path for path in map(REPOSITORY.joinpath, git("ls-files", *patterns)) if path.exists()]


def test_importing_is_fast_and_light() -> None:
    """`import spin_tf` takes under 0.3 s of processor time (another program may hold the clock) and no TensorFlow."""
    code = (
        "import time; start = time.process_time(); import spin_tf; seconds = time.process_time() - start\n"
        "import sys; loaded = {name.split('.')[0] for name in sys.modules}\n"
        "print(seconds, *sorted(loaded & {'tensorflow', 'keras', 'jax'}))"
    )
    seconds = []
    for _ in range(3):
        result = subprocess.run(
            [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
        )
        time, *heavy = result.stdout.split()
        assert heavy == []
        seconds.append(float(time))
    assert min(seconds) < 0.3


def test_modules_that_the_core_install_can_import() -> None:
    """Commands too: whatever is missing is told when they run, not by a traceback at their start.

    Each in a fork of one process that has imported what they share: two commands do not go into one.
    """
    code = (
        "import os, sys, traceback\n"
        "for name in ('tensorflow', 'keras', 'omegaconf', 'scipy', 'lmdb', 'tensorboard'):\n"
        "    sys.modules[name] = None\n"
        "import numpy, PIL.Image, absl.flags\n"
        "for module in sys.argv[1:]:\n"
        "    if os.fork() == 0:\n"
        "        try:\n"
        "            __import__(module)\n"
        "        except BaseException:\n"
        "            traceback.print_exc()\n"
        "            os._exit(1)\n"
        "        os._exit(0)\n"
        "    if os.wait()[1]:\n"
        "        print(module)\n"
    )
    modules = ["recognizer", "charset", "contract.tensorflow_twin", "data.records.tfrecord", "synthesis"]
    modules += [f"cli.{name}" for name in script.commands()]
    command = [sys.executable, "-c", code, *(f"spin_tf.{module}" for module in modules)]
    result = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert (result.returncode, result.stdout) == (0, ""), result.stderr


def test_core_install_is_seven_packages(setup: configparser.ConfigParser) -> None:
    assert requirements(setup["options"]["install_requires"]) == CORE


def test_every_extra_that_is_asked_for_exists_and_holds_the_module(setup: configparser.ConfigParser) -> None:
    """`require("scipy", ..., "data")` promises that the extra "data" installs scipy."""
    extras = {name: requirements(text) for name, text in setup["options.extras_require"].items()}
    asked = 0
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "require":
                module, extra = ast.literal_eval(node.args[0]), ast.literal_eval(node.args[2])
                module = module.split(".")[0]
                package = PACKAGE_OF.get(module, module.replace("_", "-"))
                assert package in extras[extra], f"{path}:{node.lineno}"
                asked += 1
    assert asked > 2


def test_no_third_party_import_is_undeclared(setup: configparser.ConfigParser) -> None:
    """Every import, at the top of a module or inside a function, comes with the core install or an extra."""
    declared = {"absl", "ai_edge_litert", "google", "google_crc32c", "numpy", "PIL", "spin_tf", "tqdm"}
    declared |= set(sys.stdlib_module_names)
    for name, text in setup["options.extras_require"].items():
        if name != "dev":
            declared |= {package.replace("-", "_") for package in requirements(text)}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                modules = [node.module or ""]
            for module in modules:
                assert module.split(".")[0] in declared, f"{path}:{node.lineno} imports {module}"  # type: ignore[attr-defined]


def test_every_folder_of_the_package_is_installed(setup: configparser.ConfigParser) -> None:
    folders = {".".join(path.parent.relative_to(REPOSITORY).parts) for path in PACKAGE.rglob("__init__.py")}
    assert set(setup["options"]["packages"].split()) == folders


def test_configuration_has_one_place_each(setup: configparser.ConfigParser) -> None:
    """pytest would ignore its section of setup.cfg if pyproject.toml had one."""
    tools = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]
    assert set(tools) == {"ruff"}
    assert {"mypy", "tool:pytest"} <= set(setup.sections())


def test_every_command_has_its_launcher() -> None:
    launchers = {path.stem: path for path in (REPOSITORY / "bin").glob("*.py")}
    # What trains the weights of a clone is in tools/.
    assert set(launchers) == {*script.commands(), "train_lap"}
    for path in launchers.values():
        text = path.read_text()
        assert text.startswith("#!/usr/bin/env python3\n")
        assert len(text.splitlines()) < 20, path
        assert os.access(path, os.X_OK), f"{path} is not executable"


def test_the_installed_script_runs_the_commands() -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "spin_tf", *arguments]
        return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)

    assert "recognize" in run().stdout
    assert run("--version").stdout == f"spin-tf {__version__}\n"
    assert "Reads word images" in run("recognize", "--help").stdout
    unknown = run("recognise")
    assert unknown.returncode == 2
    assert "no such command. Received: 'recognise'" in unknown.stderr
    mistake = run("recognize", "--model=absent.tflite", "word.png")
    assert (mistake.returncode, mistake.stderr.count("\n")) == (2, 1)


def test_files_stay_short() -> None:
    for path in tracked("spin_tf/*.py", "bin/*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) < 300, path


def test_no_two_files_of_the_package_have_one_name() -> None:
    """But for commands, which may be called like what they run, and the documented door to records."""
    named = [path.name for path in PACKAGE.rglob("*.py") if path.parent.name not in ("cli", "_pyinstaller")]
    twice = {name for name in named if named.count(name) > 1}
    assert twice == {"__init__.py", "tfrecord.py"}


def test_no_binaries_but_what_ships() -> None:
    allowed = ("exported/", "docs/", "tests/contract/cases/", "tests/known_words.tflite")
    for path in tracked():
        if not path.relative_to(REPOSITORY).as_posix().startswith(allowed):
            assert b"\0" not in path.read_bytes()[:8192], path


def test_lock_files_record_no_addresses() -> None:
    """npm's lock files hold versions and hashes; where a package comes from is the affair of whoever installs it."""
    (lock,) = tracked("*package-lock.json")
    text = lock.read_text()
    assert '"integrity"' in text
    assert '"resolved"' not in text


def test_help_lists_every_target() -> None:
    makefile = (REPOSITORY / "Makefile").read_text()
    # Without what an outer make passes on: `make test` runs this too.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}

    def make(*targets: str) -> str:
        command = ["make", *targets]
        return subprocess.run(
            command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=True
        ).stdout

    targets = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert targets
    assert [line.split()[1] for line in make("help").splitlines()] == targets[1].split()
    assert make() == make("help")


def test_continuous_integration_runs_the_tests() -> None:
    path = REPOSITORY / ".ci" / "run"
    assert os.access(path, os.X_OK)
    for target in ("test", "test_integration"):
        assert re.search(rf"^make .*\b{target}\b", path.read_text(), re.MULTILINE)
