"""`--help` of every command: what the pages teach is in it, and nothing of absl's own flags."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys

import pytest

from spin_tf._version import __version__
from spin_tf.cli._help import GROUPS, commands
from tests.pages import REPOSITORY, blocks


def spin_tf(*arguments: str, columns: int = 100) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "spin_tf", *arguments]
    environment = {**os.environ, "COLUMNS": str(columns)}
    return subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True)


def taught_flags() -> dict[str, set[str]]:
    """By command, the flags that the pages use with it."""
    taught: dict[str, set[str]] = {name: set() for name in commands()}
    for page in [REPOSITORY / "README.md", *REPOSITORY.glob("docs/*.md")]:
        for block in blocks(page.read_text(encoding="utf-8")):
            for line in block.text.splitlines() if block.language == "bash" else ():
                # What is no command of the package (a lap) has no help here.
                if (found := re.match(r"bin/(\w+)\.py (.*)", line)) and found[1] in taught:
                    # What follows ` -- ` goes to another program.
                    taught[found[1]] |= set(re.findall(r"(?:^|\s)--(\w+)", found[2].split(" -- ")[0]))
    return taught


TAUGHT = taught_flags()


@pytest.mark.parametrize("name", commands())
def test_help_of_a_command(name: str) -> None:
    """Its own flags, all that the pages teach among them; an example; and no page of absl's."""
    result = spin_tf(name, "--help")
    assert (result.returncode, result.stderr) == (0, "")
    text = result.stdout
    described = set(re.findall(r"^  --(?:\[no\])?(\w+)", text, re.MULTILINE))
    assert TAUGHT[name] <= described, TAUGHT[name] - described
    assert re.search(rf"^python -m spin_tf {name} \S*--?\w+|^python -m spin_tf {name} \[", text, re.MULTILINE), (
        "no example"
    )
    for alien in ("only_check_args", "logtostderr", "pdb", "helpfull", "flagfile"):
        assert alien not in text
    # Every flag says what it is for.
    assert not re.search(r"^  --\S+\n(?=  --|\n)", text, re.MULTILINE)
    head = text.splitlines()[0]
    assert head[0].isupper() and not head.startswith("Bin/")


def test_flags_come_in_groups() -> None:
    text = spin_tf("recognize", "--help").stdout
    titles = re.findall(r"^(\S[^\n]*):$", text, re.MULTILINE)
    assert titles[0] == "flags" and titles[-1] == "every command"
    assert {"how words are read", "through a server"} <= set(titles)
    for flag in ("--n_best", "--pattern", "--lexicon", "--effort", "--min_confidence"):
        assert text.index("how words are read:") < text.index(f"  {flag}=") < text.index("through a server:")


@pytest.mark.parametrize("flag", ["-h", "--help", "--helpshort"])
def test_help_has_several_names(flag: str) -> None:
    launched = [sys.executable, "bin/recognize.py", flag]
    result = subprocess.run(launched, cwd=REPOSITORY, capture_output=True, text=True)
    assert result.returncode == 0
    assert "bin/recognize.py [--model=PATH]" in result.stdout and "through a server:" in result.stdout
    # Also where a flag that is needed is not given, and beside others.
    assert spin_tf("train", "--config=quickstart", flag).stdout.startswith("Trains")


def test_version_everywhere() -> None:
    for arguments in (["--version"], ["recognize", "--version"], ["train", "--version"]):
        result = spin_tf(*arguments)
        assert (result.returncode, result.stdout) == (0, f"spin-tf {__version__}\n")


def test_what_goes_to_another_program_is_left_alone(tmp_path: pathlib.Path) -> None:
    result = spin_tf("recognize", "--", "-h")
    assert result.returncode == 1 and "-h: No such file" in result.stderr


@pytest.mark.parametrize("arguments", [[], ["-h"], ["--help"], ["help"]])
def test_all_commands_in_groups_with_a_sentence_each(arguments: list[str]) -> None:
    result = spin_tf(*arguments)
    assert result.returncode == 0
    titles = re.findall(r"^(\S[^\n]*):$", result.stdout, re.MULTILINE)
    assert titles[: len(GROUPS)] == list(GROUPS)
    for name in commands():
        assert re.search(rf"^  {name} +[A-Z]\w+ \w+", result.stdout, re.MULTILINE), name


def test_help_fits_the_terminal() -> None:
    for columns in (70, 100):
        for line in spin_tf(columns=columns).stdout.splitlines():
            assert len(line) <= columns


def test_a_slip_is_put_right() -> None:
    assert "did you mean recognize?" in spin_tf("recognise").stderr
    assert "spin-tf --help lists them" in spin_tf("xyzzy").stderr
