"""How recognizers show themselves: where Python prints them, in `help`, in a notebook's tooltip."""

from __future__ import annotations

import dataclasses
import inspect

from spin_tf._types import JsonObject
from spin_tf.charset import Charset
from spin_tf.decoding.options import Options


def recognizer_line(
    kind: str, path: str | None, metadata: JsonObject, charset: Charset, size: tuple[int, int], options: Options
) -> str:
    """The model, what it reads and how, in a line; `path` None is the bundled model."""
    model = f"{metadata.get('name') or 'model'} ({path or 'the bundled model'})"
    parts = [f"{model} reads {len(charset.characters)} characters (charset {charset.name})"]
    parts.append(f"images {size[0]} x {size[1]}")
    for field in dataclasses.fields(options):
        value = getattr(options, field.name)
        if value != field.default:
            # A lexicon may be a hundred thousand words.
            shown = value if isinstance(value, (str, int, float)) else type(value).__name__
            parts.append(f"{field.name}={shown!r}" if isinstance(shown, str) else f"{field.name}={shown}")
    return f"<{kind}: {', '.join(parts)}>"


class InitSignature:
    """As `__signature__` of a class: that of its `__init__`, options by name.

    Python would take `__new__`'s, which a `Recognizer` has to keep whatever its subclasses are made with.
    """

    def __get__(self, instance: object, owner: type) -> inspect.Signature:
        parameters: list[inspect.Parameter] = []
        _, *own = inspect.signature(owner.__init__).parameters.values()  # type: ignore[misc]
        for parameter in own:
            if parameter.kind is inspect.Parameter.VAR_KEYWORD and "OptionNames" in str(parameter.annotation):
                parameters += [
                    inspect.Parameter(
                        field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=field.type
                    )
                    for field in dataclasses.fields(Options)
                ]
            else:
                parameters.append(parameter)
        return inspect.Signature(parameters)
