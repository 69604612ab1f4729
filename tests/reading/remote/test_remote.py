"""Reading through a server: the results of a `Recognizer`, whatever is sent and whatever goes wrong on the way."""

from __future__ import annotations

import itertools
import pathlib
import pickle
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from spin_tf import Recognizer
from spin_tf.reading.remote import RemoteRecognizer, ServerError
from spin_tf.recognizer import ReadError, Word
from tests import strip_model as strips
from tests.reading.remote import files
from tests.reading.remote.servers import TRANSPORTS, Reader

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]


@pytest.fixture(params=list(TRANSPORTS))
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def reader(strip_model: pathlib.Path) -> Reader:
    return Reader(strip_model)


@pytest.fixture
def clean(reader: Reader) -> Iterator[Reader]:
    """The reader without a memory."""
    reader.plan = lambda number, size: None
    reader.requests.clear()
    reader.most_in_flight = 0
    yield reader


def words(count: int) -> list[str]:
    """Different words that the strip model reads."""
    letters = strips.CHARSET.characters
    return ["".join(word) for word in itertools.islice(itertools.product(letters[10:30], repeat=3), count)]


def pictures(count: int) -> list[bytes]:
    from PIL import Image

    return [files.encode(Image.fromarray(strips.draw(word)), "PNG") for word in words(count)]


def assert_same(remote: list[Word | ReadError], local: list[Word | ReadError]) -> None:
    """Texts, turns and reasons alike; numbers to the rounding of float32."""
    assert len(remote) == len(local)
    for theirs, ours in zip(remote, local, strict=True):
        if isinstance(ours, ReadError) or isinstance(theirs, ReadError):
            assert theirs == ours
            continue
        assert (theirs.text, theirs.turned, theirs.truncated) == (ours.text, ours.turned, ours.truncated)
        assert theirs.confidence == pytest.approx(ours.confidence, abs=1e-6)
        assert [c.character for c in theirs.characters] == [c.character for c in ours.characters]
        for got, expected in zip(theirs.characters, ours.characters, strict=True):
            assert (got.confidence, got.x) == pytest.approx((expected.confidence, expected.x), abs=1e-6)


def test_every_kind_of_image_reads_as_without_a_server(transport: str, clean: Reader, tmp_path: pathlib.Path) -> None:
    images = [*files.write_all(tmp_path), *files.encoded().values(), *files.broken().values(), *files.in_memory()]
    local = list(clean.recognizer.read_many(images))
    assert sum(isinstance(result, ReadError) for result in local) == 23
    assert any(isinstance(result, Word) and result.turned for result in local)
    with TRANSPORTS[transport](clean) as server:
        remote = RemoteRecognizer(server, batch_size=9)
        assert_same(list(remote.read_many(images)), local)
        good = [image for image, result in zip(images, local, strict=True) if isinstance(result, Word)]
        assert_same(list(remote.read(good)), [result for result in local if isinstance(result, Word)])
        assert remote.read(good[0]).text == clean.recognizer.read(good[0]).text
        assert remote.read([]) == list(remote.read_many([])) == []
        wrongs: tuple[Any, ...] = (b"", tmp_path / "absent.png", 17, np.zeros((3, 3)))
        for wrong in wrongs:
            with pytest.raises((OSError, ValueError, TypeError)) as theirs:
                remote.read(wrong)
            with pytest.raises((OSError, ValueError, TypeError)) as ours:
                clean.recognizer.read(wrong)
            assert (theirs.type, str(theirs.value)) == (ours.type, str(ours.value))
        remote.close()


def test_a_file_that_only_the_server_refuses_travels_as_png(clean: Reader) -> None:
    """Here the server takes nothing but PNG."""
    original = clean.row
    refused = []

    def row(image: bytes) -> dict[str, object]:
        if image.startswith(b"\x89PNG"):
            return original(image)
        refused.append(image)
        return original(b"")

    clean.row = row  # type: ignore[method-assign]
    jpeg, png = files.encoded()["jpeg_colour"], files.encoded()["png_colour"]
    try:
        with TRANSPORTS["rest"](clean) as server:
            results = list(RemoteRecognizer(server).read_many([jpeg, png, jpeg]))
        assert refused == [jpeg, jpeg]
        assert_same(results, list(clean.recognizer.read_many([jpeg, png, jpeg])))
        clean.row = lambda image: original(b"")  # type: ignore[method-assign]
        with TRANSPORTS["rest"](clean) as server:
            remote = RemoteRecognizer(server)
            assert list(remote.read_many([jpeg])) == [ReadError("InvalidArgumentError")]
            with pytest.raises(ValueError, match="server cannot read the image: InvalidArgumentError"):
                remote.read(jpeg)
    finally:
        clean.row = original  # type: ignore[method-assign]


