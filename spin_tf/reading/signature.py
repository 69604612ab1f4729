"""What `help`, `inspect.signature` and a notebook's tooltip show of a class that keeps its arguments."""

from __future__ import annotations

import dataclasses
import inspect

from spin_tf.decoding.options import Options


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
