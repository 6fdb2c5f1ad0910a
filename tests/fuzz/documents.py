"""Decoders of documents: the canonical bytes of every kind that is signed or stored, and YAML that people write."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from audit.home import WitnessConfig
from coordinator.home import CoordinatorConfig, ResearcherConfig
from coordinator.planning.targets import Targets
from node.home import Config
from policies.documents import BadDocument, Document, from_canonical, parse_yaml, to_canonical
from policies.rules.approval import Approval
from policies.rules.entries import Entry
from policies.rules.order import Order
from policies.rules.region_policy import RegionPolicy
from policies.rules.result import Result
from policies.rules.tick import tick_of
from policies.secure.masks import agree
from policies.secure.opening import Opening
from policies.secure.rounds import NationalSum, Participants, SecureKeys, Seen, Sharing, Survivors, group_of
from policies.secure.shares import combine
from policies.statistics.answer import Answer
from policies.statistics.compile import BadStatistic
from policies.statistics.plan import BadPlan, plan
from policies.statistics.programme import Draft, Programme
from policies.study.calendar import Calendar
from policies.study.codebook import Codebook
from policies.study.enrolment import EnrolmentRequest
from policies.study.expressions.parse import BadExpression, Scope, parse, spell
from policies.study.mapping import Mapping
from policies.study.roster import Roster
from policies.units.exact import decimal_text, parse_decimal, parse_digits
from tests import small_study
from tests.fuzz.decoder import Decoder, of_text

CANONICAL: dict[str, type[Document]] = {
    "answer": Answer,
    "approval": Approval,
    "calendar": Calendar,
    "codebook": Codebook,
    "entry": Entry,
    "national_sum": NationalSum,
    "opening": Opening,
    "order": Order,
    "participants": Participants,
    "policy": RegionPolicy,
    "programme": Programme,
    "result": Result,
    "roster": Roster,
    "secure_keys": SecureKeys,
    "seen": Seen,
    "sharing": Sharing,
    "survivors": Survivors,
}
YAML: dict[str, type[Document]] = {
    "calendar": Calendar,
    "codebook": Codebook,
    "desk_config": CoordinatorConfig,
    "draft": Draft,
    "mapping": Mapping,
    "node_config": Config,
    "policy": RegionPolicy,
    "researcher_config": ResearcherConfig,
    "targets": Targets,
    "witness_config": WitnessConfig,
}
_LOCAL = frozenset({Mapping, Config, CoordinatorConfig, ResearcherConfig, WitnessConfig})


def _canonical(model: type[Document]) -> Callable[[bytes], object]:
    def read(data: bytes) -> object:
        document = from_canonical(model, data)
        if isinstance(document, Programme):
            tick_of(document, 25)
            try:
                group_of(document)
            except ValueError:
                # Documented: a programme whose group cannot be; whoever asks refuses it.
                return None
        return document

    return read


def _yaml(model: type[Document]) -> Callable[[bytes], object]:
    """What is signed or hashed later on must have canonical bytes; a mapping and settings stay where they are."""

    def read(text: str) -> object:
        document = parse_yaml(model, text, "fuzz.yaml")
        return document if model in _LOCAL else to_canonical(document)

    return of_text(read)


def _planned(text: str) -> object:
    """A draft as the researcher's own client plans it."""
    draft = parse_yaml(Draft, text, "fuzz.yaml")
    return plan(draft, small_study.codebook(), small_study.calendar(), small_study.hashes(), small_study.OPEN)


@cache
def _scope() -> Scope:
    return Scope(small_study.codebook().columns, "household", "T1")


def _condition(text: str) -> object:
    return spell(parse(text, _scope()), _scope())


def _keys(data: bytes) -> object:
    """Another party's key and shares, whatever they are."""
    shares = {place + 1: data[at : at + 33] for place, at in enumerate(range(32, len(data), 33))}
    return combine(shares, 4), agree(b"\x07" * 32, data[:32].ljust(32, b"\0"), b"info")


def _numbers(text: str) -> object:
    return parse_decimal(decimal_text(parse_decimal(text))), parse_digits(text)


DECODERS = (
    *(Decoder(f"canonical_{kind}", _canonical(model), (BadDocument,)) for kind, model in CANONICAL.items()),
    *(Decoder(f"yaml_{kind}", _yaml(model), (BadDocument,), 0.25) for kind, model in YAML.items()),
    Decoder("enrolment", EnrolmentRequest.read, (BadDocument,)),
    Decoder("planned", of_text(_planned), (BadDocument, BadPlan, BadStatistic, BadExpression), 0.1),
    Decoder("condition", of_text(_condition), (BadExpression,), 2),
    Decoder("shares", _keys, (ValueError,), 0.5),
    Decoder("numbers", of_text(_numbers), (ValueError,)),
)