def test_requests_are_bounded_and_several_at_once(transport: str, clean: Reader) -> None:
    images = pictures(150)
    largest = max(map(len, images))
    clean.plan = lambda number, size: "slow0.01"
    with TRANSPORTS[transport](clean) as server:
        remote = RemoteRecognizer(server, num_requests=3, batch_size=10, max_request_bytes=4 * largest)
        results = list(remote.read_many(images))
    assert [result.text for result in results if isinstance(result, Word)] == words(150)
    assert all(len(request) <= 10 for request in clean.requests)
    assert all(sum(map(len, request)) <= 4 * largest for request in clean.requests)
    assert any(len(request) > 1 for request in clean.requests)
    assert sorted(image for request in clean.requests for image in request) == sorted(images)
    assert 1 < clean.most_in_flight <= 3


def test_a_stream_is_read_as_it_comes(clean: Reader) -> None:
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        for image in itertools.cycle(pictures(20)):
            taken += 1
            yield image

    with TRANSPORTS["rest"](clean) as server:
        remote = RemoteRecognizer(server, num_requests=2, batch_size=5)
        results = list(itertools.islice(remote.read_many(endless()), 20))
        assert [result.text for result in results if isinstance(result, Word)] == words(20)
        assert taken <= 20 + 4 * 5
        # Images in memory count by their bytes: none of these waits together with another one.
        taken = 0
        stream = RemoteRecognizer(server, num_requests=2, max_request_bytes=1).read_many(endless())
        next(stream)
        assert taken <= 5
        stream.close()  # type: ignore[attr-defined]


PASSING = {
    "rest": ["503", "502", "429", "drop", "drop in the middle", "closes", "closes silently", "slow0.05"],
    "grpc": ["UNAVAILABLE", "RESOURCE_EXHAUSTED", "CANCELLED", "slow0.05"],
}


@pytest.mark.parametrize(
    ("transport", "fault"), [(name, fault) for name, faults in PASSING.items() for fault in faults]
)
def test_faults_that_pass(transport: str, fault: str, clean: Reader) -> None:
    """Every other request fails once or twice; each image is answered once, in order."""
    failing = {0, 1, 3, 5}
    clean.plan = lambda number, size: fault if number in failing else None
    with TRANSPORTS[transport](clean) as server:
        remote = RemoteRecognizer(server, num_requests=2, batch_size=4)
        results = list(remote.read_many(pictures(24)))
    assert [result.text for result in results if isinstance(result, Word)] == words(24)
    again = fault not in ("closes", "closes silently", "slow0.05")
    assert len(clean.requests) == 6 + (len(failing) if again else 0)


FINAL = {
    "rest": [
        ("400", "HTTP 400: says 400"),
        ("404", "HTTP 404: says 404"),
        ("504", "HTTP 504: says 504"),
        ("html 500", "HTTP 500: <html> <h1>Internal error</h1>..."),
        ("html 200", "the answer is no JSON with predictions: <html><body> <h1>Welcome</h1>..."),
        ("no predictions", "the answer is no JSON with predictions"),
        ("one too many", "5 predictions for 4 images"),
        ("one too few", "3 predictions for 4 images"),
        ("other outputs", "not with the outputs of a SavedModel"),
        ("slow1.5", "no answer within 0.5 s"),
        ("drip", "no answer within 0.5 s"),
    ],
    "grpc": [
        ("INVALID_ARGUMENT", "INVALID_ARGUMENT: says INVALID_ARGUMENT"),
        ("INTERNAL", "INTERNAL: says INTERNAL"),
        ("one too many", "5 predictions for 4 images"),
        ("one too few", "3 predictions for 4 images"),
        ("other outputs", "not with the outputs of a SavedModel"),
        ("unequal outputs", "no batch of readings"),
        ("slow1.5", "no answer within 0.5 s"),
    ],
}


@pytest.mark.parametrize(
    ("transport", "fault", "message"), [(name, *case) for name, cases in FINAL.items() for case in cases]
)
def test_faults_that_do_not_pass(transport: str, fault: str, message: str, clean: Reader) -> None:
    """What came before is answered, the server is named, nothing is asked again."""
    clean.plan = lambda number, size: fault if number == 2 else None
    with TRANSPORTS[transport](clean) as server:
        remote = RemoteRecognizer(server, timeout=0.5, num_requests=1, batch_size=4)
        stream = remote.read_many(pictures(24))
        results = []
        with pytest.raises(ServerError) as error:
            for result in stream:
                results.append(result)
        assert [result.text for result in results if isinstance(result, Word)] == words(8)
        assert message.rstrip(".") in str(error.value)
        assert str(error.value).startswith("The server cannot be used: ")
        assert str(error.value).endswith(f". Received: server={server}")
        assert len(str(error.value)) < 600
        assert clean.requests.count(clean.requests[2]) == 1
        assert len(clean.requests) <= 4
        # The same object goes on once the server is well again.
        assert remote.read(pictures(1)[0]).text == words(1)[0]


