from rondgang.v1 import refusal_pb2 as _refusal_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StudyRequest(_message.Message):
    __slots__ = ("codebook",)
    CODEBOOK_FIELD_NUMBER: _ClassVar[int]
    codebook: str
    def __init__(self, codebook: _Optional[str] = ...) -> None: ...

class StudyResponse(_message.Message):
    __slots__ = ("signed_roster", "signed_calendar", "signed_codebooks")
    SIGNED_ROSTER_FIELD_NUMBER: _ClassVar[int]
    SIGNED_CALENDAR_FIELD_NUMBER: _ClassVar[int]
    SIGNED_CODEBOOKS_FIELD_NUMBER: _ClassVar[int]
    signed_roster: bytes
    signed_calendar: bytes
    signed_codebooks: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, signed_roster: _Optional[bytes] = ..., signed_calendar: _Optional[bytes] = ..., signed_codebooks: _Optional[_Iterable[bytes]] = ...) -> None: ...

class RegionsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RegionsResponse(_message.Message):
    __slots__ = ("regions",)
    REGIONS_FIELD_NUMBER: _ClassVar[int]
    regions: _containers.RepeatedCompositeFieldContainer[RegionState]
    def __init__(self, regions: _Optional[_Iterable[_Union[RegionState, _Mapping]]] = ...) -> None: ...

class RegionState(_message.Message):
    __slots__ = ("region", "attending", "last_seen", "software", "roster_current", "calendar_current")
    REGION_FIELD_NUMBER: _ClassVar[int]
    ATTENDING_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_FIELD_NUMBER: _ClassVar[int]
    SOFTWARE_FIELD_NUMBER: _ClassVar[int]
    ROSTER_CURRENT_FIELD_NUMBER: _ClassVar[int]
    CALENDAR_CURRENT_FIELD_NUMBER: _ClassVar[int]
    region: str
    attending: bool
    last_seen: int
    software: str
    roster_current: bool
    calendar_current: bool
    def __init__(self, region: _Optional[str] = ..., attending: _Optional[bool] = ..., last_seen: _Optional[int] = ..., software: _Optional[str] = ..., roster_current: _Optional[bool] = ..., calendar_current: _Optional[bool] = ...) -> None: ...

class CalendarRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class CalendarResponse(_message.Message):
    __slots__ = ("signed_calendar",)
    SIGNED_CALENDAR_FIELD_NUMBER: _ClassVar[int]
    signed_calendar: bytes
    def __init__(self, signed_calendar: _Optional[bytes] = ...) -> None: ...

class PriceRequest(_message.Message):
    __slots__ = ("signed_programme",)
    SIGNED_PROGRAMME_FIELD_NUMBER: _ClassVar[int]
    signed_programme: bytes
    def __init__(self, signed_programme: _Optional[bytes] = ...) -> None: ...

class PriceResponse(_message.Message):
    __slots__ = ("prices", "refusal")
    PRICES_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    prices: Prices
    refusal: _refusal_pb2.Refusal
    def __init__(self, prices: _Optional[_Union[Prices, _Mapping]] = ..., refusal: _Optional[_Union[_refusal_pb2.Refusal, _Mapping]] = ...) -> None: ...

class Prices(_message.Message):
    __slots__ = ("regions", "run")
    REGIONS_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    regions: _containers.RepeatedCompositeFieldContainer[RegionPrice]
    run: str
    def __init__(self, regions: _Optional[_Iterable[_Union[RegionPrice, _Mapping]]] = ..., run: _Optional[str] = ...) -> None: ...

class RegionPrice(_message.Message):
    __slots__ = ("region", "decision", "refusal", "left_cohort", "left_lifetime", "charge", "test_only")
    REGION_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    LEFT_COHORT_FIELD_NUMBER: _ClassVar[int]
    LEFT_LIFETIME_FIELD_NUMBER: _ClassVar[int]
    CHARGE_FIELD_NUMBER: _ClassVar[int]
    TEST_ONLY_FIELD_NUMBER: _ClassVar[int]
    region: str
    decision: str
    refusal: _refusal_pb2.Refusal
    left_cohort: str
    left_lifetime: str
    charge: str
    test_only: bool
    def __init__(self, region: _Optional[str] = ..., decision: _Optional[str] = ..., refusal: _Optional[_Union[_refusal_pb2.Refusal, _Mapping]] = ..., left_cohort: _Optional[str] = ..., left_lifetime: _Optional[str] = ..., charge: _Optional[str] = ..., test_only: _Optional[bool] = ...) -> None: ...

class SubmitRequest(_message.Message):
    __slots__ = ("signed_programme", "again")
    SIGNED_PROGRAMME_FIELD_NUMBER: _ClassVar[int]
    AGAIN_FIELD_NUMBER: _ClassVar[int]
    signed_programme: bytes
    again: bool
    def __init__(self, signed_programme: _Optional[bytes] = ..., again: _Optional[bool] = ...) -> None: ...

