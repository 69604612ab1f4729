#!/usr/bin/env python3
"""Ships weights: exports them, measures what was exported, and writes its figures wherever they stand.

    tools/release_model.py --model=exported/weights/NAME [--words=data/tfrecords] [--data=../shared/data]
        [--steps=calibrate,export,measure,write] [--only=NAME,...] [--again]

`make release_model MODEL=exported/weights/NAME` is the same. The steps, each of which may be asked for alone:

    calibrate   bin/calibrate.py: the temperature, fitted on the second validation, is written into the model
    export      bin/export_tflite.py: exported/spin.tflite, with int8 weights, checked with validation words
    measure     the benchmarks named below, on exported/spin.tflite, each into build/release/NAME.json; what is there
                of this very file is not measured again (--again: it is), so that an interrupted run goes on
    write       exported/results.json, and from it every figure of README.md, MODEL_CARD.md and the other documents
                that depends on the bundled model (tools/release_pages.py), between marks as benchmarks/kinds.py has

What cannot be measured here, for want of data, fonts or an extra, is left out with a line on stderr: its old figures
stay, and the documents say of which model they are. The validation words alone cannot be done without.
--only=NAME,... measures some of validation, unturned, second, reading, speed, kinds, failures, decoding and photos. In
reading and speed, the file that was committed before is measured beside the new one, in the same run.
"""

from __future__ import annotations

import datetime
import glob
import hashlib
import importlib.util
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from absl import app, flags

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from spin_tf._cores import num_cores
from spin_tf._files import write_text
from spin_tf._resources import find_model
from spin_tf.evaluation.metrics import Score
from spin_tf.reading.litert import read_metadata
from tools import release_pages

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
FILE = "exported/spin.tflite"
BUILD = pathlib.Path("build/release")
BEFORE = BUILD / "before.tflite"
STEPS = ("calibrate", "export", "measure", "write")
VALIDATION = ("icdar2015", "iiit5k", "svt")

_MODEL = flags.DEFINE_string("model", None, "Weights to ship: a folder or .keras file; for calibrate and export.")
_WORDS = flags.DEFINE_string("words", "data/tfrecords", "Folder of the TFRecords of both validations.")
_DATA = flags.DEFINE_string("data", "../shared/data", "Folder of fonts, backgrounds and text, for drawn words.")
_PHOTOS = flags.DEFINE_string(
    "photos", "../shared/photos/photos.jsonl", "Labels of photographs, see bin/evaluate_photos.py."
)
_DETECTOR = flags.DEFINE_string(
    "detector", "../shared/detectors/Multilingual_PP-OCRv3_det.onnx", "What finds the words of photographs."
)
_STEPS = flags.DEFINE_list("steps", list(STEPS), "What to do, of calibrate, export, measure and write.")
_ONLY = flags.DEFINE_list("only", [], "Which measurements; default: all.")
_AGAIN = flags.DEFINE_bool("again", False, "Measure again what was measured of this file.")
_MACHINE = flags.DEFINE_string(
    "machine", None, "What the documents call this machine; default: what it says of itself."
)


class Measurement(NamedTuple):
    """A benchmark that there is already, and what becomes of it.

    Args:
        command: without the interpreter.
        collect: makes figures of what the command printed; what else it wrote lies in build/release.
        needs: paths, glob patterns and packages (without a slash).
    """

    command: list[str]
    collect: Callable[[str], Any]
    needs: list[str]


def _patterns() -> list[str]:
    """The sets of the validation by name."""
    return [f"--data={name}={_WORDS.value}/{name}_val-*.tfrecord" for name in VALIDATION]


def _second() -> list[str]:
    """The sets of the second validation by name."""
    paths = glob.glob(f"{_WORDS.value}/second_*.tfrecord")
    names = sorted({re.sub(r"-\d+-of-\d+\.tfrecord$", "", pathlib.Path(path).name) for path in paths})
    return [f"--data={re.sub('second_(weak_)?', '', name)}={_WORDS.value}/{name}-*.tfrecord" for name in names]


