"""What a run keeps and takes: the characters of its charset, a folder alone, weights that fit, files that are whole."""

from __future__ import annotations

import io
import json
import os
import random
import shutil
import subprocess
import sys
import zipfile

import keras
import numpy as np
import pytest

from spin_tf import config as config_module
from spin_tf.charset import Charset
from spin_tf.config import ModelConfig
from spin_tf.models import SPINRecognizer, load_model
from spin_tf.models.loading import save_weights
from spin_tf.training.initialize import start_from
from tests.training import tiny


def test_a_run_keeps_the_characters_of_a_charset_file(tmp_path, monkeypatch):
    """Edited, moved or gone since: the run's own configuration says what its classes are."""
    (tmp_path / "c.txt").write_text("abc\n")
    monkeypatch.chdir(tmp_path)
    config = tiny.config(tmp_path, "model.charset=file:c.txt")
    run = str(tmp_path / "run")
    tiny.claimed(run, config).release()
    (tmp_path / "run" / "checkpoint-00000002.npz").write_bytes(b"")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    kept = config_module.load(f"{run}/config.yaml")
    assert kept == config and Charset.from_spec(kept.model.charset).characters == "abc"
    tiny.claimed(run, kept).release()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "c.txt").write_text("abd\n")
    with pytest.raises(ValueError, match=r"model\.charset was 'chars:abc', is 'chars:abd'"):
        tiny.claimed(run, tiny.config(tmp_path, "model.charset=file:c.txt"))
    (tmp_path / "c.txt").unlink()
    tiny.claimed(run, kept).release()


def test_any_characters_come_back_from_the_file(tmp_path):
    """Quotes, interpolations, backslashes, spaces, line separators and other alphabets, in any order."""
    rng = random.Random(0)
    special = list("${}\\:#'\"-*&!|>%@`,[]? \t\n\r\0\x85\u2028\ufeffÄéяΩ漢\U0001f600") + ["~", "a", "0", "."]
    path = str(tmp_path / "c.yaml")
    for _ in range(150):
        characters = "".join(rng.sample(special, rng.randrange(1, len(special))))
        config_module.save(ModelConfig(charset=f"chars:{characters}"), path)
        assert config_module.load(path).model.charset == Charset(characters).spec, repr(characters)
    for name in ("36", "62", "68", "94"):
        assert Charset.from_spec(Charset.from_spec(name).spec) == Charset.from_spec(name)


def test_two_runs_in_one_folder_are_refused(tmp_path):
    run = str(tmp_path / "run")
    first = tiny.claimed(run, tiny.config(tmp_path))
    partial = tmp_path / "run" / ".partial-1-checkpoint-00000002.npz"
    partial.write_bytes(b"being written")
    with pytest.raises(ValueError, match=f"another training runs.*process {os.getpid()} on .*--model_dir={run}"):
        tiny.claimed(run, tiny.config(tmp_path))
    assert partial.exists()
    # However its name is written, and from another process.
    code = (
        "import sys; from spin_tf.training import folder; from tests.training import tiny; import pathlib\n"
        "try: tiny.claimed(sys.argv[1], tiny.config(pathlib.Path(sys.argv[2])))\n"
        "except ValueError as error: print(error)"
    )
    line = [sys.executable, "-c", code, f"{tmp_path}/./run", str(tmp_path)]
    assert "another training runs" in subprocess.run(line, capture_output=True, text=True).stdout
    first.release()
    tiny.claimed(run, tiny.config(tmp_path)).release()
    assert not partial.exists()


def test_a_start_of_which_little_fits_must_be_wanted(tmp_path):
    values = tiny.VALUES["model"]
    keras.utils.set_random_seed(0)
    SPINRecognizer(values).save(str(tmp_path / "small.keras"))
    told = start_from(str(tmp_path / "small.keras"), SPINRecognizer({**values, "charset": "94"}))
    assert "100% of" in told and "afresh" not in told
    other = {**values, "backbone": {"width": 32, "num_blocks": [1, 1, 1, 1]}}
    with pytest.raises(ValueError, match=r"training\.init_from.* fit; .* start afresh.*training\.init_partly=true"):
        start_from(str(tmp_path / "small.keras"), SPINRecognizer(other))
    assert "start afresh" in start_from(str(tmp_path / "small.keras"), SPINRecognizer(other), partly=True)
    with pytest.raises(FileNotFoundError, match=r"training\.init_from: there is no such model"):
        start_from(str(tmp_path / "absent.keras"), SPINRecognizer(values))
    assert "pixels" not in told
    wider = start_from(str(tmp_path / "small.keras"), SPINRecognizer({**values, "image_size": [32, 48]}))
    assert "100%" in wider and "trained on images of 32 x 32 pixels, not 32 x 48" in wider


