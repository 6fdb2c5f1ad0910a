"""What is said in the rounds of an attempt, as values: nothing that came in is believed yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from node.secure.party import Shares
from policies.rules.refusals import Refused


@dataclass(frozen=True, slots=True)
class Begin:
    """Draw keys. Both documents are signed canonical bytes, as all of them are here."""

    signed_order: bytes
    signed_programme: bytes


@dataclass(frozen=True, slots=True)
class Share:
    """Who takes part, with everybody's keys: seal shares for each of them."""

    signed_participants: bytes
    signed_keys: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Send:
    """Who sealed, and what they sealed for this region, by sender: charge, read, mask and send."""

    signed_sharing: bytes
    boxes: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class ShowList:
    """Whose vectors came: sign this list and no other."""

    signed_survivors: bytes


@dataclass(frozen=True, slots=True)
class Unmask:
    """The signatures under that list: give what takes the masks off, and the noise that is not needed."""

    signed_seen: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Aborted:
    """The attempt is over without a sum."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Done:
    """The finished sum."""

    signed_sum: bytes


Round = Begin | Share | Send | ShowList | Unmask | Aborted | Done


@dataclass(frozen=True, slots=True)
class Keys:
    signed_keys: bytes


@dataclass(frozen=True, slots=True)
class Boxes:
    """By receiver."""

    boxes: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Vector:
    masked: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SeenList:
    signed_seen: bytes


@dataclass(frozen=True, slots=True)
class SumKept:
    """The hash (hex) of the finished sum's document, which is stored."""

    sum_hash: str


Reply = Keys | Boxes | Vector | SeenList | Shares | SumKept | Refused