def _evaluation(name: str, sets: list[str], *options: str) -> Measurement:
    folder = BUILD / name

    def collect(_: str) -> Any:
        figures = json.loads((folder / "results.json").read_text(encoding="utf-8"))
        wanted = ("words", "excluded", "unreadable", "correct", "one_minus_ned")
        figures["sets"] = {name: {key: each[key] for key in wanted} for name, each in figures["sets"].items()}
        exact = Score()
        for line in (folder / "predictions.jsonl").read_text(encoding="utf-8").splitlines():
            word = json.loads(line)
            exact.add(word["truth"], word["prediction"], "exact")
        figures["exact"] = {"words": exact.words, "correct": exact.correct}
        return {key: figures[key] for key in ("sets", "all_words", "exact", "by_length", "by_shape", "by_height")}

    command = ["bin/evaluate.py", *sets, *options, "--gallery_size=0", "--gallery_explained=0", f"--output={folder}"]
    return Measurement(command, collect, [each.split("=", 2)[2] for each in sets] or [f"{_WORDS.value}/second_*"])


def _kinds(text: str) -> Any:
    readers = json.loads((BUILD / "kinds" / "kinds.json").read_text(encoding="utf-8"))["readers"]
    return {"mean_of_kinds": {name: each["mean_of_kinds"] for name, each in readers.items()}, "text": text.strip()}


def _printed(text: str) -> Any:
    return {"text": text.strip()}


def _reading(name: str) -> Callable[[str], Any]:
    return lambda _: json.loads((BUILD / name).read_text(encoding="utf-8"))


def measurements() -> dict[str, Measurement]:
    """All of them by name, in the order in which they run."""
    words, fonts = [f"{_WORDS.value}/{name}_val-*.tfrecord" for name in VALIDATION], f"{_DATA.value}/fonts"
    lexicon, vocabulary = (
        f"{_DATA.value}/text/{name}.txt" for name in ("synth90k_lexicon", "icdar2015_generic_vocabulary")
    )
    backgrounds = f"{_DATA.value}/backgrounds"
    photos, detector = _PHOTOS.value, _DETECTOR.value
    models = [f"--model={path}" for path in (FILE, BEFORE) if os.path.exists(path)]
    quick = ["--threads=1", "--num_words=96", "--rounds=3", *(f"--data={path}" for path in words)]
    return {
        "validation": _evaluation("validation", _patterns()),
        "unturned": _evaluation("unturned", _patterns(), "--turn_tall=false"),
        "second": _evaluation("second", _second()),
        "reading": Measurement(
            ["benchmarks/reading.py", *models, *_patterns(), f"--peer_python={sys.executable}", "--threads=1"]
            + ["--rounds=2", f"--output={BUILD}/reading_figures.json"],
            _reading("reading_figures.json"),
            [*words, "rapidocr", "onnxruntime"],
        ),
        "speed": Measurement(
            ["bin/benchmark.py", *models, *quick, f"--output={BUILD}/speed_figures.json"],
            _reading("speed_figures.json"),
            words,
        ),
        "kinds": Measurement(
            ["benchmarks/kinds.py", f"--fonts={fonts}", f"--output={BUILD}/kinds"],
            _kinds,
            [fonts, "wordfreq", "rapidocr", "onnxruntime"],
        ),
        "failures": Measurement(
            ["benchmarks/failures.py", f"--fonts={fonts}", f"--lexicon={lexicon}", f"--backgrounds={backgrounds}"]
            + [f"--output={BUILD}/failures.png", f"--json={BUILD}/failures_figures.json"],
            _reading("failures_figures.json"),
            [fonts, lexicon, backgrounds],
        ),
        "decoding": Measurement(
            ["benchmarks/decoding.py", *_patterns(), f"--vocabulary={vocabulary}"],
            _printed,
            [*words, vocabulary],
        ),
        "photos": Measurement(
            ["benchmarks/photos.py", f"--data=tuning={photos}", f"--detector={detector}"],
            _printed,
            [photos, detector, "rapidocr", "onnxruntime"],
        ),
    }


