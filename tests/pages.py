"""Pages of documentation, and what they promise: commands that run, links that lead somewhere."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import sys
from typing import NamedTuple

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent


class Block(NamedTuple):
    """A fenced block; `not_run` is why, where the page says so in a comment before it."""

    language: str
    text: str
    not_run: str | None


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page in Markdown, in their order."""
    pattern = r"(?:<!-- not run: (.*?) -->\n)?```(\w+)\n(.*?)```"
    return [Block(m[2], m[3], m[1]) for m in re.finditer(pattern, page, re.DOTALL)]


def copy_repository(target: pathlib.Path) -> pathlib.Path:
    """Copies what git knows of, or would add, into a folder."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        if (REPOSITORY / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / name, target / name)
    return target


def run_commands(page: str, folder: pathlib.Path, smaller: dict[str, str]) -> list[str]:
    """Runs all bash blocks in their order, line by line, as a reader would, and returns what each line printed.

    Args:
        page: Markdown.
        folder: a copy of the repository.
        smaller: patterns in a line and what stands there instead, so that a test takes seconds.
    """
    environment = {**os.environ, "PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"}
    outputs = []
    for block in blocks(page):
        if block.language != "bash" or block.not_run:
            continue
        for line in block.text.splitlines():
            for pattern, replacement in smaller.items():
                line = re.sub(pattern, replacement, line)
            result = subprocess.run(["bash", "-c", line], cwd=folder, env=environment, capture_output=True, text=True)
            assert result.returncode == 0, f"{line}\n{result.stdout}\n{result.stderr}"
            outputs.append(result.stdout)
    return outputs


def targets(page: str) -> list[str]:
    """Where the links of a page lead within the repository."""
    return [target for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page) if "://" not in target]
