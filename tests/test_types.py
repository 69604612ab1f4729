"""What a type checker, an editor and `help` know of the names that the pages import."""

from __future__ import annotations

import inspect
import os
import pathlib
import pydoc
import re
import subprocess
import sys
from collections.abc import Iterator

import jedi
import pytest

import spin_tf
from spin_tf import Recognizer
from spin_tf.decoding.options import Options
from tests.pages import REPOSITORY, blocks

# What else `import spin_tf` promises, and the types of what reading answers.
MORE = [f"from spin_tf import {name}" for name in spin_tf.__all__ if not name.startswith("_")]
READING = """
from spin_tf import Recognizer
recognizer = Recognizer()
word = recognizer.read("a.png")
words = recognizer.read(["a.png", "b.png"])
character = word.characters[0]
result = next(recognizer.read_many(["a.png"]))
"""


def documented_imports() -> Iterator[str]:
    """Every import of the package in a Python example of a page."""
    for page in [REPOSITORY / "README.md", *REPOSITORY.glob("docs/**/*.md"), *REPOSITORY.glob("deploy/*/*.md")]:
        for block in blocks(page.read_text(encoding="utf-8")):
            if block.language == "python":
                yield from re.findall(r"^from spin_tf[\w.]* import .+$", block.text, re.MULTILINE)


def imported_names() -> dict[str, str]:
    """By name, the line that imports it."""
    lines = sorted({*documented_imports(), *MORE})
    return {name.strip(): line for line in lines for name in line.split(" import ")[1].split(",")}


def test_the_pages_import_something() -> None:
    assert {"Recognizer", "RecordIndex", "RemoteRecognizer", "WordSynthesizer"} <= imported_names().keys()


def test_mypy_knows_every_documented_name(tmp_path: pathlib.Path) -> None:
    """Classes are classes, what reading answers is a Word, and a name that is not there is an error."""
    names = imported_names()
    lines = [*dict.fromkeys(names.values()), *(f"reveal_type({name})" for name in names), READING]
    revealed = ["recognizer", "word", "words", "character", "result"]
    lines += [f"reveal_type({name})" for name in revealed] + ["from spin_tf import Recogniser"]
    script = tmp_path / "script.py"
    script.write_text("\n".join(lines) + "\n")
    result = subprocess.run(
        [sys.executable, "-m", "mypy", f"--config-file={REPOSITORY / 'setup.cfg'}", str(script)],
        cwd=REPOSITORY,
        env={**os.environ, "MYPYPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
    )
    types = re.findall(r'note: Revealed type is "(.*)"', result.stdout)
    assert len(types) == len(names) + len(revealed), result.stdout + result.stderr
    for name, shown in zip(names, types, strict=False):
        # A class is shown as what makes it: `def (...) -> spin_tf.charset.Charset`; a function without its name.
        assert shown.startswith("def (") and "Any" not in shown.split(" -> ")[-1], f"{name}: {shown}"
        assert f".{name}" in shown or name.islower(), f"{name}: {shown}"
    assert types[len(names) :] == [
        "spin_tf.recognizer.Recognizer",
        "spin_tf.contract.word.Word",
        "list[spin_tf.contract.word.Word]",
        "spin_tf.contract.word.Character",
        "spin_tf.contract.word.Word | spin_tf.contract.word.ReadError",
    ]
    errors = [line for line in result.stdout.splitlines() if "error:" in line]
    assert len(errors) == 1 and "Recogniser" in errors[0], errors


@pytest.mark.parametrize("name", sorted(imported_names()))
def test_an_editor_knows_every_documented_name(name: str) -> None:
    """jedi, which completes in IPython, Jupyter and many editors, finds the class and its documentation."""
    line = imported_names()[name]
    (found,) = jedi.Script(f"{line}\n{name}", project=jedi.Project(str(REPOSITORY))).infer(2, 0)
    assert (found.type, found.name) == ("function" if name.islower() else "class", name)
    assert found.docstring(raw=True)


def test_an_editor_completes_arguments_and_results() -> None:
    project = jedi.Project(str(REPOSITORY))
    (signature,) = jedi.Script(f"{READING}Recognizer(", project=project).get_signatures()
    shown = [parameter.name for parameter in signature.params]
    assert shown[:3] == ["model", "num_threads", "turn_tall"] and {"pattern", "lexicon", "n_best"} <= set(shown)
    assert [c.name for c in jedi.Script(f"{READING}word.conf", project=project).complete()] == ["confidence"]
    assert [c.name for c in jedi.Script(f"{READING}words[0].conf", project=project).complete()] == ["confidence"]


def test_signature_and_help_name_the_arguments() -> None:
    parameters = inspect.signature(Recognizer).parameters
    assert list(parameters) == ["model", "num_threads", "turn_tall", "turn", *Options.__dataclass_fields__]
    assert parameters["n_best"].default == 1 and parameters["turn_tall"].default is True
    # Options are by name only, as `__init__` has it.
    assert parameters["beam_width"].kind is inspect.Parameter.KEYWORD_ONLY
    text = pydoc.plain(pydoc.render_doc(Recognizer))
    assert re.search(r"class Recognizer.*\n \|  Recognizer\(\n?.*model", text)

    class Shouting(Recognizer):
        def __init__(self, model: str, mark: str = "!") -> None:
            super().__init__(model)

    assert list(inspect.signature(Shouting).parameters) == ["model", "mark"]
