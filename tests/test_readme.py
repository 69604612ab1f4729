"""Every command and example of the README and of the pages that it hands on to, run in a copy of the repository."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from spin_tf import Charset, Recognizer, Tokenizer, config
from spin_tf.data.tfrecord import RecordIndex
from spin_tf.recognizer import bundled_model
from spin_tf.synthesis import WordSynthesizer
from tests import strip_model as strips
from tests.pages import blocks, copy_repository, run_commands, targets

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")

# What the README leaves to a page that goes on with its files, in the order in which a reader would come to it.
PAGES = [
    README,
    *((REPOSITORY / "docs" / f"{name}.md").read_text(encoding="utf-8") for name in ("quickstart", "reading")),
]

# What is shown but cannot be run by a test: the first line of each block.
NOT_RUN = {
    "make demo": "builds its own environment; tests/test_readme.py runs it among the slow tests",
    'pip install -e ".[train,data]"': "installs packages",
}
# The README trains for minutes; here every command does its work once with a tiny model from nothing, below, among the
# slow tests, the training runs as it stands. The model must still learn to prefer some characters: the export rightly
# refuses one whose readings hang on the last bit of a weight.
SMALLER = {
    r"--num_words=\d+": "--num_words=64",
    r"^(bin/export_tflite\.py .*)$": r"\1 --check_words=10",
    r"^(bin/train\.py .* --model_dir=runs/quickstart)$": r"\1 --set training.init_from=null",
    r"^(bin/train\.py .*)$": (
        r"\1 --set training.steps=40 --set training.batch_size=8 --set training.validate_every=40"
        r" --set training.optimizer.learning_rate=0.02 --set training.optimizer.warmup_steps=1"
        r" --set training.optimizer.ema=0 --set model.backbone.width=16"
        r" --set 'model.backbone.num_blocks=[1,1,1,1]' --set model.transformation.name=none"
    ),
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A copy of the repository with what a reader would have: the words of `make demo`, labelled photographs."""
    copy = copy_repository(tmp_path_factory.mktemp("readme") / "spin_tf")
    subprocess.run([sys.executable, "docs/photographs/draw_street.py", "street.jpg"], cwd=copy, check=True)
    # What `make demo` leaves.
    (copy / "build" / "demo").mkdir(parents=True)
    Image.fromarray(strips.draw("word")).save(copy / "build" / "demo" / "word_000.png")
    (copy / "photos").mkdir()
    lines = []
    for i, word in enumerate(["one", "two", "3", "four"] * 4):
        Image.fromarray(strips.draw(word)).save(copy / "photos" / f"{i:02d}.png")
        lines.append(f"{i:02d}.png\t{word}\n")
    (copy / "photos" / "labels.txt").write_text("".join(lines))
    return copy


def test_what_is_not_run_is_known() -> None:
    assert {b.text.splitlines()[0]: b.not_run for page in PAGES for b in blocks(page) if b.not_run} == NOT_RUN


def commands(page: str, train: bool) -> str:
    """The bash blocks of a page that train and go on with what was trained, or the others."""
    chosen = [b for b in blocks(page) if b.language == "bash" and not b.not_run and ("bin/train.py" in b.text) == train]
    return "".join(f"```bash\n{block.text}```\n" for block in chosen)


def test_every_command_that_needs_no_training_runs(copy: pathlib.Path, detector: str) -> None:
    """In their order, in one folder, as a reader would; those that train are among the slow tests."""
    outputs = run_commands(commands(README, train=False), copy, SMALLER)
    assert outputs[0].startswith("build/demo/word_000.png\t")
    assert (copy / "explained" / "explain.html").stat().st_size > 5_000
    outputs = run_commands(PAGES[2], copy, SMALLER)
    assert [output.count("\n") for output in outputs[:2]] == [1, 16]
    assert len(outputs[-2].splitlines()[0].split("\t")) > 3
    assert (copy / "annotated" / "street.jpg").stat().st_size > 20_000


@pytest.mark.slow
def test_every_command_that_trains_runs(copy: pathlib.Path) -> None:
    """All bash blocks that train, and the page that goes on with what they leave, in their order."""
    outputs = run_commands(commands(README, train=True), copy, SMALLER)
    # The last command reads with the file that the one before it wrote.
    assert outputs[-1].startswith("build/demo/word_000.png\t")
    assert (copy / "mine.tflite").stat().st_size > 10_000
    outputs = run_commands(PAGES[1], copy, SMALLER)
    assert {"results.json", "results.md", "predictions.jsonl", "errors.html"} <= set(
        os.listdir(copy / "runs" / "photos" / "evaluation")
    )
    assert outputs[-1].count("\n") == 16


