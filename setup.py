"""What setup.cfg cannot say: configs/ and exported/ of the repository lie inside the package of a wheel, and no link on
the page of the package index leads nowhere.

In a clone the resources stay where they are: spin_tf/_resources.py finds either. (`package_dir` could say so too, but
an editable install would then be an import hook, which loses to a clone called spin_tf in the working folder.)

    SPIN_TF_REPOSITORY=https://HOST/OWNER/spin_tf python -m build

writes the addresses of the repository into what is built: links and pictures of the README lead to this version's tag
there, and the metadata have project URLs. Without it, neither is in it: links are their words alone.
"""

from __future__ import annotations

import os
import pathlib
import re

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = pathlib.Path(__file__).resolve().parent
RESOURCES = ("configs/*.yaml", "exported/*.tflite", "exported/README.md", "exported/weights/*/*")
# A picture, or what is in the brackets of another link; and where it leads, if that is within the repository.
LINK = re.compile(r"(!?)\[([^]\[]+)\]\((?!\w+:|#)([^)\s]+)\)")


def long_description(readme: str, repository: str | None, version: str) -> str:
    """The README as the package index shows it, where the files beside it are not."""

    def elsewhere(link: re.Match[str]) -> str:
        picture, words, target = link.groups()
        if repository:
            return f"{picture}[{words}]({repository}/{'raw' if picture else 'blob'}/v{version}/{target})"
        return "" if picture else words

    return LINK.sub(elsewhere, readme)


def index_page() -> dict[str, object]:
    """What `setup` is told for the page of the package index."""
    repository = os.environ.get("SPIN_TF_REPOSITORY", "").rstrip("/")
    version = re.findall(r'"(.+)"', (ROOT / "spin_tf" / "_version.py").read_text(encoding="utf-8"))[0]
    page = long_description((ROOT / "README.md").read_text(encoding="utf-8"), repository, version)
    urls = {"Source": repository, "Issues": f"{repository}/issues"}
    urls["Changelog"] = f"{repository}/blob/v{version}/CHANGELOG.md"
    return {"long_description": page, "long_description_content_type": "text/markdown"} | (
        {"url": repository, "project_urls": urls} if repository else {}
    )


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


setup(cmdclass={"build_py": BuildWithResources}, **index_page())
