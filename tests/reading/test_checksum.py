"""A model that was damaged on its way is refused before LiteRT, which crashes on some of those, sees it."""

from __future__ import annotations

import io
import json
import pathlib
import time
import zipfile

import pytest

from spin_tf import Recognizer
from spin_tf.contract.metadata import METADATA_FILE, checksum_of
from spin_tf.reading import litert
from spin_tf.recognizer import bundled_model
from tests import strip_model as strips
from tests.fuzz.mutations import mutations


def with_checksum(content: bytes, checksum: bytes | None = None) -> bytes:
    """A LiteRT file with its archive written anew, as the export does."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        said = archive.read(METADATA_FILE)
        flatbuffer = content[: min(info.header_offset for info in archive.infolist())]
    stream = io.BytesIO()
    stream.write(flatbuffer)
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as archive:
        info = zipfile.ZipInfo(METADATA_FILE)
        info.comment = checksum_of(flatbuffer) if checksum is None else checksum
        archive.writestr(info, said)
    return stream.getvalue()


def test_a_whole_file_is_read(strip_model: pathlib.Path, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "whole.tflite"
    path.write_bytes(with_checksum(strip_model.read_bytes()))
    assert Recognizer(path).read(strips.draw("k9z")).text == "k9z"


def test_files_of_earlier_versions_have_none(strip_model: pathlib.Path) -> None:
    with zipfile.ZipFile(strip_model) as archive:
        assert archive.getinfo(METADATA_FILE).comment == b""
    assert Recognizer(strip_model).read(strips.draw("k9z")).text == "k9z"


def test_no_damage_of_the_model_reaches_litert(
    strip_model: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of a thousand such files ended the process, and others read nonsense."""
    content = with_checksum(strip_model.read_bytes())
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        size = min(info.header_offset for info in archive.infolist())
    seen: list[bytes] = []

    class Watched(litert.LiteRTInterpreter):
        def __init__(self, path: str | None = None, content: bytes | None = None) -> None:
            seen.append(pathlib.Path(str(path)).read_bytes()[:size])
            super().__init__(path, content)

    monkeypatch.setattr(litert, "LiteRTInterpreter", Watched)
    refused = 0
    path = tmp_path / "damaged.tflite"
    for mutation in mutations({"strips": content[:size]}, 300):
        if mutation.data[:size] == content[:size]:
            continue
        path.write_bytes(mutation.data + content[size:])
        with pytest.raises(ValueError):
            Recognizer(path)
        refused += 1
    assert refused > 250 and seen == []
    # What is damaged behind it leaves the model alone, or is refused as well.
    for mutation in mutations({"tail": content[size:]}, 100):
        path.write_bytes(content[:size] + mutation.data)
        try:
            Recognizer(path)
        except ValueError:
            continue
    assert set(seen) <= {content[:size]}


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 1.0])
def test_one_bit_of_the_bundled_model(share: float, tmp_path: pathlib.Path) -> None:
    content = bytearray(bundled_model().read_bytes())
    with zipfile.ZipFile(bundled_model()) as archive:
        size = min(info.header_offset for info in archive.infolist())
    content[int(share * (size - 1))] ^= 4
    path = tmp_path / "damaged.tflite"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"The model is damaged: its first \d+ bytes are not those that were written"):
        Recognizer(path)
    # What it costs: some milliseconds of a start.
    start = time.process_time()
    litert.read_metadata(bundled_model())
    assert time.process_time() - start < 1


@pytest.mark.parametrize("checksum", [b"{}", b"[1]", b'{"bytes": "x", "crc32": 0}', b"\xff", b"[" * 60_000])
def test_checksums_that_are_none(checksum: bytes, strip_model: pathlib.Path, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "odd.tflite"
    path.write_bytes(with_checksum(strip_model.read_bytes(), checksum))
    with pytest.raises(ValueError, match="The checksum of the model is damaged"):
        Recognizer(path)


def test_a_longer_model_than_there_is(strip_model: pathlib.Path, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "short.tflite"
    said = json.dumps({"bytes": 10**12, "crc32": 0}).encode()
    path.write_bytes(with_checksum(strip_model.read_bytes(), said))
    with pytest.raises(ValueError, match="The model is damaged"):
        Recognizer(path)
