"""What setup.cfg cannot say: configs/ and exported/ of the repository lie inside the package of a wheel.

In a clone they stay where they are: spin_tf/_resources.py finds either. (`package_dir` could say so too, but an
editable install would then be an import hook, which loses to a clone called spin_tf in the working folder.)
"""

from __future__ import annotations

import pathlib

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = pathlib.Path(__file__).resolve().parent
RESOURCES = ("configs/*.yaml", "exported/*.tflite", "exported/README.md", "exported/weights/*/*")


class BuildWithResources(build_py):
    """Copies the resources into the package that is built; an editable install needs no copy."""

    def run(self) -> None:
        super().run()
        for source, target in self._resources().items():
            self.mkpath(str(pathlib.Path(target).parent))
            self.copy_file(source, target)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        return [*super().get_outputs(include_bytecode), *self._resources().values()]

    def get_output_mapping(self) -> dict[str, str]:
        return {**super().get_output_mapping(), **{target: source for source, target in self._resources().items()}}

    def _resources(self) -> dict[str, str]:
        """By path in the repository, where a file lies in what is built."""
        if self.editable_mode:
            return {}
        paths = sorted(path.relative_to(ROOT) for pattern in RESOURCES for path in ROOT.glob(pattern))
        return {str(path): str(pathlib.Path(self.build_lib, "spin_tf", path)) for path in paths}


setup(cmdclass={"build_py": BuildWithResources})