def test_the_dry_run_looks_at_all_that_the_run_takes(tmp_path):
    """init_from, and words that cannot be read: told before the run, with the key, not by a traceback."""
    import tensorflow as tf

    from spin_tf.data.records.tfrecord import ShardWriter, WordExample
    from spin_tf.training.dry_run import dry_run

    def told(*overrides):
        return list(dry_run(tiny.config(tmp_path, *overrides), str(tmp_path / "run"), tf.distribute.get_strategy()))

    SPINRecognizer(tiny.VALUES["model"]).save(str(tmp_path / "small.keras"))
    init = f"training.init_from={tmp_path}/small.keras"
    assert any("training.init_from" in line and "100% of" in line for line in told(init))
    with pytest.raises(ValueError, match=r"init_partly=true"):
        told(init, "model.backbone.width=32")
    with pytest.raises(FileNotFoundError, match=r"training\.init_from"):
        told("training.init_from=absent")
    with ShardWriter(str(tmp_path / "broken"), 1) as writer:
        writer.write(WordExample(tiny.draw("ab")[:-30], "ab", "a/1", "png"))
        writer.write(WordExample(b"II*\0 no tiff", "ab", "a/2", "tiff"))
    with pytest.raises(ValueError, match=r"cannot be read.*data\.train\.b, .*broken.*source id a/"):
        told(f"data.train={{b: {{files: ['{tmp_path}/broken-*']}}}}")
    assert not (tmp_path / "run").exists()


def rezip(path, change):
    """Rewrites the members of a zip file by `change(name, data)`; None leaves one out."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            changed = change(name, data)
            if changed is not None:
                archive.writestr(name, changed)


KERAS_DAMAGE = {
    "no config": lambda name, data: None if name == "config.json" else data,
    "no weights": lambda name, data: None if name.endswith(".h5") else data,
    "weights of nothing": lambda name, data: b"" if name.endswith(".h5") else data,
    "class that is gone": lambda name, data: data.replace(b"SPINRecognizer", b"GoneRecognizer"),
    "other class": lambda name, data: data.replace(b"SPINRecognizer", b"Layer"),
    "config of a list": lambda name, data: b"[1]" if name == "config.json" else data,
    "config of null": lambda name, data: b"null" if name == "config.json" else data,
    "config cut off": lambda name, data: data[:100] if name == "config.json" else data,
    "another width": lambda name, data: data.replace(b'"width": 16', b'"width": 32') if name == "config.json" else data,
    "wrong types": lambda name, data: data.replace(b'"width": 16', b'"width": "x"') if name == "config.json" else data,
    "unknown key": lambda name, data: data.replace(b'"width"', b'"breadth"') if name == "config.json" else data,
}


def test_damaged_models_are_value_errors_of_one_line(tmp_path):
    whole = tmp_path / "whole.keras"
    SPINRecognizer(tiny.VALUES["model"]).save(str(whole))
    load_model(whole)
    path = tmp_path / "damaged.keras"
    for name, change in KERAS_DAMAGE.items():
        shutil.copyfile(whole, path)
        rezip(path, change)
        with pytest.raises(ValueError, match="Received: ") as caught:
            load_model(path)
        assert str(path) in str(caught.value), name
    data = whole.read_bytes()
    for size in (0, 10, len(data) // 2, len(data) - 30):
        path.write_bytes(data[:size])
        with pytest.raises(ValueError, match="Received: "):
            load_model(path)


def npy(shape, dtype="<f2"):
    """The header of an array that claims any size, and little after it."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"shape": shape, "fortran_order": False, "descr": dtype})
    return stream.getvalue() + b"\0" * 64


def test_damaged_weights_are_value_errors_of_one_line(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    config_module.save(tiny.config(tmp_path), str(run / "config.yaml"))
    model = SPINRecognizer(tiny.config(tmp_path).model)
    (path,) = save_weights(str(run), model)
    load_model(run)
    with open(path, "rb") as file:
        data = file.read()
    names = zipfile.ZipFile(path).namelist()
    changes = {
        "no zip": b"not a zip",
        "empty": b"",
        "cut off": data[: len(data) // 2],
        "flipped": data[:2000] + bytes(500) + data[2500:],
    }
    for name, damaged in changes.items():
        with open(path, "wb") as file:
            file.write(damaged)
        with pytest.raises(ValueError, match="Received: ") as caught:
            load_model(run)
        assert len(str(caught.value).splitlines()) == 1, name
    for array in (npy((10**12,)), npy((3,), "|O"), npy((2,), "<U9"), b"no array", npy((-1,)), b""):
        with open(path, "wb") as file:
            file.write(data)
        rezip(path, lambda name, old, array=array: array if name == names[0] else old)
        with pytest.raises(ValueError, match="Received: "):
            load_model(run)
    with open(path, "wb") as file:
        file.write(data)
    (run / "calibration.json").write_text(json.dumps([1]))
    with pytest.raises(ValueError, match="holds no temperature"):
        load_model(run)
