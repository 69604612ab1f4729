#!/usr/bin/env python3
"""Writes the constants of the reading contract for C++ and TypeScript: tools/generate_contract.py [--check].

With --check it writes nothing and names what is not current.
"""

from __future__ import annotations

import ast
import pathlib
import sys
from collections.abc import Callable, Iterator

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
SOURCE = REPOSITORY / "spin_tf" / "contract" / "constants.py"
ORIGIN = "Written by tools/generate_contract.py from spin_tf/contract/constants.py; change them there."

Value = int | str | tuple["Value", ...]


def constants(text: str) -> Iterator[tuple[str, Value, list[str]]]:
    """Name, value and comment of each constant."""
    lines = text.splitlines()
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            first = node.lineno - 1
            start = first
            while lines[start - 1].startswith("# "):
                start -= 1
            yield node.targets[0].id, ast.literal_eval(node.value), [line[2:] for line in lines[start:first]]


def literal(value: Value, brackets: str) -> str:
    if not isinstance(value, tuple):
        return f'"{value}"' if isinstance(value, str) else str(value)
    parts = [literal(part, brackets) for part in value]
    if isinstance(value[0], tuple):
        return brackets[0] + "\n" + "".join(f"  {part},\n" for part in parts) + brackets[1]
    return brackets[0] + ", ".join(parts) + brackets[1]


def cpp(name: str, value: Value) -> str:
    camel = "k" + "".join(word.capitalize() for word in name.split("_"))
    inner = value
    while isinstance(inner, tuple):
        camel += f"[{len(inner)}]"
        inner = inner[0]
    kind = "const char*" if isinstance(inner, str) else "int"
    return f"inline constexpr {kind} {camel} = {literal(value, '{}')};\n"


def typescript(name: str, value: Value) -> str:
    return f"export const {name} = {literal(value, '[]')}{' as const' if isinstance(value, tuple) else ''};\n"


def commented(text: str, write: Callable[[str, Value], str]) -> str:
    return "".join(
        ("\n" if comment else "") + "".join(f"// {line}\n" for line in comment) + write(name, value)
        for name, value, comment in constants(text)
    )


def header(text: str) -> str:
    return (
        f"// The numbers of the reading contract.\n// {ORIGIN}\n#ifndef SPIN_CONTRACT_H_\n#define SPIN_CONTRACT_H_\n\n"
        f"namespace spin::contract {{\n{commented(text, cpp)}\n}}  // namespace spin::contract\n\n"
        "#endif  // SPIN_CONTRACT_H_\n"
    )


def module(text: str) -> str:
    return f"/**\n * The numbers of the reading contract.\n * {ORIGIN}\n */\n{commented(text, typescript)}"


def main(arguments: list[str]) -> int:
    text = SOURCE.read_text(encoding="utf-8")
    targets = {
        REPOSITORY / "deploy" / "cpp" / "src" / "contract.h": header(text),
        REPOSITORY / "deploy" / "web" / "src" / "recognizer" / "contract.ts": module(text),
    }
    stale = [path for path, content in targets.items() if not path.exists() or path.read_text("utf-8") != content]
    if "--check" in arguments:
        for path in stale:
            print(f"{path.relative_to(REPOSITORY)} is not current: run tools/generate_contract.py", file=sys.stderr)
        return bool(stale)
    for path in stale:
        path.write_text(targets[path], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