def test_python_examples_run(copy: pathlib.Path) -> None:
    examples = [block for page in PAGES for block in blocks(page) if block.language == "python"]
    assert len(examples) == 2
    for block in examples:
        result = subprocess.run([sys.executable, "-c", block.text], cwd=copy, capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        assert re.match(r"\S* \d", result.stdout)


@pytest.mark.parametrize("name", ["README", "docs/quickstart", "docs/reading", "docs/install"])
def test_links_lead_somewhere(name: str) -> None:
    page = REPOSITORY / f"{name}.md"
    found = targets(page.read_text(encoding="utf-8"))
    assert found
    for target in found:
        assert (page.parent / target).exists(), target


def test_first_screen_is_short() -> None:
    """Its figures are those of exported/results.json: tests/test_release.py."""
    assert len(README.splitlines()) <= 90
    first = README[: README.index("## Try it")]
    (picture,) = re.findall(r"!\[.*\]\((.*)\)", first)
    assert (REPOSITORY / picture).stat().st_size < 200_000


def test_what_keras_is_said_to_have() -> None:
    import keras

    page = (REPOSITORY / "docs" / "install.md").read_text(encoding="utf-8")
    (sentence,) = re.findall(r"is in Keras 3 itself: (.*?)\.\n", page, re.DOTALL)
    names = set(re.findall(r"`(\w+)`", sentence))
    assert {"AdamW", "use_ema", "RandomPerspective", "ExportArchive"} <= names
    assert keras.optimizers.AdamW(use_ema=True).use_ema
    for name in names - {"use_ema"}:
        assert any(hasattr(module, name) for module in (keras.layers, keras.optimizers, keras.export)), name


def test_bundled_model_reads_a_plain_word() -> None:
    """The promise of the first paragraph: what ships does read."""
    from PIL import ImageDraw, ImageFont

    image = Image.new("L", (140, 44), 235)
    ImageDraw.Draw(image).text((12, 4), "House", fill=20, font=ImageFont.load_default(30))
    word = Recognizer().read(np.asarray(image))
    assert bundled_model().exists()
    assert word.text.lower() == "house"
    assert word.confidence > 0.5


def test_the_words_of_the_training_fit_its_charset() -> None:
    """What bin/synthesize.py draws without further flags, and the quickstart trains on."""
    settings = config.load("quickstart")
    tokenizer = Tokenizer(Charset.from_spec(settings.model.charset), settings.model.max_length)
    labels = {label for _, label in (WordSynthesizer().word((1 << 40) + i) for i in range(300))}
    assert len(labels) > 100
    for label in labels:
        assert tokenizer.check(label) == label


@pytest.mark.slow
def test_the_training_ends_with_a_model_that_reads(tmp_path: pathlib.Path) -> None:
    """The commands as they stand, at full length: what the page promises, less what other fonts may cost."""
    lines = [line for block in blocks(README) if not block.not_run for line in block.text.splitlines()]
    wanted = ("bin/synthesize.py", "bin/train.py --config=configs/quickstart.yaml --model_dir=runs/quickstart")
    page = "\n".join(line for line in lines if line.startswith(wanted))
    copy = copy_repository(tmp_path / "spin_tf")
    *drawn, trained = run_commands(f"```bash\n{page}\n```", copy, {})
    assert [re.findall(r"(\d+) words", line) for line in drawn] == [["20000"], ["1000"]]
    # All of them are trained on and checked with.
    correct, words, best = re.findall(r"validation (\d+)/(\d+) words; best ([\d.]+)", trained)[0]
    assert int(words) == 1000 and int(correct) >= 670 and float(best) >= 0.67
    start = Recognizer("spin_small")
    index = RecordIndex([f"{copy}/data/check-*.tfrecord"])
    examples = [index.read_example(i) for i in range(len(index))]
    read = start.read([example.encoded for example in examples])
    before = sum(word.text == example.text for word, example in zip(read, examples, strict=True))
    assert float(best) > before / 1000


@pytest.mark.slow
def test_make_demo_from_nothing(tmp_path: pathlib.Path) -> None:
    """`make demo` in a fresh copy without research data beside it: builds the core environment and reads words."""
    copy = copy_repository(tmp_path / "alone" / "spin_tf")
    result = subprocess.run(["make", "demo"], cwd=copy, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "words right" in result.stdout
    assert (copy / "build/demo/word_000.png").exists()
    packages = subprocess.run([copy / ".venv/bin/python", "-m", "pip", "list"], capture_output=True, text=True).stdout
    assert "ai-edge-litert" in packages
    assert "tensorflow" not in packages
    again = subprocess.run(["make", "demo"], cwd=copy, capture_output=True, text=True)
    assert again.returncode == 0
    assert "pip install" not in again.stdout
