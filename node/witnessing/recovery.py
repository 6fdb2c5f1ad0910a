"""What witnesses remember of a region, asked by a node that starts anew (see node/recovering.py)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import wait
from dataclasses import dataclass

from rondgang.errors import ContractError
from rondgang.keys import PublicKey
from rondgang.notes import Checkpoint
from rondgang.roles import Role
from rondgang.signed import Signed

from node.home import Home
from node.recovering import Last, TooFew
from node.witnessing.contradiction import own_checkpoint
from node.witnessing.rule import cosigner, least_sound
from node.witnessing.said import Away, Exchanged, Line
from node.witnessing.wire import GrpcLine
from policies.documents import BadDocument, from_canonical
from policies.rules.region_policy import RegionPolicy, WitnessRule
from policies.study.roster import Roster, witnesses


@dataclass(frozen=True, slots=True)
class _Said:
    """What one witness remembers: nothing, or a checkpoint that it cosigned. `independent` of the coordinator."""

    by: str
    independent: bool
    checkpoint: Checkpoint | None


@dataclass(frozen=True, slots=True)
class Asking:
    """For whom is asked: the region, every key of its, and by which rule and time (unix seconds)."""

    region: str
    keys: frozenset[PublicKey]
    roster: Roster
    rule: WitnessRule
    now: int


def ask(home: Home, roster: Roster, now: int) -> Last | TooFew:
    """The newest checkpoint that any witness of the home's settings saw of its region, at `now` (unix seconds).

    Takes at most as long as the settings wait for witnesses. Raises BadHome.
    """
    config = home.config()
    lines = [GrpcLine(home, address, config.reconnect) for address in config.watchers]
    try:
        asking = Asking(config.region, _keys(home, config.region, roster), roster, _rule(home), now)
        return ask_all(lines, asking, config.witnessing.within_ms / 1000)
    finally:
        for line in lines:
            line.close()


def ask_all(lines: Sequence[Line], asking: Asking, within_s: float) -> Last | TooFew:
    """As `ask`, over lines of which the first goes to the coordinator."""
    asked = [line.exchange((), within_s) for line in lines]
    wait(asked, timeout=within_s)
    told = [(line, future.result()) for line, future in zip(lines, asked, strict=True) if future.done()]
    said: dict[str, _Said] = {}
    for line, one in told:
        if not isinstance(one, Away) and (found := _said(line, one, asking, independent=line is not lines[0])):
            said[found.by] = found
    of = len(witnesses(asking.roster, asking.now))
    need = asking.rule.need if asking.rule.sound(of) else least_sound(of, asking.rule.faulty)
    if len(said) < need or not any(one.independent for one in said.values()):
        return TooFew(
            f"{len(said)} of the roster's {of} witnesses said what they saw last; {need} must, one of them independent "
            "of the coordinator. Try again when more can be reached; see `witnesses` in config.yaml."
        )
    newest = _newest(said.values())
    return Last(newest, tuple(sorted(said)), _split(newest, said.values()))


def _said(line: Line, told: Exchanged, asking: Asking, *, independent: bool) -> _Said | None:
    """None for a note that this region never signed, or that no live witness cosigned: that is no answer."""
    if told.own is None:
        return _Said(line.address, independent, None)
    found = cosigner(told.own, asking.roster, asking.now)
    checkpoint = own_checkpoint(told.own, asking.region, asking.keys)
    if found is None or checkpoint is None:
        return None
    return _Said(found[0].name, found[0].role is Role.WITNESS, checkpoint)


def _newest(said: Iterable[_Said]) -> Checkpoint | None:
    """The latest epoch and largest size; of two histories the one that more witnesses hold."""
    held = Counter(one.checkpoint for one in said if one.checkpoint is not None)
    return max(held, key=lambda one: (one.epoch, one.size, held[one]), default=None)


def _split(newest: Checkpoint | None, said: Iterable[_Said]) -> bool:
    """Whether another witness holds another history of the same epoch and size."""
    held = {one.checkpoint for one in said if one.checkpoint is not None}
    return newest is not None and any(
        (one.epoch, one.size) == (newest.epoch, newest.size) and one.root != newest.root for one in held
    )


def _keys(home: Home, region: str, roster: Roster) -> frozenset[PublicKey]:
    """Every key that ever signed for the region, as far as roster and home know: a renewed one too."""
    listed = {one.keys["checkpoint"] for one in roster.members if one.role is Role.REGION and one.region == region}
    return frozenset({home.signing_key("checkpoint").public, *map(PublicKey.from_hex, listed)})


def _rule(home: Home) -> WitnessRule:
    """That of the policy as it lies in the home, or what a policy says by default."""
    try:
        signed = Signed.from_bytes((home.adopted / "policy.json").read_bytes())
        return from_canonical(RegionPolicy, signed.document).witnesses
    except (OSError, ContractError, BadDocument):
        return WitnessRule()
