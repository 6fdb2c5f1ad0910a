"""The first inputs of every decoder: what honest parties send, taken from the made-up federation and what we ship.

python -m tests.fuzz --seeds      writes those that are small into the corpus anew; what was found stays
"""

from __future__ import annotations

import base64
import io
import itertools
import json
import tarfile
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
from google.protobuf.message import Message
from rondgang import canonical
from rondgang.bundles import frame, records, seal
from rondgang.roles import Party, Role
from rondgang.tls import new_tls_key
from rondgang.v1 import attend_pb2, desk_pb2, witness_pb2

from compose.consortium.authority import pem
from node.backup import MAGIC
from policies.documents import to_canonical
from policies.rules.result import COLUMNS
from tests import small_study
from tests.applicants import Applicant, signing_key
from tests.applicants import authority as new_authority
from tests.made_up import honest_files

SHIPPED = Path(__file__).resolve().parents[2] / "policies" / "shipped"
_SMALL = 12_000


@cache
def _found() -> dict[str, list[dict[str, Any]]]:
    """Every record of every honest bundle, by its type."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for data in honest_files().values():
        for record in records(data):
            found[record.type].append(dict(record.value))
    return found


@cache
def envelopes() -> dict[str, tuple[bytes, ...]]:
    """Signed documents as they are sent, by kind, without repeats."""
    found: dict[str, dict[bytes, None]] = defaultdict(dict)
    for record in (*_found()["document"], *_found()["answer"]):
        found[record["signed"]["kind"]][canonical.encode(record["signed"])] = None
    return {kind: tuple(of_kind) for kind, of_kind in found.items()}


def signed_of(kind: str) -> tuple[bytes, ...]:
    return envelopes()[kind]


@cache
def documents() -> dict[str, tuple[bytes, ...]]:
    """The canonical bytes of documents, by kind."""
    found: dict[str, dict[bytes, None]] = defaultdict(dict)
    for record in (*_found()["document"], *_found()["answer"]):
        found[record["signed"]["kind"]][canonical.encode(record["signed"]["document"])] = None
    for record in _found()["entry"]:
        found["entry"][canonical.encode(record["entry"])] = None
    return {kind: tuple(of_kind) for kind, of_kind in found.items()}


def _texts() -> dict[str, list[bytes]]:
    shipped = {path.name: path.read_bytes() for path in sorted(SHIPPED.rglob("*.yaml"))}
    config = b"role: %s\nname: One\n"
    return {
        "yaml_calendar": [small_study.CALENDAR.encode()],
        "yaml_codebook": [small_study.CODEBOOK.encode()],
        "yaml_draft": [small_study.DRAFT.encode(), shipped["cohort3.programme.yaml"]],
        "planned": [small_study.DRAFT.encode()],
        "yaml_mapping": [shipped["mapping.example.yaml"]],
        "yaml_policy": [small_study.POLICY.encode(), shipped["region.policy.yaml"]],
        "yaml_targets": [shipped["targets.example.yaml"]],
        "yaml_desk_config": [config % b"coordinator" + b"listen: 127.0.0.1:0\nquote_timeout_s: 5\n"],
        "yaml_researcher_config": [config % b"researcher" + b"coordinator: desk.example.nl:443\n"],
        "yaml_witness_config": [config % b"witness" + b"listen: 0.0.0.0:443\n"],
        "yaml_node_config": [
            b"region: FR\ncoordinator: {address: 'desk.example.nl:443'}\nwitnesses: [{address: 'w.example.nl:443'}]\n",
            b"region: FR\ncoordinator: {address: 'a:1', name: b}\nlang: en\nreconnect: {first_wait_ms: 250}\n",
            b"region: FR\ncoordinator: {address: 'a:1'}\nquiet_hours: {from: '22:00', to: '06:00'}\n",
        ],
        "condition": [
            b"incidents == 0", b"incidents < 3 and not (state@T0 == none or missing(profile))",
            b"grade in {0..1.5}", b"profile in {1, 12a}", b"help@T0 == yes or help != no",
        ],
        "numbers": [b"0.185", b"1e-6", b"12345678901234567890", b"-0"],
        "role": [Party(Role.REGION, "FR").uri.encode(), Party(Role.RESEARCHER).uri.encode()],
        "public_key": [signing_key("fuzz").public.hex.encode()],
    }  # fmt: skip


def _contract() -> dict[str, list[bytes]]:
    notes = [record["note"].encode() for record in _found()["checkpoint"][:6]]
    small = b"".join(seal(map(frame, _few_records()), signing_key("fuzz")))
    everything = [data for kind in documents().values() for data in kind[:2]]
    return {
        "canonical": everything,
        "signed": [data for kind in envelopes().values() for data in kind[:2]],
        "note": notes,
        "checkpoint": [note.partition(b"\n\n")[0] + b"\n" for note in notes],
        "bundle": [small],
        "bundle_read": [small],
        "bundle_judged": [small, honest_files()["auditor.bundle"]],
        "proof": [bytes(8) + b"\x03" + bytes(8) + b"\x07" + bytes(8) + b"\x02" + bytes(range(32)) * 4],
        "committed": list(documents()["entry"][:8]),
        "leaves": [b"\n".join(documents()["entry"][:3])],
        "signing_key": [signing_key("fuzz").to_pem(), new_tls_key()],
        "certificate": [pem(new_authority().root), *_certificates()],
        "certificate_taken_in": [one + b"\0" + pem(new_authority().root) for one in _certificates()],
        "certificate_examined": [len(own).to_bytes(2, "big") + own + root for own, root in _pairs()],
        "certificate_request": [Applicant.new(Role.REGION, "FR").request.csr.encode()],
        "enrolment": [
            to_canonical(Applicant.new(role, "FR" if role is Role.REGION else None).request) for role in Role
        ],
        "shares": [bytes(range(32)) + b"".join(bytes([0] * 32 + [at]) for at in range(5))],
    }


def _certificates() -> list[bytes]:
    return [
        b"-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n" % record["der"].encode()
        for record in _found()["certificate"][:3]
    ]


def _pairs() -> list[tuple[bytes, bytes]]:
    """Certificates and their root, in DER."""
    ders = [base64.b64decode(record["der"]) for record in _found()["certificate"][:4]]
    return list(itertools.pairwise(ders))


def _few_records() -> list[dict[str, Any]]:
    """The header, one record of each type, and nothing after."""
    first: dict[str, dict[str, Any]] = {}
    for record in records(honest_files()["FR.bundle"]):
        value: dict[str, Any] = dict(record.value)
        kind = record.type if record.type != "document" else f"document {value['signed']['kind']}"
        first.setdefault(kind, value)
    return [record for record in first.values() if record["record"] != "signature"]


def _wire() -> dict[str, list[bytes]]:
    programme, order, answer = (signed_of(kind)[0] for kind in ("programme", "order", "answer"))
    keys, seen, total = (signed_of(kind)[0] for kind in ("secure_keys", "seen", "national_sum"))
    box = attend_pb2.SecureBox(region="FR", box=bytes(148))
    to_desk = [
        attend_pb2.AttendRequest(
            hello=attend_pb2.Hello(versions=(1,), software="fuzz", region="FR", roster_hash=bytes(32))
        ),
        attend_pb2.AttendRequest(reply=attend_pb2.Reply(run="run-0123456789abcdef", signed_answer=answer)),
        attend_pb2.AttendRequest(
            quote=attend_pb2.Quote(quote="q", charge="185000000", left_cohort="1", left_lifetime="2")
        ),
        attend_pb2.AttendRequest(results_kept=attend_pb2.ResultsKept(run="run-1", result_hash=bytes(32))),
        attend_pb2.AttendRequest(secure=attend_pb2.SecureReply(run="run-1", attempt=1, signed_keys=keys)),
        attend_pb2.AttendRequest(
            secure=attend_pb2.SecureReply(run="run-1", attempt=1, boxes=attend_pb2.SecureBoxes(boxes=[box]))
        ),
        attend_pb2.AttendRequest(
            secure=attend_pb2.SecureReply(
                run="r", attempt=1, shares=attend_pb2.SecureShares(own=[box], taken_back=[b"a"])
            )
        ),
    ]
    to_node = [
        attend_pb2.AttendResponse(welcome=attend_pb2.Welcome(version=1, software="desk")),
        attend_pb2.AttendResponse(
            rejected=attend_pb2.Rejected(reason="REFUSAL_REASON_REVOKED", sentence="no", versions=(1, 2))
        ),
        attend_pb2.AttendResponse(order=attend_pb2.Order(run="r", signed_order=order, signed_programme=programme)),
        attend_pb2.AttendResponse(quote_request=attend_pb2.QuoteRequest(quote="q", signed_programme=programme)),
        attend_pb2.AttendResponse(
            secure=attend_pb2.SecureRound(run="r", attempt=1, unmask=attend_pb2.SecureUnmask(signed_seen=[seen]))
        ),
        attend_pb2.AttendResponse(
            secure=attend_pb2.SecureRound(run="r", attempt=1, done=attend_pb2.SecureDone(signed_sum=total))
        ),
    ]
    note = _found()["checkpoint"][0]["note"].encode()
    proof = [bytes([at]) * 32 for at in range(3)]
    refused = witness_pb2.NotCosigned(reason="NOT_COSIGNED_REASON_FORKED", note=note)
    brought = witness_pb2.AddCheckpointRequest(note=note, old_size=3, proof=proof, first_entry=documents()["entry"][0])
    region = desk_pb2.RegionPrice(region="FR", decision="granted", charge="185000000", left_cohort="1")
    progress = desk_pb2.RegionProgress(region="FR", state="answered", answered=3)
    rows = canonical.encode([])
    found: dict[str, Sequence[Message]] = {
        "desk_hears_node": to_desk,
        "node_hears_desk": to_node,
        "witness_hears_checkpoint": [brought],
        "witness_hears_exchange": [witness_pb2.ExchangeRequest(notes=[note, note])],
        "node_hears_witness": [
            witness_pb2.AddCheckpointResponse(cosignature=note.rpartition(b"\n\n")[2]),
            witness_pb2.AddCheckpointResponse(conflict=witness_pb2.Conflict(size=7, note=note)),
            witness_pb2.AddCheckpointResponse(not_cosigned=refused),
        ],
        "node_hears_exchange": [witness_pb2.ExchangeResponse(own=note, notes=[note])],
        "researcher_hears_prices": [desk_pb2.PriceResponse(prices=desk_pb2.Prices(regions=[region], run="run-1"))],
        "researcher_hears_run": [desk_pb2.SubmitResponse(run="run-1", existed=True)],
        "researcher_hears_progress": [
            desk_pb2.WatchResponse(run="run-1", state="asking", regions=[progress], deadline=1_800_000_000),
            desk_pb2.WatchResponse(
                run="r", state="asking", national=desk_pb2.NationalProgress(state="keys", attempt=1)
            ),
        ],
        "researcher_hears_results": [
            desk_pb2.ResultsResponse(
                results=desk_pb2.Results(run="r", state="complete", rows_json=rows, signed_answers=[answer])
            )
        ],
        "researcher_hears_trends": [desk_pb2.TrendsResponse(rows_json=rows)],
        "researcher_hears_study": [desk_pb2.StudyResponse(signed_roster=signed_of("roster")[0])],
    }
    return {name: [message.SerializeToString() for message in messages] for name, messages in found.items()}


def _session() -> dict[str, list[bytes]]:
    programme, order = signed_of("programme")[0], signed_of("order")[0]
    row: dict[str, Any] = {name: None if name in ("estimate", "std_error") else "1" for name in COLUMNS}
    row["cell"] = {"profile": "1"}
    return {
        "rows": [json.dumps([row, row]).encode()],
        "trends": [b"[]", b'[{"cohort":"c1"}]'],
        "desk_admits_programme": list(signed_of("programme")[:4]),
        "plan_verified": list(documents()["programme"][:6]),
        "desk_admits_answer": list(signed_of("answer")[:3]),
        "node_reads_programme": list(signed_of("programme")[:4]),
        "node_reads_order": [order + b"\0" + programme],
        "node_reads_result": [programme],
        "adopted": [data for kind in ("roster", "calendar", "codebook") for data in signed_of(kind)[:1]],
        "control": [b'{"do":"status","arguments":{"a":"b"},"token":"00"}', b'{"result":"{}","fault":""}'],
    }


def _deliveries() -> dict[str, list[bytes]]:
    rows = [
        ["hh_id", "wave", "incidents", "severe", "profile", "help", "change"],
        ["h1", "T0", "5", "no", "1", "", "1.5"],
        ["h1", "T1", "0", "yes", "1", "some", ""],
        ["h2", "T1", "999", "no", "2", "none", "-3"],
    ]
    csv = "".join(";".join(row) + "\n" for row in rows)
    book, out = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(out)
    table = pa.table({name: [row[at] for row in rows[1:]] for at, name in enumerate(rows[0])})
    parquet = io.BytesIO()
    pq.write_table(table, parquet)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        told = b'{"region": "FR", "made": 1, "entries": 2, "keys": true, "data": true, "format": 1}'
        member = tarfile.TarInfo("backup.json")
        member.size = len(told)
        archive.addfile(member, io.BytesIO(told))
    return {
        "csv": [csv.encode(), csv.replace(";", ",").encode(), b"\xef\xbb\xbf" + csv.encode()],
        "csv_utf16": [csv.encode("utf-16")],
        "excel": [out.getvalue()],
        "parquet": [parquet.getvalue()],
        "spss": [_sav(rows)],
        "delivery": [csv.encode()],
        "backup": [MAGIC + bytes(32 + 12 + 64)],
        "backup_archive": [packed.getvalue()],
    }


def _sav(rows: list[list[str]]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "small.sav"
        pyreadstat.write_sav(pd.DataFrame(rows[1:], columns=rows[0]), path)
        return path.read_bytes()


@cache
def seeds() -> dict[str, tuple[bytes, ...]]:
    """Honest inputs of every decoder, by its name."""
    found = _texts() | _contract() | _wire() | _session() | _deliveries()
    for kind, held in documents().items():
        found[f"canonical_{kind}"] = list(held[:6])
    # Kinds that no bundle of evidence holds: they start from a document that is nearly one.
    found.setdefault("canonical_opening", list(documents()["national_sum"]))
    found.setdefault("canonical_result", list(documents()["national_sum"]))
    return {name: tuple(held) for name, held in found.items()}


def small(held: Iterable[bytes], most: int = 4) -> list[str]:
    """Those that are kept in the repository, as base64: the smallest few."""
    fit = sorted((data for data in held if len(data) <= _SMALL), key=len)[:most]
    return [base64.b64encode(data).decode("ascii") for data in fit]
