"""deploy/tf_serving/kserve_server.py without a network: what is read together, and whose answer is whose."""

from __future__ import annotations

import asyncio
import base64
import importlib.util
import pathlib
import shutil
import subprocess
import sys
import threading
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from spin_tf import ReadError, Recognizer, Word
from spin_tf.recognizer import bundled_model
from tests.export import image_files
from tests.pages import REPOSITORY
from tests.reading.remote import files

pytestmark = pytest.mark.deploy
PROGRAM = REPOSITORY / "deploy" / "tf_serving" / "kserve_server.py"


@pytest.fixture(scope="module")
def server() -> ModuleType:
    spec = importlib.util.spec_from_file_location("kserve_server", PROGRAM)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def versions(tmp_path: pathlib.Path) -> pathlib.Path:
    (tmp_path / "1").mkdir()
    shutil.copy(bundled_model(), tmp_path / "1")
    return tmp_path


def request(*images: bytes) -> dict[str, Any]:
    return {"instances": [{"image_bytes": {"b64": base64.b64encode(image).decode()}} for image in images]}


def ask(model: Any, requests: list[dict[str, Any]]) -> list[Any]:
    """All at once; exceptions in place of answers."""

    async def together() -> list[Any]:
        return await asyncio.gather(*map(model.predict, requests), return_exceptions=True)

    return asyncio.run(together())


def test_a_file_for_litert_answers_what_a_recognizer_reads(server: ModuleType, versions: pathlib.Path) -> None:
    images = [*files.encoded().values(), *files.broken().values(), image_files.refused()["JPEG_6"][0]]
    results = list(Recognizer().read_many(images))
    model = server.SpinModel("spin", versions, 2)
    assert model.load() and model.ready
    answers = ask(model, [request(image) for image in images])
    steps = int(Recognizer().metadata["max_length"]) + 1
    for (row,), result in zip((answer["predictions"] for answer in answers), results, strict=True):
        assert len(row["character_confidences"]) == len(row["positions"]) == steps
        if isinstance(result, ReadError):
            assert (row["words"], row["valid"], row["reason"], row["confidence"]) == ("", False, result.kind, 0.0)
            continue
        assert isinstance(result, Word)
        assert (row["words"], row["valid"], row["reason"], row["turned"]) == (result.text, True, "", result.turned)
        assert row["confidence"] == pytest.approx(result.confidence, abs=1e-6)
        count = len(result.characters)
        assert row["character_confidences"][:count] == pytest.approx([c.confidence for c in result.characters])
        assert row["positions"][:count] == pytest.approx([c.x for c in result.characters])
        assert not any(row["positions"][count:])
    assert {"valid": True} in [{"valid": row["valid"]} for answer in answers for row in answer["predictions"]]
    pixels = np.random.default_rng(0).uniform(-1, 1, (*Recognizer().image_size, 1)).astype(np.float32)
    (answer,) = ask(model, [{"signature_name": "images", "instances": [{"image": pixels.tolist()}]}])
    expected = Recognizer().model.predict_words(pixels[None])[1][0]
    np.testing.assert_allclose(answer["predictions"][0]["positions"], expected, atol=1e-5)


def test_what_waits_is_read_together_and_everyone_gets_their_own(server: ModuleType) -> None:
    sizes: list[int] = []
    gate = threading.Event()

    class Echo:
        def __init__(self) -> None:
            self.signatures = {"serving_default": {"image_bytes": server.Input((), None)}}

        def read(self, signature: str, inputs: dict[str, list[Any]]) -> dict[str, np.ndarray]:
            sizes.append(len(inputs["image_bytes"]))
            # The first one stays until all others wait.
            assert gate.wait(60)
            if b"bad" in inputs["image_bytes"]:
                raise RuntimeError("this one")
            return {"words": np.array([image.decode() for image in inputs["image_bytes"]], object)}

    model = server.SpinModel("spin", pathlib.Path("."), 1)
    model._version = Echo()

    async def together() -> list[Any]:
        asking = [asyncio.ensure_future(model.predict(request(*images))) for images in batches]
        await asyncio.sleep(0.2)
        gate.set()
        return await asyncio.gather(*asking, return_exceptions=True)

    batches = [[b"first"], *([f"{i}".encode()] for i in range(40)), [b"a"] * 3, [b"b"] * 100, [b"last"]]
    answers = asyncio.run(together())
    for images, answer in zip(batches, answers, strict=True):
        assert [row["words"] for row in answer["predictions"]] == [image.decode() for image in images]
    # One alone, then as many as go together; a large request by itself.
    assert sizes == [1, server._MAX_BATCH, 12, 100] and sum(sizes) == sum(map(len, batches))

    # What fails with a batch is told to those of the batch alone, and the next one is read.
    batches = [[b"bad"], [b"good"]]
    gate.set()
    assert isinstance(ask(model, [request(b"bad")])[0], RuntimeError)
    assert ask(model, [request(b"good")])[0]["predictions"] == [{"words": "good"}]


def test_who_has_gone_holds_up_nobody(server: ModuleType, versions: pathlib.Path) -> None:
    model = server.SpinModel("spin", versions, 1)
    assert model.load()
    image = next(iter(files.encoded().values()))

    async def cancel_one() -> Any:
        asking = [asyncio.ensure_future(model.predict(request(image))) for _ in range(6)]
        await asyncio.sleep(0)
        asking[0].cancel()
        asking[3].cancel()
        return await asyncio.gather(*asking, return_exceptions=True)

    answers = asyncio.run(cancel_one())
    assert [isinstance(answer, asyncio.CancelledError) for answer in answers] == [
        True,
        False,
        False,
        True,
        False,
        False,
    ]
    assert ask(model, [request(image)])[0] == answers[1]


def test_a_version_that_is_neither_is_named(server: ModuleType, tmp_path: pathlib.Path) -> None:
    (tmp_path / "7").mkdir()
    with pytest.raises(ValueError, match=r"a SavedModel or one \.tflite file\. Received: .*7 with 0 files"):
        server.SpinModel("spin", tmp_path, 1).load()


def test_a_file_for_litert_is_served_without_tensorflow(versions: pathlib.Path) -> None:
    code = (
        f"import sys, pathlib; sys.path.insert(0, {str(PROGRAM.parent)!r}); sys.modules['tensorflow'] = None\n"
        f"import kserve_server; model = kserve_server.SpinModel('spin', pathlib.Path({str(versions)!r}), 1)\n"
        "print(model.load(), 'keras' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True)
    assert result.stdout.split() == ["version", "1", "answers", "True", "False"], result.stderr
