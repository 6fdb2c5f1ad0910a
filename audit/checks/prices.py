"""Is the price of every debit right? Each bound is derived from the codebook, each price from bound and noise."""

from __future__ import annotations

from collections.abc import Iterator

from audit.exact import rho_text
from audit.findings import Finding, error, note
from audit.model import LoggedEntry
from audit.reprice.asked import Asked, CannotDerive
from audit.reprice.group import LEAST_SIGMA
from audit.reprice.price import PricedBlock, Repriced, reprice
from audit.state import Debit, State

UNDERIVABLE = error(
    "price.underivable",
    "Nobody can say what this question may cost a household, so it may have cost more than was charged.",
    "Ask the researcher for a programme that is planned with a known version.",
)
BLOCKS = error(
    "price.blocks",
    "The programme pays for other sums than its questions need: something was answered that was not paid for.",
    "Ask the researcher which software planned the programme.",
)
UNDERSTATED = error(
    "price.bound",
    "One household can move this sum further than the programme says, so the noise hides less than was promised.",
    "Ask who planned this programme, with which software; every answer to it counts as spent more than it says.",
)
OVERSTATED = note(
    "price.bound_large",
    "The programme took a household to count for more than it can: too much was paid, nobody was exposed.",
    "Ask the researcher which software planned the programme.",
)
CELLS = error(
    "price.cells",
    "The size of an answer is not the one that follows from the codebook.",
    "Ask the researcher which software planned the programme.",
)
SIGMA = error(
    "price.sigma",
    "The noise is so small against its grid that the price no longer follows from it.",
    "Ask the researcher which software planned the programme.",
)
CHARGE = error(
    "price.charge",
    "What was charged is not what the noise costs; with less, the region spent more privacy than its ledger says.",
    "Ask the region's steward how this charge was made, and have the price of this debit explained: `audit explain`.",
)
STATED = error(
    "price.stated",
    "The programme says another price than its own noise costs; an honest node refuses that.",
    "Ask the researcher which software planned the programme.",
)


def derive(state: State, debit: Debit) -> Iterator[Finding]:
    """Derives the price of a debit and keeps it with the debit."""
    where, asked = state.at(debit.entry), debit.asked
    codebook = None if asked is None else state.evidence.library.codebook(asked.codebook_hash)
    if asked is None:
        return
    if codebook is None:
        what = f"The codebook {asked.codebook_hash[:16]} that the programme was planned with is not in the evidence."
        yield UNDERIVABLE.broken(where, what)
        return
    done, key = state.evidence.library.repriced, _key(state, debit)
    if key not in done:
        try:
            done[key] = reprice(asked, codebook)
        except CannotDerive as fault:
            yield UNDERIVABLE.broken(where, f"The price cannot be derived: {fault}.")
            return
    debit.repriced = done[key]
    yield from _blocks(state, debit.entry, done[key])
    yield from _charge(state, debit, asked, done[key])


def _key(state: State, debit: Debit) -> str:
    """All that a price depends on, as one text; programmes differ in more than that."""
    paper = state.evidence.library.paper("programme", debit.entry.text("programme"))
    body = {} if paper is None else paper.body
    return repr([body.get(key) for key in ("codebook_hash", "statistics", "blocks", "weights", "secure")])


def _blocks(state: State, entry: LoggedEntry, repriced: Repriced) -> Iterator[Finding]:
    where = state.at(entry)
    if repriced.missing or repriced.unknown:
        listed = ", ".join((*repriced.missing, *repriced.unknown))[:200]
        yield BLOCKS.broken(where, f"By the questions and the codebook these blocks are missing or too many: {listed}.")
    for block in repriced.blocks:
        if block.understated:
            yield UNDERSTATED.broken(where, _bound(block))
        if block.overstated:
            yield OVERSTATED.broken(where, _bound(block))
        if block.derived.cells != block.signed.cells:
            what = f"Block {block.derived.id} has {block.derived.cells} cells; the programme says {block.signed.cells}."
            yield CELLS.broken(where, what)
        if block.derived.mode != block.signed.mode:
            what = f"Block {block.derived.id} is {block.derived.mode}; the programme says {block.signed.mode}."
            yield BLOCKS.broken(where, what)
        if block.too_sharp:
            part = "a part of each region's noise" if block.national else "the noise"
            what = f"In block {block.derived.id} {part} has a sigma below {LEAST_SIGMA} grid steps."
            yield SIGMA.broken(where, what)


def _bound(block: PricedBlock) -> str:
    derived, squared = block.derived, block.signed.bound_squared
    weight = f", times {block.weight} of the heaviest region" if block.national else ""
    return (
        f"Block {derived.id}: one household can add {derived.persons} x {derived.waves} x {derived.most} = "
        f"{derived.bound} steps, times {block.signed.multiplier}{weight}; squared {block.bound**2}, and {squared} is "
        "stated."
    )


def _charge(state: State, debit: Debit, asked: Asked, repriced: Repriced) -> Iterator[Finding]:
    where, charge = state.at(debit.entry), debit.entry.money("charge")
    own, national = repriced.stated_nano, repriced.national.stated_nano
    if asked.charge != own:
        what = f"The programme states {asked.charge} nano-rho; its own bounds and noise cost {own}."
        yield STATED.broken(where, what)
    if asked.national != national:
        what = f"The programme states {asked.national} nano-rho for an attempt; its national blocks cost {national}."
        yield STATED.broken(where, what)
    right = repriced.of(debit.attempt).right
    if charge != right:
        less = "less" if charge < right else "more"
        what = (
            f"Charged {charge} nano-rho ({rho_text(charge)} rho), {abs(charge - right)} {less} than the price {right}."
        )
        yield CHARGE.broken(where, what)