def test_an_unknown_model_and_an_unknown_version(transport: str, clean: Reader) -> None:
    unknown = pytest.raises(ServerError, match=r"(Could not find any versions|Servable not found)")
    with TRANSPORTS[transport](clean) as server, unknown:
        RemoteRecognizer(server.replace("spin", "other")).read(pictures(1)[0])
    assert clean.requests == []


def test_nobody_listens(transport: str) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        server = f"http://127.0.0.1:{port}/v1/models/spin" if transport == "rest" else f"grpc://127.0.0.1:{port}/spin"
        remote = RemoteRecognizer(server, retry_seconds=0.5)
        start = time.monotonic()
        with pytest.raises(ServerError, match=r"(?i)connection refused.*\(after [2-9] tries\)\. Received: server="):
            list(remote.read_many(pictures(200)))
        assert time.monotonic() - start < 10
        # What is wrong with the images is known all the same.
        assert list(remote.read_many([b"", b"x"])) == list(Recognizer().read_many([b"", b"x"]))


def test_a_request_that_is_too_large_is_divided(transport: str, clean: Reader) -> None:
    if transport == "rest":
        # As a proxy in front of it would, without a limit that both sides could know.
        clean.plan = lambda number, size: "413" if size > 3 else None
        images = pictures(20)
    else:
        # grpc itself takes 4 MiB: nine incompressible pictures of 1.2 MB are more.
        random = np.random.default_rng(0)
        images = [random.integers(0, 256, (400, 1000, 3), np.uint8) for _ in range(9)]  # type: ignore[misc]
    with TRANSPORTS[transport](clean) as server:
        remote = RemoteRecognizer(server, batch_size=20, max_request_bytes=2**30)
        assert_same(list(remote.read_many(images)), list(clean.recognizer.read_many(images)))
        clean.plan = lambda number, size: "413" if transport == "rest" else None
        huge = np.random.default_rng(1).integers(0, 256, (1500, 1000, 3), np.uint8)
        (result,) = remote.read_many([huge])
        assert isinstance(result, ReadError)
        assert result.reason.startswith("The server does not take an image of 4")


def test_pickled(clean: Reader) -> None:
    with TRANSPORTS["rest"](clean) as server:
        copy = pickle.loads(pickle.dumps(RemoteRecognizer(server, timeout=7, batch_size=3)))
        assert (copy.server, copy.timeout, copy.batch_size) == (server, 7, 3)
        assert copy.read(pictures(1)[0]).text == words(1)[0]


@pytest.mark.parametrize(
    "server",
    [
        "localhost:8501",
        "http://localhost:8501",
        "ftp://localhost/spin",
        "grpc://localhost:8500",
        "grpc://localhost:8500/spin/latest",
        "http://user:secret@localhost/v1/models/spin",
        "http://localhost:85010000/v1/models/spin",
        "http:///v1/models/spin",
        "http://localhost/v1/models/spin?x=1",
    ],
)
def test_addresses_that_are_none(server: str) -> None:
    with pytest.raises(ValueError, match=r"Received: server="):
        RemoteRecognizer(server)


@pytest.mark.parametrize("name", ["timeout", "num_requests", "batch_size", "max_request_bytes"])
def test_numbers_out_of_range(name: str) -> None:
    with pytest.raises(ValueError, match=f"Received: {name}=0"):
        RemoteRecognizer("http://localhost/v1/models/spin", **{name: 0})  # type: ignore[arg-type]


def test_core_install_reads_through_rest_and_names_the_extra_of_grpc(clean: Reader, tmp_path: pathlib.Path) -> None:
    (tmp_path / "word.png").write_bytes(pictures(1)[0])
    program = (
        "import sys\n"
        "for name in ('tensorflow', 'keras', 'grpc', 'tensorflow_serving'):\n"
        "    sys.modules[name] = None\n"
        "from spin_tf.cli import _run, recognize\n"
        "_run.run(recognize.main)\n"
    )

    def run(server: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", program, f"--server={server}", str(tmp_path / "word.png")]
        return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)

    with TRANSPORTS["rest"](clean) as server:
        result = run(server)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.split("\t")[1] == words(1)[0]
    missing = run("grpc://localhost:8500/spin")
    assert missing.returncode == 2
    assert missing.stderr.startswith('error: Reading through gRPC needs grpc: pip install "spin-tf[serving]"')
