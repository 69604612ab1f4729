"""Puts the pages of the repository where the repository has them, and every file that one of them links to.

MkDocs knows one folder of pages; the guides are read on their own, too, and link to what lies beside docs/. So the site
has the layout of the repository: README.md is its first page, `../configs/quickstart.yaml` a file that it serves.
"""

from __future__ import annotations

import pathlib
import re
import subprocess
from collections.abc import Iterator

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
# What is of the site alone (API pages) takes the place that it would have in the repository.
SITE = REPOSITORY / "docs" / "site"
PAGES = ("*.md", "docs/*.md", "docs/notebooks/*.ipynb", "benchmarks/*.md", "deploy/*/README.md", "exported/*.md")
LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)[^)]*\)")


def tracked() -> set[str]:
    """What git knows of, or would add: nothing that was built here gets into the site."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout.splitlines()
    return {name for name in listed if (REPOSITORY / name).is_file()}


def pages() -> list[str]:
    """The Markdown pages and notebooks of the site, as paths in the repository."""
    known = tracked()
    found = (path.relative_to(REPOSITORY).as_posix() for pattern in PAGES for path in sorted(REPOSITORY.glob(pattern)))
    return [name for name in found if name in known]


def linked(page: str) -> Iterator[str]:
    """Where the links of a page lead within the repository."""
    folder = (REPOSITORY / page).parent
    for target in LINK.findall((REPOSITORY / page).read_text(encoding="utf-8")):
        path = (folder / target).resolve()
        if path.is_file() and path.is_relative_to(REPOSITORY):
            yield path.relative_to(REPOSITORY).as_posix()


# Before mkdocs-jupyter, which looks for notebooks among the files.
@event_priority(100)
def on_files(files: Files, config: MkDocsConfig) -> Files:
    known, names = tracked(), dict.fromkeys(pages())
    for page in list(names):
        if page.endswith(".md"):
            names.update(dict.fromkeys(name for name in linked(page) if name in known))
    for name in names:
        files.append(File(name, str(REPOSITORY), config.site_dir, config.use_directory_urls))
    return files
