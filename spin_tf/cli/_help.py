"""What `--help` prints: the command in words, its own flags by what they are for, and none of absl's."""

from __future__ import annotations

import ast
import importlib.util
import pkgutil
import shutil
import sys
import textwrap

from absl import flags

from spin_tf import cli

# By what somebody wants to do; in the order in which they come to it.
GROUPS = {
    "Read words": ("recognize", "read_photo", "recognize_beam", "demo"),
    "Data": ("synthesize", "create_tfrecords", "create_tfrecords_beam", "create_benchmarks", "inspect_data"),
    "Train": ("train", "pretrain", "average", "import_checkpoint"),
    "Measure": ("evaluate", "evaluate_photos", "calibrate", "benchmark"),
    "Export": ("export_tflite", "export_saved_model", "export_onnx", "convert_detector"),
}
_INDENT, _COLUMN = 2, 26


def commands() -> list[str]:
    """The names of the commands: the public modules of `spin_tf.cli`."""
    return sorted(module.name for module in pkgutil.iter_modules(cli.__path__) if not module.name.startswith("_"))


def overview() -> str:
    """All commands, a sentence each."""
    known = commands()
    groups = {title: [name for name in names if name in known] for title, names in GROUPS.items()}
    grouped = {name for names in groups.values() for name in names}
    if more := [name for name in known if name not in grouped]:
        groups["More"] = more
    lines = ["usage: spin-tf COMMAND [FLAGS] [FILES]", "       spin-tf COMMAND --help", "       spin-tf --version"]
    for title, names in groups.items():
        lines += ["", f"{title}:"]
        for name in names:
            lines += _row(name, _sentence(name))
    return "\n".join(lines)


def describe(module: str, text: str) -> str:
    """What a command prints for --help.

    Args:
        module: the name of the command's module; flags that it adopts from others come in groups of their own.
        text: what the command does, and examples.
    """
    values = flags.FLAGS
    by_group: dict[str, list[flags.Flag]] = {}
    for flag in values.get_key_flags_for_module(module):
        home = values.find_module_defining_flag(flag.name) or module
        title = "flags" if home == module else getattr(sys.modules.get(home), "HELP_TITLE", home.rpartition(".")[2])
        by_group.setdefault(title, []).append(flag)
    lines = [text.strip()]
    for title in sorted(by_group, key=lambda title: title != "flags"):
        lines += ["", f"{title}:"]
        for flag in by_group[title]:
            lines += _row(_usage(flag), _meaning(flag))
    lines += ["", "every command:", *_row("--verbosity=N", "what is told meanwhile: 0 the most, -1 only warnings")]
    lines += _row("-h, --help; --version", "this page; the version")
    return "\n".join(lines)


def _usage(flag: flags.Flag) -> str:
    if flag.boolean:
        return f"--[no]{flag.name}"
    allowed = getattr(flag.parser, "enum_values", None)
    kind = flag.flag_type()
    value = "N" if kind in ("int", "float", "multi int", "multi float") else "..."
    if kind == "comma separated list of strings":
        value = "A,B,..."
    # Names that are too long for a line stand in the text.
    if allowed and len("|".join(allowed)) < 40:
        value = "|".join(allowed)
    return f"--{flag.name}={value}"


def _meaning(flag: flags.Flag) -> str:
    text = " ".join((flag.help or "").split()).rstrip(".")
    # absl begins the help of a choice with it.
    if allowed := getattr(flag.parser, "enum_values", None):
        text = text.removeprefix(f"<{'|'.join(allowed)}>: ")
        text += "" if len("|".join(allowed)) < 40 else f": {', '.join(allowed)}"
    # absl adds this to the help of flags that may come several times.
    text = text.replace(".;", ";").removesuffix("; repeat this option to specify a list of values")
    notes = []
    if flag.flag_type().startswith("multi") and "repeat" not in text:
        notes.append("may be repeated")
    if flag.default not in (None, False, "", []) and "default" not in text:
        default = ",".join(map(str, flag.default)) if isinstance(flag.default, list) else str(flag.default)
        notes.append(f"default: {default.lower() if flag.boolean else default}")
    elif getattr(flag, "required", False) or flag.name in _required(flag):
        notes.append("needed")
    return text + (f" ({'; '.join(notes)})" if notes else "")


def _required(flag: flags.Flag) -> set[str]:
    """Which flags absl asks for: a validator of theirs says so, under no other name."""
    return {
        name
        for validator in flag.validators
        if "must have a value other than None" in validator.message
        for name in validator.get_flags_names()
    }


def _row(left: str, right: str) -> list[str]:
    """`left` in its column, `right` beside it, wrapped to the terminal."""
    width = min(max(shutil.get_terminal_size().columns, 60), 110) - _COLUMN
    wrapped = textwrap.wrap(right, width, break_on_hyphens=False) or [""]
    head = " " * _INDENT + left
    lines = [head] if len(head) >= _COLUMN else []
    first = "" if lines else head
    return [
        *lines,
        *(f"{first if i == 0 else '':<{_COLUMN}}{line}".rstrip() for i, line in enumerate(wrapped)),
    ]


def _sentence(name: str) -> str:
    """The first sentence of a command's docstring, without importing the command."""
    spec = importlib.util.find_spec(f"spin_tf.cli.{name}")
    if spec is None or spec.origin is None:
        return ""
    with open(spec.origin, encoding="utf-8") as file:
        text = ast.get_docstring(ast.parse(file.read())) or ""
    return " ".join(text.split("\n\n")[0].split())
