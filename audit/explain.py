"""Explains one entry of a log: a debit is worked out step by step, any other entry says what it is and rests on."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from rondgang.canonical import Json
from rondgang.keys import PublicKey
from rondgang.notes import origin

from audit.checks.answers import fits
from audit.exact import NANO, nano_down, rho_text
from audit.findings import Finding
from audit.model import LoggedEntry
from audit.reprice.price import PricedBlock, Repriced
from audit.state import Debit, InForce, State
from audit.telling import told
from audit.verify import Examined, all_findings, examine

_PLACE = re.compile(r"([A-Z]{2,4})/([1-9][0-9]{0,8})#(0|[1-9][0-9]{0,8})")
_SHOWN = 12
"""Decimals of an exact number that are shown; what follows is cut off, and said to be."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """`lines` are for people, `facts` for programs; `findings` are those that name this very entry."""

    entry: LoggedEntry
    lines: tuple[str, ...]
    facts: Mapping[str, Json]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class NotFound:
    """Why there is nothing to explain; a sentence."""

    sentence: str


def explain(place: str, given: Sequence[tuple[str, bytes]], pinned: PublicKey | None) -> Explanation | NotFound:
    """Explains the entry called `place`, such as FR/1#17, from files given as (name, bytes)."""
    parts = _PLACE.fullmatch(place)
    if parts is None:
        return NotFound(f"{place!r} is not how an entry is called. Write region, epoch and number, such as FR/1#17.")
    examined = examine(given, pinned)
    walked = examined.walked.get(parts[1])
    if walked is None:
        return NotFound(f"No file of region {parts[1]} that could be used was given.")
    log = walked.state.bundle.entries.get(int(parts[2]), ())
    entry = next((one for one in log if one.seq == int(parts[3])), None)
    if entry is None:
        return NotFound(f"Log {parts[1]}/{parts[2]} has {len(log)} entries in this file, and none with that number.")
    findings = tuple(
        finding for finding in all_findings(examined, pinned=pinned is not None) if finding.entry == entry.place
    )
    debit = next((one for one in walked.state.spends if one.entry is entry), None)
    if debit is not None:
        return Explanation(entry, tuple(_debit(examined, walked.state, debit)), _facts(debit), findings)
    lines = (_heading(entry), *told(examined.evidence, walked.state, entry))
    return Explanation(entry, lines, {"event": entry.event, "time": entry.time}, findings)