def missing(needs: list[str]) -> list[str]:
    """What of a measurement's needs is not here."""
    return [
        need
        for need in needs
        if not (glob.glob(need) if os.sep in need else importlib.util.find_spec(need) is not None)
    ]


def run(command: list[str]) -> str:
    """What a command of this repository prints; its stderr is shown.

    Raises:
        RuntimeError: it failed.
    """
    print(f"$ {shlex.join(command)}", file=sys.stderr, flush=True)
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    result = subprocess.run([sys.executable, *command], stdout=subprocess.PIPE, text=True, env=environment)
    if result.returncode:
        print(result.stdout, file=sys.stderr)
        raise RuntimeError(f"a command failed with {result.returncode}. Received: {shlex.join(command)}")
    return result.stdout


def checksum(path: str | os.PathLike[str]) -> str:
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def machine() -> str:
    """Cores and processor, where Linux names it."""
    if _MACHINE.value:
        return str(_MACHINE.value)
    cpu = pathlib.Path("/proc/cpuinfo")
    names = re.findall(r"^model name\s*: (.*)$", cpu.read_text(), re.MULTILINE) if cpu.exists() else []
    return f"{num_cores()} cores of {names[0] if names else 'this machine'}"


def calibrate() -> None:
    checks = [f"--check={_WORDS.value}/{name}_val-*.tfrecord" for name in VALIDATION]
    data = f"--data={_WORDS.value}/second_*.tfrecord"
    print(run(["bin/calibrate.py", f"--model={_MODEL.value}", data, *checks]))


def export() -> None:
    from spin_tf.models import load_model

    checks = [f"--check_data={_WORDS.value}/{name}_val-*.tfrecord" for name in VALIDATION]
    command = ["bin/export_tflite.py", f"--model={_MODEL.value}", f"--output={FILE}", "--quantization=int8", *checks]
    told = run(command)
    print(told)
    parity = told.splitlines()[0].rpartition("; ")[2]
    about = {"command": shlex.join(command), "parity": parity, "parameters": load_model(_MODEL.value).count_params()}
    write_text(str(BUILD / "export.json"), json.dumps({"sha256": checksum(FILE), **about}, indent=1) + "\n")


def fetch_before() -> None:
    """Puts the file that was shipped before this one, as git knows it, beside what is built."""
    log = ["git", "log", "-n2", "--format=%H", "--", FILE]
    for commit in ["HEAD", *subprocess.run(log, capture_output=True, text=True).stdout.split()]:
        file = subprocess.run(["git", "show", f"{commit}:{FILE}"], capture_output=True).stdout
        if file and file != pathlib.Path(FILE).read_bytes():
            BEFORE.write_bytes(file)
            return
    BEFORE.unlink(missing_ok=True)


def measure() -> None:
    """Measures what was not measured of the file that is there.

    Raises:
        ValueError: --only names none of the measurements, or the validation words are not there.
        RuntimeError: a benchmark failed.
    """
    every = measurements()
    if unknown := set(_ONLY.value) - every.keys():
        raise ValueError(f"Measurements are {', '.join(every)}. Received: only={','.join(sorted(unknown))}")
    if absent := missing(every["validation"].needs):
        raise ValueError(f"The validation words are not there. Received: words={_WORDS.value!r}, without {absent[0]}")
    fetch_before()
    sha256, name = checksum(FILE), read_metadata(FILE)["name"]
    before = read_metadata(BEFORE)["name"] if BEFORE.exists() else None
    for key, measurement in measurements().items():
        path = BUILD / f"{key}.json"
        if _ONLY.value and key not in _ONLY.value:
            continue
        if absent := missing(measurement.needs):
            print(f"{key}: left out, its old figures stay. Missing: {', '.join(absent)}", file=sys.stderr)
            continue
        if not _AGAIN.value and path.exists() and json.loads(path.read_text())["sha256"] == sha256:
            continue
        figures = measurement.collect(run(measurement.command))
        entry = {
            "sha256": sha256,
            "model": name,
            "before": before,
            # Not where this interpreter lies.
            "command": shlex.join(measurement.command).replace(sys.executable, "python"),
            "machine": machine(),
            "date": str(datetime.date.today()),
            "figures": figures,
        }
        write_text(str(path), json.dumps(entry, indent=1, ensure_ascii=False) + "\n")


