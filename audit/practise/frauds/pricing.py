"""Cheating about prices: programmes that say that they cost less than their noise does."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable

from rondgang.canonical import Json
from rondgang.signed import Signed

from audit.practise.fraud import Forger, Fraud, Tale, and_answer, lived
from audit.practise.log import Log
from audit.practise.papers import Values, block, body_of, paper, price

Twist = Callable[[Values, list[Values]], None]
"""Changes a programme's body and its blocks in place."""


def _asked(name: str, twist: Twist) -> Tale:
    """A tale in which researcher and node agree on a wrong programme; all else is as it should be."""

    def tale(log: Log) -> Iterable[int]:
        body = log.study.programme_body(name)
        blocks = _blocks(body)
        twist(body, blocks)
        asked = paper("programme", body | {"blocks": list[Json](blocks)}, log.study.people.researcher.signing)
        log.ask(asked)
        debit = log.debit(asked)
        log.look()
        log.answer(asked, debit)
        log.look()
        return (debit,)

    return tale


def _blocks(body: Values) -> list[Values]:
    match body["blocks"]:
        case list(found):
            return [dict(one) for one in found if isinstance(one, dict)]
        case _:
            raise ValueError("not a programme")


def _charged(body: Values, charge: int) -> None:
    body["charge"] = {"rho": str(charge)}


def nano_less(body: Values, blocks: list[Values]) -> None:
    _charged(body, price(blocks) - 1)


def less_noise(_body: Values, blocks: list[Values]) -> None:
    """Half the sigma for the same charge."""
    blocks[1]["sigma"] = [10_000_001, 20]


def bound_understated(body: Values, blocks: list[Values]) -> None:
    """A household is said to have one adult at most, where the codebook counts two."""
    blocks[3], blocks[4] = (block(name, 1, 1, 40_000_007) for name in ("safe", "n3"))
    _charged(body, price(blocks))


def bound_unmultiplied(body: Values, blocks: list[Values]) -> None:
    """The bound is that of the coarse grid, the noise that of the fine one."""
    blocks[0]["bound_squared"] = "1"
    _charged(body, price(blocks))


def sharp_grid(body: Values, blocks: list[Values]) -> None:
    """Noise of less than eight steps of the grid, at its right price."""
    blocks[1] |= {"multiplier": 1, "bound_squared": "1", "sigma": [4_999_999, 20]}
    _charged(body, price(blocks))


def block_left_out(body: Values, blocks: list[Values]) -> None:
    """The number of adults is answered with the share, and is not in the price."""
    del blocks[4]
    _charged(body, price(blocks))


def fewer_cells(body: Values, blocks: list[Values]) -> None:
    """The table by profile is said to have one cell."""
    blocks[0]["cells"] = 1
    _charged(body, price(blocks))


def unknown_kind(body: Values, _blocks: list[Values]) -> None:
    """A statistic of a kind that has no public bound."""
    match body["statistics"]:
        case [first, *_]:
            body["statistics"] = [first, {"id": "helped", "kind": "list", "unit": "household", "wave": "T1"}]


def too_dear(body: Values, blocks: list[Values]) -> None:
    """More than the policy allows one programme."""
    for one in blocks:
        one["sigma"] = [12_000_001, 20]
    _charged(body, price(blocks))


def answered_wider(log: Log) -> Iterable[int]:
    """The answer holds one more number than the programme asks; the coordinator was given it."""
    asked = log.study.programme("wider_answer")
    log.ask(asked)
    debit = log.debit(asked)
    log.look()
    answered = log.answer(asked, debit, _wider(log, asked))
    log.look()
    return debit, answered


def _wider(log: Log, asked: Signed) -> Signed:
    body = body_of(log.reply(asked))
    match body["blocks"]:
        case [{"id": str(first)}, *rest]:
            values = base64.b64encode(bytes(8 * 4)).decode("ascii")
            return paper("answer", body | {"blocks": [{"id": first, "values": values}, *rest]}, log.who.signing)
        case _:
            raise ValueError("not an answer")


def _fraud(name: str, what: str, codes: set[str], twist: Twist) -> Fraud:
    tale = _asked(name.replace("-", "_"), twist)
    return Fraud(name, what, Forger.NODE_AND_RESEARCHER, frozenset(codes), lived(tale, behind="first"))


FRAUDS = (
    _fraud(
        "nano-rho-off-programme",
        "The signed programme itself says one nano-rho less than its noise costs.",
        {"price.charge", "price.stated"},
        nano_less,
    ),
    _fraud("less-noise", "One block has half the noise for the same charge.", {"price.charge"}, less_noise),
    _fraud(
        "bound-understated",
        "The programme says that a household has one adult at most; the codebook counts two.",
        {"price.bound"},
        bound_understated,
    ),
    _fraud(
        "bound-unmultiplied",
        "The bound is stated on the coarse grid, the noise on the fine one.",
        {"price.bound"},
        bound_unmultiplied,
    ),
    _fraud("sharp-grid", "The noise of a block is less than eight steps of its grid.", {"price.sigma"}, sharp_grid),
    _fraud(
        "block-left-out",
        "A block that is answered is missing from the programme and its price.",
        {"price.blocks"},
        block_left_out,
    ),
    _fraud(
        "fewer-cells", "A table is said to have one cell, where the codebook gives three.", {"price.cells"}, fewer_cells
    ),
    _fraud(
        "kind-without-a-bound",
        "A programme asks something for which nobody can say what one household adds.",
        {"price.underivable"},
        unknown_kind,
    ),
    _fraud(
        "programme-too-dear",
        "One programme costs more than the policy allows a programme.",
        {"money.programme_cap"},
        too_dear,
    ),
    Fraud(
        "answer-too-wide",
        "An answer holds a number that the programme does not ask.",
        Forger.NODE,
        frozenset({"given.other"}),
        and_answer(lived(answered_wider, behind="first"), 1),
    ),
)
