"""bin/recognize.py --server: what a user sees is what they see without it."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import pytest

from tests.reading.remote import files
from tests.reading.remote.servers import TRANSPORTS, Reader
from tests.reading.remote.test_remote import pictures, words

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


def recognize(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(REPOSITORY / "bin" / "recognize.py"), *map(str, arguments)]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def reader(strip_model: pathlib.Path) -> Reader:
    return Reader(strip_model)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_output_order_exit_code_and_error_lines(
    transport: str, reader: Reader, strip_model: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    paths = [path for path in files.write_all(tmp_path) if not path.is_dir()]
    local = recognize(f"--model={strip_model}", *paths)
    assert local.returncode == 1
    assert len(local.stdout.splitlines()) > 50
    # Nine that cannot be read, and two of which only the first frame is.
    assert len(local.stderr.splitlines()) == 11
    local_json = recognize(f"--model={strip_model}", "--format=jsonl", *paths)
    with TRANSPORTS[transport](reader) as server:
        remote = recognize(f"--server={server}", *paths)
        remote_json = recognize(f"--server={server}", "--format=jsonl", *paths)
        alone = recognize(f"--server={server}", tmp_path / "jpeg_grey.png")
    assert (remote.returncode, remote.stderr) == (1, local.stderr)
    assert remote.stdout == local.stdout
    for theirs, ours in zip(remote_json.stdout.splitlines(), local_json.stdout.splitlines(), strict=True):
        got, expected = json.loads(theirs), json.loads(ours)
        assert [(c["character"], pytest.approx(c["x"])) for c in expected["characters"]] == [
            (c["character"], c["x"]) for c in got["characters"]
        ]
        assert got["confidence"] == pytest.approx(expected["confidence"])
        assert (got["path"], got["text"], got["turned"]) == (expected["path"], expected["text"], expected["turned"])
        assert list(got) == list(expected)
    assert (alone.returncode, alone.stderr) == (0, "")


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_server_that_dies_is_named_once(transport: str, reader: Reader, tmp_path: pathlib.Path) -> None:
    """Everything up to some file is answered, in order; then one line names the server."""
    (tmp_path / "words").mkdir()
    for i, picture in enumerate(pictures(400)):
        (tmp_path / "words" / f"{i:03d}.png").write_bytes(picture)
    dead = "drop" if transport == "rest" else "UNAVAILABLE"
    reader.plan = lambda number, size: dead if number >= 4 else None
    reader.requests.clear()
    with TRANSPORTS[transport](reader) as server:
        result = recognize(f"--server={server}", "--server_retry_seconds=0.5", tmp_path / "words")
    reader.plan = lambda number, size: None
    assert result.returncode == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: The server cannot be used: ")
    assert line.endswith(f"tries). Received: server={server}")
    answered = [line.split("\t")[1] for line in result.stdout.splitlines()]
    assert answered == words(400)[: len(answered)]
    assert len(answered) <= 4 * 32


def test_mistakes_are_one_line(tmp_path: pathlib.Path) -> None:
    picture = tmp_path / "word.png"
    picture.write_bytes(pictures(1)[0])
    server = "--server=http://127.0.0.1:1/v1/models/spin"
    for arguments, message in [
        ((server, "--model=x.tflite", picture), "--model does not go with --server"),
        ((server, "--turn_tall=false", picture), "--turn_tall does not go with --server"),
        ((server, f"--save_rectified={tmp_path}", picture), "--save_rectified does not go with --server"),
        (("--server=localhost:8501", picture), "http://HOST:8501/v1/models/NAME"),
        ((server, "--server_requests=0", picture), "num_requests must be at least 1"),
        ((server, "--server_retry_seconds=0", picture), "Connection refused"),
    ]:
        result = recognize(*arguments)
        assert (result.returncode, result.stdout) == (2, "")
        (line,) = result.stderr.splitlines()
        assert line.startswith("error: ")
        assert message in line
    assert "--server" in recognize("--help").stdout
