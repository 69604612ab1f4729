"""Builds the C++ reader for the tests of it, with the commands of its README."""

from __future__ import annotations

import os
import pathlib
import re
import shlex
import subprocess
import sys

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
README = REPOSITORY / "deploy" / "cpp" / "README.md"
BUILD = REPOSITORY / "build" / "cpp"
MODEL = REPOSITORY / "exported" / "spin.tflite"


def blocks(language: str) -> list[str]:
    """The code blocks of the README in one language."""
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


def run(*command: object, **options: object) -> subprocess.CompletedProcess[str]:
    """Runs a command in the repository; whatever it says is text."""
    environment = {**os.environ, "PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"}
    settings = {"cwd": REPOSITORY, "env": environment, "capture_output": True, "text": True, **options}
    return subprocess.run([str(part) for part in command], **settings)  # type: ignore[call-overload, no-any-return]


def must_run(*command: object, **options: object) -> str:
    """Runs a command that must succeed; returns its stdout."""
    result = run(*command, **options)
    assert result.returncode == 0, f"{shlex.join(map(str, command))}\n{result.stdout}\n{result.stderr}"
    return result.stdout


def build_with_sanitizers(sanitizers: str, driver: str) -> pathlib.Path:
    """Builds one driver of the tests, and the library that it needs, with sanitizers; returns the program."""
    folder = BUILD.with_name(f"cpp_{sanitizers.replace(',', '_')}")
    # As little optimisation as keeps compiling short.
    must_run(
        *("cmake", "-S", "deploy/cpp", "-B", folder, f"-DSPIN_PYTHON={sys.executable}", "-DSPIN_TESTS=ON"),
        *("-DCMAKE_BUILD_TYPE=None", "-DCMAKE_CXX_FLAGS=-O1", f"-DSPIN_SANITIZE={sanitizers}"),
    )
    must_run("cmake", "--build", folder, "--parallel", "2", "--target", driver)
    return folder / driver