class SubmitResponse(_message.Message):
    __slots__ = ("run", "refusal", "existed")
    RUN_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    EXISTED_FIELD_NUMBER: _ClassVar[int]
    run: str
    refusal: _refusal_pb2.Refusal
    existed: bool
    def __init__(self, run: _Optional[str] = ..., refusal: _Optional[_Union[_refusal_pb2.Refusal, _Mapping]] = ..., existed: _Optional[bool] = ...) -> None: ...

class WatchRequest(_message.Message):
    __slots__ = ("run",)
    RUN_FIELD_NUMBER: _ClassVar[int]
    run: str
    def __init__(self, run: _Optional[str] = ...) -> None: ...

class WatchResponse(_message.Message):
    __slots__ = ("run", "state", "regions", "deadline", "national")
    RUN_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REGIONS_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_FIELD_NUMBER: _ClassVar[int]
    NATIONAL_FIELD_NUMBER: _ClassVar[int]
    run: str
    state: str
    regions: _containers.RepeatedCompositeFieldContainer[RegionProgress]
    deadline: int
    national: NationalProgress
    def __init__(self, run: _Optional[str] = ..., state: _Optional[str] = ..., regions: _Optional[_Iterable[_Union[RegionProgress, _Mapping]]] = ..., deadline: _Optional[int] = ..., national: _Optional[_Union[NationalProgress, _Mapping]] = ...) -> None: ...

class NationalProgress(_message.Message):
    __slots__ = ("state", "attempt", "attempts", "replied", "need", "sentence", "alone")
    STATE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    REPLIED_FIELD_NUMBER: _ClassVar[int]
    NEED_FIELD_NUMBER: _ClassVar[int]
    SENTENCE_FIELD_NUMBER: _ClassVar[int]
    ALONE_FIELD_NUMBER: _ClassVar[int]
    state: str
    attempt: int
    attempts: int
    replied: int
    need: int
    sentence: str
    alone: bool
    def __init__(self, state: _Optional[str] = ..., attempt: _Optional[int] = ..., attempts: _Optional[int] = ..., replied: _Optional[int] = ..., need: _Optional[int] = ..., sentence: _Optional[str] = ..., alone: _Optional[bool] = ...) -> None: ...

class RegionProgress(_message.Message):
    __slots__ = ("region", "state", "refusal", "repeats", "conflicts", "answered")
    REGION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    REPEATS_FIELD_NUMBER: _ClassVar[int]
    CONFLICTS_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_FIELD_NUMBER: _ClassVar[int]
    region: str
    state: str
    refusal: _refusal_pb2.Refusal
    repeats: int
    conflicts: int
    answered: int
    def __init__(self, region: _Optional[str] = ..., state: _Optional[str] = ..., refusal: _Optional[_Union[_refusal_pb2.Refusal, _Mapping]] = ..., repeats: _Optional[int] = ..., conflicts: _Optional[int] = ..., answered: _Optional[int] = ...) -> None: ...

class ResultsRequest(_message.Message):
    __slots__ = ("run",)
    RUN_FIELD_NUMBER: _ClassVar[int]
    run: str
    def __init__(self, run: _Optional[str] = ...) -> None: ...

class ResultsResponse(_message.Message):
    __slots__ = ("results", "refusal")
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    results: Results
    refusal: _refusal_pb2.Refusal
    def __init__(self, results: _Optional[_Union[Results, _Mapping]] = ..., refusal: _Optional[_Union[_refusal_pb2.Refusal, _Mapping]] = ...) -> None: ...

class Results(_message.Message):
    __slots__ = ("run", "state", "signed_programme", "rows_json", "signed_answers", "signed_sum")
    RUN_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SIGNED_PROGRAMME_FIELD_NUMBER: _ClassVar[int]
    ROWS_JSON_FIELD_NUMBER: _ClassVar[int]
    SIGNED_ANSWERS_FIELD_NUMBER: _ClassVar[int]
    SIGNED_SUM_FIELD_NUMBER: _ClassVar[int]
    run: str
    state: str
    signed_programme: bytes
    rows_json: bytes
    signed_answers: _containers.RepeatedScalarFieldContainer[bytes]
    signed_sum: bytes
    def __init__(self, run: _Optional[str] = ..., state: _Optional[str] = ..., signed_programme: _Optional[bytes] = ..., rows_json: _Optional[bytes] = ..., signed_answers: _Optional[_Iterable[bytes]] = ..., signed_sum: _Optional[bytes] = ...) -> None: ...

class TrendsRequest(_message.Message):
    __slots__ = ("run",)
    RUN_FIELD_NUMBER: _ClassVar[int]
    run: str
    def __init__(self, run: _Optional[str] = ...) -> None: ...

class TrendsResponse(_message.Message):
    __slots__ = ("rows_json", "refusal")
    ROWS_JSON_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    rows_json: bytes
    refusal: _refusal_pb2.Refusal
    def __init__(self, rows_json: _Optional[bytes] = ..., refusal: _Optional[_Union[_refusal_pb2.Refusal, _Mapping]] = ...) -> None: ...
