"""The installed C++ reader: it starts wherever it is, and other projects find it, static and shared."""

from __future__ import annotations

import pathlib
import shlex
import shutil
import subprocess
import sys

import pytest

from spin_tf import Recognizer, Word
from tests.deploy.cpp import BUILD, blocks, must_run
from tests.fuzz.images import word_picture

pytestmark = pytest.mark.deploy

PROJECT = """
cmake_minimum_required(VERSION 3.18)
project(app C CXX)
set(CMAKE_CXX_STANDARD 17)
find_package(spin 0.1 REQUIRED)
add_executable(app main.cc)
target_link_libraries(app PRIVATE spin::spin)
add_executable(plain plain.c)
target_link_libraries(plain PRIVATE spin::spin)
file(GENERATE OUTPUT model.txt CONTENT "${SPIN_MODEL}")
"""
PLAIN = """
#include <spin/spin.h>
#include <stdio.h>
int main(int argc, char** argv) {
  spin_recognizer* recognizer = NULL;
  if (spin_create(argv[argc - 1], 1, &recognizer) != SPIN_OK) return 1;
  printf("%s\\n", spin_charset(recognizer));
  spin_destroy(recognizer);
  return 0;
}
"""


@pytest.fixture(scope="module", params=["static", "shared"])
def prefix(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """An installation that was moved after it was made."""
    build = BUILD.with_name(f"cpp_install_{request.param}")
    folder = tmp_path_factory.mktemp(request.param)
    must_run(
        *("cmake", "-S", "deploy/cpp", "-B", build, f"-DSPIN_PYTHON={sys.executable}", "-DSPIN_TESTS=OFF"),
        *(f"-DBUILD_SHARED_LIBS={'ON' if request.param == 'shared' else 'OFF'}", "-DCMAKE_CXX_FLAGS=-O1"),
        *("-DCMAKE_BUILD_TYPE=None", f"-DCMAKE_INSTALL_PREFIX={folder / 'first'}"),
    )
    must_run("cmake", "--build", build, "--parallel", "2")
    must_run("cmake", "--install", build)
    shutil.move(folder / "first", folder / "moved" / "far away")
    return folder / "moved" / "far away"


@pytest.fixture(scope="module")
def word(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    path = tmp_path_factory.mktemp("word") / "word.png"
    word_picture("sale").save(path)
    return path


def expected(word: pathlib.Path) -> str:
    result = Recognizer().read(word)
    assert isinstance(result, Word) and result.text.startswith("sale")
    return f"{word}\t{result.text}\t{result.confidence:.4f}\n"


def run_bare(*command: object) -> str:
    """Runs a program from another folder, without an environment that could help it."""
    return subprocess.run([str(part) for part in command], cwd="/", env={}, check=True, stdout=-1, text=True).stdout


def test_the_program_starts_anywhere(prefix: pathlib.Path, word: pathlib.Path, tmp_path: pathlib.Path) -> None:
    assert run_bare(prefix / "bin" / "spin_read", word) == expected(word)
    (tmp_path / "spin_read").symlink_to(prefix / "bin" / "spin_read")
    assert run_bare(tmp_path / "spin_read", word) == expected(word)


def test_nothing_that_is_installed_names_a_folder_of_the_build(prefix: pathlib.Path) -> None:
    texts = [path for path in prefix.rglob("*") if path.suffix in (".cmake", ".pc")]
    assert len(texts) == 5
    for path in texts:
        content = path.read_text()
        assert str(BUILD.parent) not in content and str(prefix.parents[1]) not in content, path
    program = subprocess.run(["readelf", "-d", prefix / "bin" / "spin_read"], stdout=-1, text=True, check=True).stdout
    assert "[$ORIGIN/../lib" in program


def test_projects_find_it(prefix: pathlib.Path, word: pathlib.Path, tmp_path: pathlib.Path) -> None:
    (example,) = blocks("cpp")
    (tmp_path / "main.cc").write_text(example)
    (tmp_path / "plain.c").write_text(PLAIN)
    (tmp_path / "CMakeLists.txt").write_text(PROJECT)
    must_run("cmake", "-S", tmp_path, "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={prefix}")
    must_run("cmake", "--build", tmp_path / "build")
    model = (tmp_path / "build" / "model.txt").read_text()
    assert pathlib.Path(model).is_relative_to(prefix)
    assert run_bare(tmp_path / "build" / "app", model, word).startswith("sale")
    assert run_bare(tmp_path / "build" / "plain", model).startswith("0123456789")


def test_pkg_config_knows_what_it_needs(prefix: pathlib.Path, word: pathlib.Path, tmp_path: pathlib.Path) -> None:
    (found,) = prefix.rglob("spin.pc")
    values = {"pcfiledir": str(found.parent)}
    fields: dict[str, str] = {}
    for line in found.read_text().splitlines():
        # Values of its own come first, then the fields, whose name a colon ends.
        sign = min("=:", key=lambda one: line.find(one) % 1000)
        name, _, value = line.partition(sign)
        for key, known in values.items():
            value = value.replace(f"${{{key}}}", shlex.quote(known) if sign == ":" else known)
        (fields if sign == ":" else values)[name] = value.strip()
    (example,) = blocks("cpp")
    (tmp_path / "main.cc").write_text(example)
    flags = [*shlex.split(fields["Cflags"]), str(tmp_path / "main.cc"), *shlex.split(fields["Libs"])]
    library = str(pathlib.Path(values["libdir"]).resolve())
    must_run("g++", "-std=c++17", *flags, f"-Wl,-rpath,{library}", "-o", tmp_path / "app")
    assert run_bare(tmp_path / "app", values["model"], word).startswith("sale")
