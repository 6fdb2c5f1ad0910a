"""A party of the next release: `python -m tests.newer_party node serve --home DIR`.

It is this version, except that it speaks one contract more, and says in every message, and in every message within
that, things that this version does not know.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from rondgang import versions
from rondgang.v1 import attend_pb2, desk_pb2, refusal_pb2, witness_pb2

UNKNOWN = b"\xfa\x3e\x03new" + b"\x80\x3f\x07"
"""Field 1007, a text; and field 1008, a number."""


def speaks_more() -> None:
    """Makes this process one of the next release. To be called before anything of a party is imported."""
    versions.SPOKEN = (*versions.SPOKEN, max(versions.SPOKEN) + 1)
    for file in (attend_pb2, desk_pb2, refusal_pb2, witness_pb2):
        for descriptor in file.DESCRIPTOR.message_types_by_name.values():
            kind: Any = GetMessageClass(descriptor)
            kind.SerializeToString = _saying_more(kind.SerializeToString)


def _saying_more(before: Callable[..., bytes]) -> Callable[..., bytes]:
    def serialize(self: Message, **how: bool) -> bytes:
        said = type(self)()
        said.CopyFrom(self)
        _add(said)
        return before(said, **how)

    return serialize


def _add(message: Message) -> None:
    for field, value in message.ListFields():
        if field.message_type is not None:
            for one in value if field.is_repeated else (value,):
                _add(one)
    message.MergeFromString(UNKNOWN)


if __name__ == "__main__":
    speaks_more()
    from rondgang.cli import main

    sys.exit(main())