def about_file() -> dict[str, Any]:
    """What the exported file says of itself."""
    from ai_edge_litert.interpreter import Interpreter

    metadata = read_metadata(FILE)
    return {
        "name": metadata["name"],
        "sha256": checksum(FILE),
        "bytes": os.path.getsize(FILE),
        "signatures": list(Interpreter(FILE).get_signature_list()),
        "charset": {"name": metadata["charset"]["name"], "characters": metadata["charset"]["characters"]},
        **{key: metadata.get(key) for key in ("max_length", "image_size", "wide_image_size", "quantization")},
        "preprocessing": metadata.get("preprocessing", 1),
        "temperature": metadata.get("temperature", 1.0),
    }


def write() -> None:
    """Writes exported/results.json and the documents.

    Raises:
        ValueError: the validation was not measured with this file, or a document has no place for its figures.
    """
    path = REPOSITORY / release_pages.RESULTS
    old = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"model": {}, "measured": {}}
    model = about_file()
    exported = BUILD / "export.json"
    for about in (json.loads(exported.read_text()) if exported.exists() else {}, old["model"].get("export", {})):
        if about.get("sha256") == model["sha256"]:
            model["export"] = about
            break
    measured = {}
    for key in measurements():
        new = BUILD / f"{key}.json"
        entry = json.loads(new.read_text(encoding="utf-8")) if new.exists() else None
        if entry and entry["sha256"] == model["sha256"]:
            measured[key] = entry
        elif key in old["measured"]:
            measured[key] = old["measured"][key]
            if measured[key]["sha256"] != model["sha256"]:
                of = f"{measured[key]['model']}, {measured[key]['date']}"
                print(f"{key}: not measured with this file; its figures are those of {of}", file=sys.stderr)
    if measured.get("validation", {}).get("sha256") != model["sha256"]:
        raise ValueError(f"The validation comes first: --steps=measure,write. Received: {FILE} of {model['name']}")
    results = {"model": model, "measured": measured}
    write_text(str(path), json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    for name in release_pages.write_pages(results):
        print(f"{name}: written anew")
    for picture, source in (("failures", BUILD / "failures.png"), ("kinds", BUILD / "kinds" / "contact.png")):
        if source.exists() and measured.get(picture, {}).get("sha256") == model["sha256"]:
            (REPOSITORY / "docs" / f"{picture}.png").write_bytes(source.read_bytes())


def main(_: list[str]) -> None:
    # Commands in documents name paths from here.
    os.chdir(REPOSITORY)
    if unknown := set(_STEPS.value) - set(STEPS):
        raise ValueError(f"Steps are {', '.join(STEPS)}. Received: steps={','.join(sorted(unknown))}")
    if {"calibrate", "export"} & set(_STEPS.value) and not (_MODEL.value and find_model(_MODEL.value).exists()):
        raise ValueError(f"Weights to calibrate and export are needed. Received: model={_MODEL.value!r}")
    BUILD.mkdir(parents=True, exist_ok=True)
    for step in (calibrate, export, measure, write):
        if step.__name__ in _STEPS.value:
            step()


if __name__ == "__main__":
    try:
        app.run(main)
    except (OSError, RuntimeError, ValueError) as problem:
        sys.exit(f"error: {problem}")
