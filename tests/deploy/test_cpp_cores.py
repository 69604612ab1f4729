"""The program counts its cores as the Python one does."""

from __future__ import annotations

import os
import pathlib
import sys

import pytest

from tests import control_groups
from tests.deploy.cpp import BUILD, must_run

pytestmark = pytest.mark.deploy


@pytest.fixture(scope="module")
def cores() -> pathlib.Path:
    must_run("cmake", "-S", "deploy/cpp", "-B", BUILD, f"-DSPIN_PYTHON={sys.executable}", "-DSPIN_TESTS=ON")
    must_run("cmake", "--build", BUILD, "--target", "cores")
    return BUILD / "cores"


@pytest.mark.parametrize("name", control_groups.CASES)
def test_quotas_of_control_groups(name: str, cores: pathlib.Path, tmp_path: pathlib.Path) -> None:
    proc, expected = control_groups.write(name, tmp_path)
    assert int(must_run(cores, control_groups.MACHINE, proc)) == expected


def test_affinity(cores: pathlib.Path) -> None:
    assert must_run("taskset", "-c", str(min(os.sched_getaffinity(0))), cores) == "1\n"
