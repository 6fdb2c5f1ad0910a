"""The made-up federation of `rondgang audit practise`, with the same keys every time, made once a session."""

from __future__ import annotations

from functools import cache

from audit.practise.folder import counted
from audit.practise.people import People, gather
from audit.practise.story import World, tell
from audit.practise.study import Study


@cache
def people() -> People:
    return gather(counted("people"))


def study(label: str = "study") -> Study:
    """A study of these people; what it draws follows from the label."""
    return Study(people(), counted(label))


@cache
def honest() -> World:
    """The honest story. Not to be changed: tell another one for that."""
    return tell(study())


@cache
def honest_files() -> dict[str, bytes]:
    return honest().sealed()
