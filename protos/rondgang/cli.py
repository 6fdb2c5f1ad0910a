"""The `rondgang` command: finds its verbs by entry points and loads only the room that is asked for.

A verb is an entry point of the group `rondgang.verbs`, named as people type it; it loads to a callable that takes
`args` (the words after the verb) and `prog_name`. A typer application is one.
"""

import sys
from collections.abc import Callable, Iterable, Sequence
from importlib import metadata
from typing import Protocol

from rondgang.software import software_version

GROUP = "rondgang.verbs"
DONE, USAGE = 0, 2

_SHIPPED = {
    "demo": ("demo", "a whole federation on this machine, with made-up data"),
    "consortium": ("", "the offline authority: certificates, roster, calendar, codebook"),
    "node": ("node", "one region: import microdata, answer programmes"),
    "coordinator": ("coordinator", "the national desk: price, submit, estimates"),
    "audit": ("audit", "the independent witness: verify and report"),
}
"""Verb -> (extra that its room needs, or none; what it is for), in the order of `--help`."""


class Verb(Protocol):
    """What an installed entry point offers."""

    @property
    def name(self) -> str: ...

    def load(self) -> Callable[..., object]: ...


def installed_verbs() -> Iterable[Verb]:
    """The verbs that this installation announces. Loads none of them."""
    return metadata.entry_points(group=GROUP)


def main(argv: Sequence[str] | None = None, find: Callable[[], Iterable[Verb]] = installed_verbs) -> int:
    """Runs one command line and returns its exit code: 2 for an unknown verb or an absent room, else the verb's own."""
    words = list(sys.argv[1:] if argv is None else argv)
    verbs = {verb.name: verb for verb in find()}
    match words:
        case [] | ["-h" | "--help" | "help", *_]:
            print(_help(verbs))
            return DONE if words else USAGE
        case ["--version" | "-V", *_]:
            print(f"rondgang {software_version('(run from a folder, not installed)')}")
            return DONE
        case [name, *rest] if name in verbs:
            return _run(verbs[name], rest)
        case [name, *_] if name in _SHIPPED:
            return _absent(name, None)
        case _:
            known = ", ".join([*_SHIPPED, *(other for other in verbs if other not in _SHIPPED)])
            return _complain(f"rondgang: no such verb: {words[0]}\nKnown verbs: {known}. See `rondgang --help`.")


def _run(verb: Verb, rest: list[str]) -> int:
    try:
        command = verb.load()
    except ModuleNotFoundError as error:
        return _absent(verb.name, error.name)
    try:
        result = command(args=rest, prog_name=f"rondgang {verb.name}")
    except SystemExit as stop:
        if isinstance(stop.code, str):
            return _complain(stop.code)
        return DONE if stop.code is None else stop.code
    return result if isinstance(result, int) else DONE


def _absent(name: str, missing: str | None) -> int:
    extra = _SHIPPED[name][0] if name in _SHIPPED else name
    needs = f" (it needs the Python module {missing})" if missing else ""
    return _complain(
        f"rondgang: the room for `rondgang {name}` is not installed here{needs}.\n"
        f'Install it with: python -m pip install "rondgang{f"[{extra}]" if extra else ""}"'
    )


def _complain(message: str) -> int:
    print(message, file=sys.stderr)
    return USAGE


def _help(verbs: dict[str, Verb]) -> str:
    lines = [
        "Usage: rondgang VERB [OPTIONS]",
        "",
        "Rondgang (Dutch for going round): federated statistics over the microdata of Veilig Thuis regions.",
        "",
        "Verbs:",
        *(f"  {name:<12} {told}{'' if name in verbs else ' (not installed)'}" for name, (_, told) in _SHIPPED.items()),
        *(f"  {name}" for name in sorted(set(verbs) - set(_SHIPPED))),
        "",
        "Options:",
        "  --version    print the version and stop",
        "  --help       print this page and stop; `rondgang VERB --help` explains a verb",
        "",
        "Example: rondgang demo --out var/demo",
        "",
        "Exit codes: 0 done, 1 refused or a check failed, 2 bad input or usage, 75 try again later.",
    ]
    return "\n".join(lines)
