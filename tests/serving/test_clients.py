"""The clients against an exported SavedModel, over both wire forms: the readings of a `Recognizer` of that model."""

from __future__ import annotations

import pathlib
import subprocess
import sys
from collections.abc import Iterator

import keras
import numpy as np
import pytest

from spin_tf import Recognizer
from spin_tf.export import saved_model_folder
from spin_tf.models import SPINRecognizer
from spin_tf.reading import saved_model
from spin_tf.reading.remote import RemoteRecognizer
from spin_tf.recognizer import ReadError, Word
from tests.export import image_files
from tests.reading.remote import files
from tests.reading.remote.servers import Reader, rest

# Minutes on a busy machine: the graph is traced, written, loaded and run by two servers.
pytestmark = pytest.mark.deploy

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A model that spells without having learnt it, with a character beyond the 16 bits of a UTF-16 unit."""
    keras.utils.set_random_seed(3)
    backbone = {"width": 16, "num_blocks": [1, 1, 1, 1]}
    model = SPINRecognizer(
        {"charset": "chars:a\U0001f600€字", "max_length": 4, "transformation": {"name": "none"}, "backbone": backbone}
    )
    for weight in (model.decoder.generator, model.decoder.score, model.decoder.context_kernel):
        weight.assign(8 * weight)
    path = tmp_path_factory.mktemp("models") / "spin"
    saved_model_folder.export(model, path, list(image_files.readable().values())[:8])
    return path


class SavedModelServer(Reader):
    """Answers with the graph itself."""

    def __init__(self, versions: pathlib.Path) -> None:
        super().__init__(versions)
        self.graph = saved_model.load(versions)

    def rows(self, images: list[bytes]) -> list[dict[str, object]]:
        columns = self.graph.read_files(images)
        return [{name: self._plain(values[i]) for name, values in columns.items()} for i in range(len(images))]

    @staticmethod
    def _plain(value: object) -> object:
        if isinstance(value, bytes):
            return value.decode()
        return value.item() if isinstance(value, np.generic) else value


@pytest.fixture(scope="module", params=["rest", "grpc"])
def server(request: pytest.FixtureRequest, versions: pathlib.Path) -> Iterator[str]:
    if request.param == "rest":
        with rest(SavedModelServer(versions)) as address:
            yield address
        return
    command = [sys.executable, str(REPOSITORY / "tests" / "serving" / "grpc_server.py"), f"--folder={versions}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY) as process:
        assert process.stdout and process.stdin
        yield f"grpc://127.0.0.1:{process.stdout.readline().removeprefix('port ').strip()}/spin"
        process.stdin.close()


def test_readings_of_a_saved_model(server: str, versions: pathlib.Path) -> None:
    images = [*files.encoded().values(), *files.broken().values(), *files.in_memory()]
    local = list(Recognizer(versions).read_many(images))
    remote = list(RemoteRecognizer(server, timeout=300).read_many(images))
    assert len({word.text for word in local if isinstance(word, Word)}) >= 3
    assert any("\U0001f600" in word.text for word in local if isinstance(word, Word))
    assert sum(isinstance(word, ReadError) for word in local) >= 10
    for i, (theirs, ours) in enumerate(zip(remote, local, strict=True)):
        if isinstance(ours, ReadError) or isinstance(theirs, ReadError):
            assert theirs == ours, i
            continue
        assert (theirs.text, theirs.turned, theirs.truncated) == (ours.text, ours.turned, ours.truncated), i
        assert theirs.confidence == pytest.approx(ours.confidence, abs=1e-4)
        assert [c.character for c in theirs.characters] == [c.character for c in ours.characters]
        for got, expected in zip(theirs.characters, ours.characters, strict=True):
            assert (got.confidence, got.x) == pytest.approx((expected.confidence, expected.x), abs=1e-4)
