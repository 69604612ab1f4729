"""bin/recognize.py as a user runs it."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image

from spin_tf.charset import Charset
from spin_tf.cli._lines import format_word
from spin_tf.contract.word import Word
from tests import forked
from tests import strip_model as strips
from tests.fuzz.images import image_seeds

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


def recognize(*arguments: object, cwd: pathlib.Path = REPOSITORY) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(REPOSITORY / "bin" / "recognize.py"), *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


def save(path: pathlib.Path, word: str) -> pathlib.Path:
    Image.fromarray(strips.draw(word)).save(path)
    return path


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    """A folder of three words, the labels beside them, and a folder inside."""
    folder = tmp_path / "words"
    folder.mkdir()
    for name, word in [("b.PNG", "two"), ("a.jpg", "one"), ("c.tiff", "3")]:
        Image.fromarray(strips.draw(word)).save(folder / name, quality=98)
    (folder / "labels.txt").write_text("a.jpg\tone\n")
    (folder / ".hidden.png").write_bytes(b"left by a file manager")
    (folder / "more.png").mkdir()
    return folder


def test_text_lines_in_the_order_given(strip_model: pathlib.Path, folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    last, first = save(tmp_path / "last.png", "last"), save(tmp_path / "first.png", "1st")
    result = recognize(last, folder, first, f"--model={strip_model}")
    assert result.returncode == 0
    assert result.stderr == ""
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    paths = [str(path) for path in (last, folder / "a.jpg", folder / "b.PNG", folder / "c.tiff", first)]
    assert [line[:2] for line in lines] == [
        list(p) for p in zip(paths, ["last", "one", "two", "3", "1st"], strict=True)
    ]
    assert all(len(line) == 3 and 0.5 < float(line[2]) <= 1 for line in lines)


def test_relative_paths_stay_as_given(strip_model: pathlib.Path, folder: pathlib.Path) -> None:
    result = recognize("words", "words/b.PNG", f"--model={strip_model}", cwd=folder.parent)
    assert [line.split("\t")[0] for line in result.stdout.splitlines()] == [
        "words/a.jpg",
        "words/b.PNG",
        "words/c.tiff",
        "words/b.PNG",
    ]


def test_jsonl_has_the_characters(strip_model: pathlib.Path, folder: pathlib.Path) -> None:
    result = recognize(f"--model={strip_model}", "--format=jsonl", folder)
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert [record["text"] for record in records] == ["one", "two", "3"]
    assert set(records[0]) == {
        "path",
        "text",
        "confidence",
        "characters",
        "turned",
        "truncated",
        "alternatives",
        "reason",
    }
    assert [(c["character"], c["x"]) for c in records[1]["characters"]] == [("t", 0.125), ("w", 0.375), ("o", 0.625)]
    assert all(0 < c["confidence"] <= 1 for record in records for c in record["characters"])


def test_unreadable_files_go_to_stderr(strip_model: pathlib.Path, folder: pathlib.Path) -> None:
    (folder / "broken.png").write_bytes((folder / "b.PNG").read_bytes()[:40])
    result = recognize(f"--model={strip_model}", folder, folder / "absent.png", folder / "labels.txt")
    assert result.returncode == 1
    assert [line.split("\t")[1] for line in result.stdout.splitlines()] == ["one", "two", "3"]
    errors = result.stderr.splitlines()
    assert [line.split(": ")[0] for line in errors] == [
        str(folder / name) for name in ("broken.png", "absent.png", "labels.txt")
    ]
    assert "No such file" in errors[1]
    assert "Not an image" in errors[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name the image files"),
        (["--model=absent.tflite", "word.png"], "no such model"),
        (["--model=setup.cfg", "word.png"], "carries no spin_tf.json"),
        (["tests/cli"], "holds no image files"),
        (["--model=", "word.png"], "--model is empty"),
        (["--save_rectified=", "word.png"], "--save_rectified is empty"),
        (["--format=xml", "word.png"], "--format"),
        (["--turn_tall=perhaps", "word.png"], "--turn_tall"),
        (["--turn=down", "word.png"], "--turn"),
    ],
)
def test_mistakes_are_one_line(arguments: list[str], message: str) -> None:
    result = recognize(*arguments)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_an_unknown_flag_is_no_traceback() -> None:
    result = recognize("--modell=x", "word.png")
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert "Unknown command line flag 'modell'" in result.stderr
    assert "Traceback" not in result.stderr


def test_help_tells_of_the_command() -> None:
    result = recognize("--help")
    assert (result.returncode, result.stderr) == (0, "")
    assert "Reads word images" in result.stdout
    assert "--save_rectified" in result.stdout


def test_a_reader_that_stops_early(strip_model: pathlib.Path, tmp_path: pathlib.Path) -> None:
    path = save(tmp_path / ("long name " * 10 + ".png"), "word")
    command = f'"$0" bin/recognize.py --model="$1" {" ".join(["$2"] * 2000)} | head -n 1; exit "${{PIPESTATUS[0]}}"'
    command = command.replace("$2", '"$2"')
    result = subprocess.run(
        ["bash", "-c", command, sys.executable, str(strip_model), str(path)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.count("\n") == 1


def test_names_that_are_not_utf_8(strip_model: pathlib.Path, tmp_path: pathlib.Path) -> None:
    name = b"caf\xe9.png"
    (tmp_path / "plain.png").write_bytes(save(tmp_path / "plain.png", "cafe").read_bytes())
    path = str(tmp_path).encode() + b"/" + name
    with open(path, "wb") as file:
        file.write((tmp_path / "plain.png").read_bytes())
    result = subprocess.run(
        [sys.executable, "bin/recognize.py", f"--model={strip_model}", path, path + b"x"],
        cwd=REPOSITORY,
        capture_output=True,
    )
    assert result.stdout.startswith(path + b"\tcafe\t")
    assert result.returncode == 1
    assert b"No such file" in result.stderr


def test_one_bad_argument_does_not_end_the_others(strip_model: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """Whatever an argument is, it is told in its place, and the good ones are read."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "only text").mkdir()
    (tmp_path / "only text" / "labels.txt").write_text("x")
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere")
    with open(tmp_path / "huge.png", "wb") as file:
        file.truncate(3 << 30)
    bad = [
        "empty",
        "only text",
        "pipe.png",
        "loop.png",
        "gone.png",
        "huge.png",
        "x" * 300,
        "x/" * 3000 + "y",
        "/dev/zero",
    ]
    first, last = save(tmp_path / "first.png", "1st"), save(tmp_path / "last.png", "last")
    paths = [str(tmp_path / name) if not name.startswith("/") else name for name in bad]
    result = recognize(f"--model={strip_model}", first, *paths, last)
    assert result.returncode == 1
    assert [line.split("\t")[1] for line in result.stdout.splitlines()] == ["1st", "last"]
    errors = result.stderr.splitlines()
    assert [line.split(": ")[0] for line in errors] == paths
    assert "holds no image files" in errors[0] and "holds no image files" in errors[1]
    assert "named pipe" in errors[2] and "bytes" in errors[5] and "a device" in errors[8]


