"""Messages of protobuf, made of their definition when they are imported.

protobuf comes with LiteRT; the packages that hold these messages compiled are TensorFlow and its server, whose import
alone takes longer than many readings.
"""

from __future__ import annotations

import re
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from spin_tf._types import Message

_MESSAGE = re.compile(r"(\w+) \{([^}]*)\}")
_FIELD = re.compile(r"(repeated )?(?:map<string, (\w+)>|(\w+)) (\w+) = (\d+)")
_SCALAR = descriptor_pb2.FieldDescriptorProto


def messages(definition: str) -> Any:
    """The classes of messages, by name.

    Args:
        definition: as in a .proto file: `Name { repeated bytes value = 1; map<string, Other> entry = 2 }`, one after
            another.

    Returns:
        name -> class.
    """
    file = descriptor_pb2.FileDescriptorProto(name="messages.proto", package="spin_tf", syntax="proto3")
    for name, body in _MESSAGE.findall(definition):
        message = file.message_type.add(name=name)
        for repeated, value, kind, field, number in _FIELD.findall(body):
            if value:
                entry = message.nested_type.add(name=f"{field.title().replace('_', '')}Entry")
                kind, repeated = f"{name}.{entry.name}", "repeated"
                entry.options.map_entry = True
                _add(entry, "string", "key", 1)
                _add(entry, value, "value", 2)
            _add(message, kind, field, int(number), bool(repeated))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        message.name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"spin_tf.{message.name}"))
        for message in file.message_type
    }


def _add(message: Message, kind: str, name: str, number: int, repeated: bool = False) -> None:
    label = _SCALAR.LABEL_REPEATED if repeated else _SCALAR.LABEL_OPTIONAL
    scalar = getattr(_SCALAR, f"TYPE_{kind.upper()}", None)
    kinds = {"type": scalar} if scalar else {"type": _SCALAR.TYPE_MESSAGE, "type_name": f".spin_tf.{kind}"}
    message.field.add(name=name, number=number, label=label, **kinds)
