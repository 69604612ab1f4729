"""What a person should be told when nothing, or too little, of a data set was kept: first rejects, and guesses why."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from spin_tf.charset import Charset
from spin_tf.data.conversion.entry import lines_of
from spin_tf.data.conversion.plan import Conversion
from spin_tf.data.conversion.statistics import Statistics

_FIRST = 3
_HEAD_LINES = 20
# In this order: each takes nearly anything that the ones after it were meant for.
_ENCODINGS = ("utf-16", "shift_jis", "gb18030", "big5", "euc_kr", "cp1252", "cp1251", "latin-1")
_ASIAN = ("shift_jis", "gb18030", "big5", "euc_kr")
_LABEL_FILES = ("tsv", "csv", "jsonl", "icdar", "svtp", "cute80", "mjsynth")
_LOOKS_LIKE = {
    "tsv": "a tab between the path and the text",
    "jsonl": "JSON, an object a line or one document",
    "icdar": 'a path, a comma and the text in quotes, as in `a.png, "text"`',
    "svtp": "spaces between the path and the text",
    "csv": "commas, semicolons or bars between the path and the text",
    "mjsynth": "paths that hold the label, as in `1/2/11_Slinking_5.jpg 5`",
}


def explain_rejects(statistics: Statistics, conversion: Conversion) -> list[str]:
    """Lines for stderr: the first rejects of each reason, and hints where the cause can be seen."""
    lines = []
    for reason, found in sorted(statistics.rejected.items(), key=lambda item: -item[1]["count"]):
        shown = "; ".join(f"{example['source_id']}: {example['detail']}" for example in found["examples"][:_FIRST])
        lines.append(f"{reason} {found['count']}, first: {_escaped(shown)}")
    if not statistics.read:
        lines.append("there is no word in the input")
    return lines + [f"hint: {hint}" for hint in _hints(statistics, conversion)]


def _escaped(text: str) -> str:
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _hints(statistics: Statistics, conversion: Conversion) -> Iterator[str]:
    rejected = statistics.rejected
    files = [path for path in conversion.inputs if "://" not in path] if conversion.source in _LABEL_FILES else []
    if "bad_line" in rejected or "label_not_utf8" in rejected or not statistics.kept:
        for path in files[:1]:
            yield from _hint_of_file(path, conversion.source)
    if "missing_file" in rejected:
        examples = rejected["missing_file"]["examples"]
        if any("\\" in example["source_id"] for example in examples):
            yield "paths with backslashes were tried with slashes too; neither is there"
        if all(example["source_id"][:1] in "\"'" for example in examples):
            yield (
                "paths are in quotes, which belong to them here; a file of quoted columns is read with commas or "
                "semicolons between them: tr '\\t' ';' < OLD > NEW, and --source=csv"
            )
        if not conversion.image_roots:
            yield "paths start from the folder of the label file; --image_root names another one"
    if "character_outside_charset" in rejected and conversion.checks.charset is not None:
        yield from _hint_of_characters(Charset.from_dict(conversion.checks.charset), statistics)
    if "too_long" in rejected:
        yield f"labels may have {conversion.checks.max_length} characters; --max_length says otherwise"


def _hint_of_characters(charset: Charset, statistics: Statistics) -> Iterator[str]:
    unknown: Mapping[str, Any] = statistics.unknown_characters
    if "\t" in unknown:
        yield "labels hold a tab: the lines have further columns, which cut -f1,2 OLD > NEW takes away"
    most = sorted(unknown, key=lambda c: -unknown[c])[:20]
    if most:
        shown = " ".join(ascii(c) if not c.isprintable() or c == " " else c for c in most)
        yield f"most often outside the charset {charset.name}: {shown}; --charset takes file:PATH, chars:... or any"
        if hint := charset.hint(most):
            yield hint


def _hint_of_file(path: str, source: str) -> Iterator[str]:
    try:
        head = [raw for _, (_, _, raw) in zip(range(_HEAD_LINES), lines_of(path), strict=False)]
    except OSError:
        return
    data = b"\n".join(head)
    text = _decoded(data)
    if text is None:
        encoding = guess_encoding(data)
        if encoding:
            # Lines of two-byte encodings do not end at every byte 10.
            found = data.decode(encoding, "replace").strip().splitlines()[0][:60]
            yield (
                f"the label file is not UTF-8; as {encoding} it begins {_escaped(found)!r}: "
                f"iconv -f {encoding} -t UTF-8 {path} > NEW"
            )
        return
    likely = guess_source(text.splitlines())
    if likely and likely != source:
        yield f"the lines look like {_LOOKS_LIKE[likely]}: --source={likely}"


def _decoded(data: bytes) -> str | None:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def guess_encoding(data: bytes) -> str | None:
    """An encoding in which the start of a file that is not UTF-8 is readable text; None where none is seen."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if data[1::2].count(0) > len(data) // 4:
        return "utf-16-le"
    if data[::2].count(0) > len(data) // 4:
        return "utf-16-be"
    for encoding in _ENCODINGS[1:]:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        strange = [c for c in text if ord(c) > 127]
        # Whatever bytes there are give some ideographs; those of a text stand beside each other.
        if encoding in _ASIAN and (len(strange) < 4 or not all(unicodedata.category(c)[0] in "LPS" for c in strange)):
            continue
        if encoding in _ASIAN and not _in_runs(text):
            continue
        if all(c.isprintable() or c in "\t\r\n" for c in text):
            return encoding
    return None


def _in_runs(text: str) -> bool:
    """Whether most characters beyond ASCII have one beside them."""
    alone = pairs = 0
    for before, c, after in zip(" " + text, text, text[1:] + " ", strict=False):
        if ord(c) > 127:
            near = ord(before) > 127 or ord(after) > 127
            pairs, alone = pairs + near, alone + (not near)
    return pairs > 2 * alone


def guess_source(lines: Sequence[str]) -> str | None:
    """The source that lines of a label file look like; None where they look like none."""
    lines = [line for line in lines if line.strip()]
    if not lines:
        return None

    def most(test: Any) -> bool:
        return sum(map(bool, map(test, lines))) > len(lines) / 2

    if most(lambda line: line.lstrip().startswith("{")) or lines[0].strip() in ("[", "{") or lines[0][:2] == "[{":
        return "jsonl"
    if most(lambda line: "\t" in line):
        return "tsv"
    if most(lambda line: ', "' in line and line.rstrip().endswith('"')):
        return "icdar"
    if most(lambda line: "," in line.partition(" ")[0]) or any(
        most(lambda line, mark=mark: "." in line.partition(mark)[0] and mark in line) for mark in ";|"
    ):
        return "csv"
    if most(lambda line: " " in line.strip() and "." in line.split()[0]):
        names = [line.split()[0].replace("\\", "/").rpartition("/")[2] for line in lines]
        in_names = sum(name.count("_") >= 2 and name.split("_")[0].isdigit() for name in names) > len(lines) / 2
        return "mjsynth" if in_names else "svtp"
    return None