def moment(time: int) -> str:
    """A unix second as people read it; the number itself where it is not in the years 1 to 9999."""
    try:
        return dt.datetime.fromtimestamp(time, dt.UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return f"second {time}"


def decimal(exact: Fraction) -> str:
    """An exact number as a decimal, cut off behind twelve places."""
    whole, rest = divmod(exact.numerator * 10**_SHOWN, exact.denominator)
    shown = f"{whole // 10**_SHOWN}.{whole % 10**_SHOWN:0{_SHOWN}d}"
    return f"{shown}..." if rest else shown.rstrip("0").rstrip(".")


def _heading(entry: LoggedEntry) -> str:
    return f"{entry.place} ({entry.event or 'unreadable'}), {moment(entry.time)}"


def _debit(examined: Examined, state: State, debit: Debit) -> Iterator[str]:
    entry = debit.entry
    yield f"{_heading(entry)}: {rho_text(entry.money('charge'))} rho ({entry.money('charge'):,} nano-rho)."
    yield from _question(examined, debit)
    yield ""
    yield from _price(debit)
    yield ""
    yield from _caps(state, debit)
    yield ""
    yield from _witnesses(examined, state, debit)


def _question(examined: Examined, debit: Debit) -> Iterator[str]:
    """Who asked what, and why."""
    entry, asked = debit.entry, debit.asked
    yield f"Programme {entry.text('programme')}, {entry.text('run')}, cohort {entry.text('cohort')}."
    if asked is None:
        yield "The evidence does not have a programme with this hash that can be read."
        return
    key = entry.text("researcher")
    names = {
        member.name
        for roster in examined.evidence.rosters
        for member in roster.members
        if member.keys.get("signing") == key
    }
    yield f"  {asked.id}: {asked.title['en']}"
    yield f"  asked by {asked.requester}; signed by {' or '.join(sorted(names)) or f'the key {key[:16]}'}"
    yield f"  for: {asked.purpose}"
    yield f"  of snapshot {entry.text('snapshot')[:8]}, by codebook {asked.codebook} ({asked.codebook_hash[:16]})"


def _price(debit: Debit) -> Iterator[str]:
    """Every block, the sum, and the rounding."""
    repriced = debit.repriced
    if repriced is None:
        yield "The price cannot be derived; the findings say why."
        return
    yield from _paid(debit, repriced)
    yield "Price, block by block: D is the most that one household adds, sigma the noise, both in the block's steps."
    blocks, price = repriced.blocks_of(debit.attempt), repriced.of(debit.attempt)
    for block in blocks:
        yield from _block(block)
    charge = debit.entry.money("charge")
    yield f"Sum of {len(blocks)} blocks: {decimal(price.rho)} rho."
    yield f"Times {NANO:,} and rounded up: {price.nano:,} nano-rho."
    yield f"Charged: {charge:,} nano-rho. {_agrees(charge, price.nano)}"


def _paid(debit: Debit, repriced: Repriced) -> Iterator[str]:
    """What part of the programme a debit pays for, where it is not the whole, and who stands behind a national sum."""
    asked, group = debit.asked, None if debit.asked is None else debit.asked.group
    if asked is None or asked.secure is None or group is None:
        return
    most, regional = asked.secure.attempts, repriced.regional.nano
    if debit.attempt:
        yield f"This pays for attempt {debit.attempt} of at most {most} at the national sums; each attempt is charged."
        who = f"of which {group.colluders} may collude and {group.dropouts} drop out"
        yield f"  {group.regions} regions share the noise, {who};"
        if group.sound:
            alone = repriced.national.nano * group.alone
            yield f"  if all others tell, a household is left with {rho_text(alone)} rho of its region's own noise"
    else:
        yield f"This pays for the region's own answer ({rho_text(regional)} rho); national sums are charged by attempt."
        yield f"  with all {most} attempts the programme comes to {rho_text(asked.most)} rho"


def _agrees(charge: int, price: int) -> str:
    if charge == price:
        return "They agree."
    return f"That is {abs(charge - price):,} too {'little' if charge < price else 'much'}."


def _block(block: PricedBlock) -> Iterator[str]:
    derived, signed = block.derived, block.signed
    units = {"household": "household", "adult": "adults", "child": "children"}[derived.unit]
    waves = "" if derived.waves == 1 else f" x {derived.waves} waves"
    yield f"  {derived.id}: {derived.what}; {derived.cells} {'cell' if derived.cells == 1 else 'cells'}"
    times = f"{derived.persons} {units}{waves} x {derived.most} = {derived.bound}, times {signed.multiplier}"
    yield f"    D = {times}{_heaviest(block)} = {block.bound}{_stated(block)}"
    yield f"    sigma = {signed.sigma.numerator}/{signed.sigma.denominator} = {decimal(signed.sigma)}"
    yield f"    (D/sigma)^2 / 2 = {decimal(block.rho)}"


def _heaviest(block: PricedBlock) -> str:
    return f", times {block.weight} (the heaviest region)" if block.national else ""


def _stated(block: PricedBlock) -> str:
    if not block.understated and not block.overstated:
        return ", as the programme says"
    return f"; THE PROGRAMME SAYS that its square is {block.signed.bound_squared}, not {block.bound**2}"


def _caps(state: State, debit: Debit) -> Iterator[str]:
    """Totals against the policy of that moment."""
    entry, cohort = debit.entry, debit.entry.text("cohort")
    held = _in_force(state, entry)
    totals = entry.money("cohort_total"), entry.money("lifetime_total")
    if held is None:
        yield "No validly signed policy was in force."
        return
    caps = held.policy
    cap = nano_down(caps.cohorts.get(cohort, Fraction(0)))
    yield f"Caps by policy version {caps.version}, in force since {held.entry.place}:"
    yield f"  cohort {cohort}: {rho_text(totals[0])} of {rho_text(cap)} rho with this debit"
    yield f"  lifetime: {rho_text(totals[1])} of {rho_text(nano_down(caps.lifetime))} rho with this debit"
    if caps.most_cohorts is not None:
        yield f"    of which only the {caps.most_cohorts} dearest cohorts count: a household is in no more of them"
    whole = entry.money("charge") if debit.asked is None else max(entry.money("charge"), debit.asked.most)
    yield f"  a programme: {rho_text(whole)} of {rho_text(nano_down(caps.programme))} rho"
    decision = debit.decision
    if caps.steward_approves and decision is not None:
        said = "approved" if decision.approved else "declined"
        yield f"  the steward {said} it at {decision.entry.place}"
    elif caps.steward_approves:
        yield "  the steward's approval is asked, and none is in the log"
    else:
        yield "  the policy asks for no approval"


def _in_force(state: State, entry: LoggedEntry) -> InForce | None:
    before = [held for held in state.policies if (held.entry.epoch, held.entry.seq) < (entry.epoch, entry.seq)]
    return before[-1] if before else None


def _witnesses(examined: Examined, state: State, debit: Debit) -> Iterator[str]:
    """The checkpoints between the debit and what used it up, and the first behind that."""
    entry, answered = debit.entry, debit.answered or debit.attempted
    heads, log = examined.evidence.heads, origin(state.region, entry.epoch)
    tree = examined.walked[state.region].trees[entry.epoch]
    until = tree.size if answered is None else answered.index
    between = [head for head in heads.between(log, entry.index, until) if fits(tree, head)]
    behind = [] if answered is None else [head for head in heads.after(log, answered.index) if fits(tree, head)]
    left = "vector" if debit.attempt else "answer"
    if answered is None:
        yield "It was never answered: charged, and dead."
    elif answered.event == "attempted":
        listed = answered.text("participants")[:16]
        yield f"A masked vector left at {answered.place}, {moment(answered.time)}; its list of regions is {listed}."
        yield from _sum(examined, state, debit)
    else:
        yield f"Answered at {answered.place}, {moment(answered.time)}; answer {answered.text('answer')[:16]}."
    for name, found in (("Before rows were read", between), (f"Before the {left} left", behind[:1])):
        for head in found:
            who = sorted((examined.evidence.cosigner(key), min(times)) for key, times in head.times.items())
            by = ", ".join(f"{cosigner} at {moment(time)}" for cosigner, time in who)
            yield f"{name}: a checkpoint of {head.size} entries, cosigned by {by or 'nobody'}."


def _sum(examined: Examined, state: State, debit: Debit) -> Iterator[str]:
    """What came of an attempt, by the coordinator's files and by the region's own log."""
    run = debit.entry.text("programme"), debit.entry.text("run")
    for bundle in examined.evidence.of("coordinator"):
        for paper in bundle.papers.values():
            found = examined.evidence.library.national_sum(paper.hash) if paper.kind == "national_sum" else None
            if found is not None and (found.programme, found.run, found.attempt) == (*run, debit.attempt):
                inside = "in it" if state.region in found.regions else "NOT in it"
                yield f"A sum came of it ({bundle.file}, {paper.place}), of {', '.join(found.regions)[:200]}: {inside}."
    if (kept := state.sums.get(run)) is not None:
        yield f"The sums of this run, of attempt {kept.number('attempt')}, were stored at {kept.place}."


def _facts(debit: Debit) -> dict[str, Json]:
    entry, repriced = debit.entry, debit.repriced
    blocks: list[Json] = (
        [] if repriced is None else [_block_facts(block) for block in repriced.blocks_of(debit.attempt)]
    )
    return {
        "event": entry.event,
        "time": entry.time,
        "programme": entry.text("programme"),
        "run": entry.text("run"),
        "cohort": entry.text("cohort"),
        "charge": str(entry.money("charge")),
        "attempt": debit.attempt,
        "price": None if repriced is None else str(repriced.of(debit.attempt).nano),
        "price_exact": None if repriced is None else str(repriced.of(debit.attempt).rho),
        "blocks": blocks,
        "answered": None if debit.answered is None else debit.answered.place,
        "attempted": None if debit.attempted is None else debit.attempted.place,
    }


def _block_facts(block: PricedBlock) -> Json:
    derived, signed = block.derived, block.signed
    return {
        "id": derived.id,
        "adds": derived.what,
        "unit": derived.unit,
        "persons": derived.persons,
        "waves": derived.waves,
        "most": str(derived.most),
        "bound": str(derived.bound),
        "multiplier": str(signed.multiplier),
        "mode": derived.mode,
        "weight": str(block.weight),
        "cells": str(derived.cells),
        "sigma": str(signed.sigma),
        "rho": str(block.rho),
        "stated_bound_squared": str(signed.bound_squared),
    }