def test_a_folder_with_a_pipe_in_it(strip_model: pathlib.Path, folder: pathlib.Path) -> None:
    os.mkfifo(folder / "b2.png")
    result = recognize(f"--model={strip_model}", folder)
    assert result.returncode == 1
    assert [line.split("\t")[1] for line in result.stdout.splitlines()] == ["one", "two", "3"]
    assert "b2.png: Only regular files are read, and this is a named pipe" in result.stderr


ODD_NAMES = [
    "tab\there.png",
    "line\nend.png",
    "return\r.png",
    "back\\slash.png",
    "esc\x1b[31m.png",
    "caf\udce9.png",
    "é.png",
]


def test_odd_names_stay_in_one_piece(strip_model: pathlib.Path, tmp_path: pathlib.Path) -> None:
    for number, name in enumerate(ODD_NAMES):
        save(tmp_path / name, f"w{number}")
        (tmp_path / name.replace(".png", ".broken.png")).write_bytes(b"broken")
    for output_format in ("text", "jsonl"):
        result = subprocess.run(
            [sys.executable, "bin/recognize.py", f"--model={strip_model}", f"--format={output_format}", str(tmp_path)],
            cwd=REPOSITORY,
            capture_output=True,
        )
        assert result.returncode == 1
        lines = result.stdout.split(b"\n")[:-1]
        assert len(lines) == result.stderr.count(b"\n") == len(ODD_NAMES)
        assert b"\x1b" not in result.stdout + result.stderr and b"\r" not in result.stdout + result.stderr
        if output_format == "jsonl":
            records = [json.loads(line.decode("utf-8")) for line in lines]
            found = {record["path"]: record["text"] for record in records}
            assert "é".encode() in result.stdout
        else:
            found = {}
            for line in lines:
                path, text, _ = line.split(b"\t")
                escapes = [(b"\\t", b"\t"), (b"\\n", b"\n"), (b"\\r", b"\r"), (b"\\x1b", b"\x1b"), (b"\\\\", b"\\")]
                for shown, meant in escapes:
                    path = path.replace(shown, meant)
                found[os.fsdecode(path)] = text.decode()
        assert found == {str(tmp_path / name): f"w{number}" for number, name in enumerate(ODD_NAMES)}


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8", "utf-16"])
@pytest.mark.parametrize("output_format", ["text", "jsonl"])
def test_no_terminal_ends_a_run(
    encoding: str, output_format: str, strip_model: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    """A charset, and names, that the terminal does not know."""
    model = tmp_path / "model.tflite"
    data = strip_model.read_bytes()
    model.write_bytes(data[: data.rfind(b"PK\3\4")])
    charset = Charset("жéa" + "".join(c for c in strips.CHARSET.characters if c not in "ayz"))
    with zipfile.ZipFile(model, "a") as archive:
        archive.writestr("spin_tf.json", json.dumps({**strips.METADATA, "charset": charset.to_dict()}))
    path, missing = save(tmp_path / "日é.png", "210"), tmp_path / "нет\udce9.png"
    command = [
        sys.executable,
        "bin/recognize.py",
        f"--model={model}",
        f"--format={output_format}",
        str(path),
        str(missing),
    ]
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    result = subprocess.run(command, cwd=REPOSITORY, capture_output=True, env=environment)
    assert result.returncode == 1, result.stderr
    output = result.stdout.decode(encoding)
    assert b"Traceback" not in result.stderr and len(output.splitlines()) == 1
    if output_format == "jsonl":
        assert json.loads(output)["text"] == "aéж"
    else:
        known = output.split("\t")[1]
        assert known == "aéж".encode(encoding, "backslashreplace").decode(encoding)


@pytest.mark.parametrize("redirection", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-", "> /dev/full", "2> /dev/full"])
def test_closed_and_full_outputs(redirection: str, strip_model: pathlib.Path, tmp_path: pathlib.Path) -> None:
    path = save(tmp_path / "word.png", "word")
    command = f'"$0" bin/recognize.py --model="$1" "$2" "$2".absent {redirection}; echo "code $?" >> "$3"'
    result = subprocess.run(
        ["bash", "-c", command, sys.executable, str(strip_model), str(path), str(tmp_path / "code")],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "Traceback" not in result.stderr and "Exception ignored" not in result.stderr
    # What cannot be written to a full disk is an error; what nobody wanted to see is none.
    assert (tmp_path / "code").read_text() == ("code 2\n" if redirection == "> /dev/full" else "code 1\n")
    if redirection == "2>&-":
        assert result.stdout.startswith(f"{path}\tword\t") and result.stdout.count("\n") == 1
    if redirection == "> /dev/full":
        assert result.stderr.count("error: ") == 1


@pytest.mark.parametrize("arguments", ["bin/recognize.py --help", "-m spin_tf", "-m spin_tf recognize --helpfull"])
def test_help_to_a_reader_that_has_gone(arguments: str) -> None:
    # The reader ends before the command has started to write.
    command = f'"$0" {arguments} | true; exit "${{PIPESTATUS[0]}}"'
    result = subprocess.run(["bash", "-c", command, sys.executable], cwd=REPOSITORY, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")


def test_noise_of_libtiff_is_silenced(strip_model: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """libtiff writes to stderr what it stumbles over, without the name of the file."""
    whole = image_seeds()["tiff_lzw"]
    paths = []
    for place in (*range(40, len(whole), 197), *range(len(whole) - 150, len(whole) - 8, 11)):
        paths.append(tmp_path / f"{place}.tif")
        paths[-1].write_bytes(whole[:place] + b"\xff" * 8 + whole[place + 8 :])
    result = recognize(f"--model={strip_model}", *paths)
    assert result.returncode == 1
    lines = result.stderr.splitlines()
    assert len(lines) > 5 and all(line.startswith(str(tmp_path)) for line in lines)
    lines = [
        "import sys, PIL.Image",
        "for path in sys.argv[1:]:",
        "  try: PIL.Image.open(path).load()",
        "  except Exception: 0",
    ]
    command = "\n".join(lines)
    loud = subprocess.run([sys.executable, "-c", command, *paths], capture_output=True).stderr
    assert b"Decode: " in loud or b"TIFF" in loud, "Pillow tells nothing any more; is the noise still worth a test?"


@pytest.mark.parametrize(
    ("start", "shown"),
    [
        (["-m", "spin_tf", "recognize"], "python -m spin_tf recognize"),
        (
            ["-c", "import sys; sys.argv[0] = '/x/bin/spin-tf'; import spin_tf.__main__ as m; m.main()"],
            "spin-tf recognize",
        ),
        (["bin/recognize.py"], "bin/recognize.py"),
    ],
)
def test_help_and_mistakes_show_how_the_command_was_called(start: list[str], shown: str) -> None:
    rest = ["recognize"] if start[0] == "-c" else []
    for arguments, code in ((["--help"], 0), ([], 2)):
        command = [sys.executable, *start, *rest, *arguments]
        result = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
        assert result.returncode == code
        text = result.stdout + result.stderr
        assert shown in text
        assert ("bin/recognize.py" in text) == (shown == "bin/recognize.py")


def test_save_rectified_needs_a_keras_model(strip_model: pathlib.Path, tmp_path: pathlib.Path) -> None:
    path = save(tmp_path / "word.png", "word")
    result = recognize(f"--model={strip_model}", f"--save_rectified={tmp_path / 'rectified'}", path)
    assert result.returncode == 2
    assert "--save_rectified needs a .keras model" in result.stderr
    assert not (tmp_path / "rectified").exists()


def test_keras_model_and_save_rectified(tmp_path: pathlib.Path) -> None:
    from spin_tf.models import SPINRecognizer

    model = SPINRecognizer(
        {
            "image_size": [32, 40],
            "backbone": {"width": 16, "num_blocks": [1, 1, 1, 1]},
            "encoder": {"units": 8, "features": [8]},
            "decoder": {"units": 8},
        }
    )
    model.save(tmp_path / "model.keras")
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        save(tmp_path / folder / "word.png", "word")
    rectified = tmp_path / "rectified"
    flags = [f"--model={tmp_path / 'model.keras'}", f"--save_rectified={rectified}"]
    result = forked.run(["bin/recognize.py", *flags, tmp_path / "one", tmp_path / "two"])
    assert result.returncode == 0, result.stderr
    assert len(result.stdout.splitlines()) == 2
    images = [np.asarray(Image.open(path)) for path in sorted(rectified.iterdir())]
    assert [path.name for path in sorted(rectified.iterdir())] == ["word-2.png", "word.png"]
    assert all(image.shape == (32, 40) and image.dtype == np.uint8 for image in images)
    np.testing.assert_array_equal(images[0], images[1])


def test_reading_options(strip_model: pathlib.Path, folder: pathlib.Path) -> None:
    """What the search does is tested in tests/decoding; here, that the flags arrive."""
    high = recognize(f"--model={strip_model}", "--effort=high", folder)
    assert high.returncode == 0, high.stderr
    assert [line.split("\t")[1] for line in high.stdout.splitlines()] == ["one", "two", "3"]
    refused = recognize(f"--model={strip_model}", "--min_probability=0.9999", folder)
    assert refused.returncode == 0
    assert [line.split("\t")[1:] for line in refused.stdout.splitlines()] == [["", "0.0000"]] * 3
    assert refused.stderr.count("no word: no reading that is allowed reaches a confidence of 0.9999\n") == 3
    for flag in ("--pattern=[a", "--lexicon=absent.txt", "--effort=5", "--n_best=0", "--allowlist=a", "--beam_width=3"):
        mistake = recognize(f"--model={strip_model}", flag, folder)
        assert mistake.returncode != 0 and mistake.stdout == "", flag
    beside = recognize("--server=http://localhost:1/v1/models/x", "--n_best=2", folder)
    assert "--n_best does not go with --server" in beside.stderr
    assert "--pattern" in recognize("--help").stdout


def test_alternatives_follow_in_the_line() -> None:
    word = Word("ab", 0.5, (), alternatives=(Word("a", 0.25, ()),))
    assert format_word("x.png", word, "text") == "x.png\tab\t0.5000\ta\t0.2500"
    assert json.loads(format_word("x.png", word, "jsonl"))["alternatives"][0]["text"] == "a"
