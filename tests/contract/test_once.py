"""Every number of the contract stands in one place: `spin_tf.contract.constants`, and what is generated from it."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys

from spin_tf.contract import constants

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent.parent
SOURCE = REPOSITORY / "spin_tf" / "contract" / "constants.py"
GENERATED = {
    REPOSITORY / "deploy" / "cpp" / "src" / "contract.h",
    REPOSITORY / "deploy" / "web" / "src" / "recognizer" / "contract.ts",
}


def sources() -> dict[pathlib.Path, str]:
    places = ("spin_tf/**/*.py", "deploy/cpp/**/*.cc", "deploy/cpp/**/*.h", "deploy/web/src/**/*.ts")
    files = {path for place in places for path in REPOSITORY.glob(place)} - {SOURCE} - GENERATED
    return {path: path.read_text(encoding="utf-8") for path in files}


def test_generated_files_are_current() -> None:
    command = [sys.executable, str(REPOSITORY / "tools" / "generate_contract.py"), "--check"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")


def test_generated_files_hold_every_constant() -> None:
    names = [name for name in vars(constants) if name.isupper()]
    assert len(names) > 30
    for path in GENERATED:
        text = path.read_text(encoding="utf-8")
        for name in names:
            in_cpp = "k" + name.title().replace("_", "")
            assert re.search(rf"\b(?:{name}|{in_cpp})\b", text), (path, name)


def test_no_constant_is_given_a_value_elsewhere() -> None:
    names = [name for name in vars(constants) if name.isupper()]
    # Names that limit something else elsewhere: tiles of a photograph, generated labels.
    names = [name for name in names if not name.startswith("MAX_")]
    pattern = "|".join(f"{name}|k{name.title().replace('_', '')}" for name in names)
    # A literal, not another name: `START_ID = START_ID` is the same number under a class.
    defined = re.compile(rf"\b(?:{pattern})(?:\[\])?(?:: [\w<>\[\], ]+)? = [\d\"'\[({{-]")
    for path, text in sources().items():
        assert not defined.search(text), (path, defined.search(text))


def test_numbers_that_nothing_else_has_are_written_once() -> None:
    weights = "|".join(map(str, constants.GREY_WEIGHTS))
    for path, text in sources().items():
        assert not re.search(rf"\b(?:{weights})\b", text), path
        assert f'"{constants.METADATA_FILE}"' not in text, path
        # Other ways to write OpenCV's weights.
        assert not re.search(r"\b0?\.(?:299|587|114)\b|rgb_to_grayscale", text), path
