"""Makes a desk's store as the version that is checked out leaves it: `python -m tests.vectors.make_old_store FILE.gz`.

Run it once for each release that changes the store, and keep the file in tests/vectors/stores/: later versions must
open it. One run is complete, with an answer of each region; one still asks, with an answer and a refusal.
"""

from __future__ import annotations

import gzip
import sys
import tempfile
from pathlib import Path

from rondgang.signed import Signed, sign

from coordinator.gather import State
from coordinator.store.store import RunRecord, SeenRecord, Store, open_store
from policies.documents import to_canonical
from policies.rules.refusals import Reason, Refused
from tests.applicants import signing_key
from tests.desk import answer_bytes
from tests.small_study import OPEN, heading, planned

RUNS = {"complete": "run-000000000000000c", "asking": "run-000000000000000a"}


def programme(name: str) -> Signed:
    asked = planned().model_copy(update={"programme": heading(id=name, deadline=4_000_000_000)})
    return sign("programme", to_canonical(asked), signing_key("researcher"))


def answer(name: str, region: str) -> bytes:
    return answer_bytes(region, programme(name), signing_key("AA checkpoint"))


def fill(store: Store) -> None:
    for name, run in RUNS.items():
        signed = programme(name)
        record = RunRecord(run, signed.digest, signed.to_bytes(), OPEN, 4_000_000_000, State.ASKING)
        assert store.open_run(record) == (run, False)
        store.keep_answer(run, "AA", answer(name, "AA"), OPEN + 1)
    for region in ("BB", "CC"):
        store.keep_answer(RUNS["complete"], region, answer("complete", region), OPEN + 2)
    store.keep_answer(RUNS["complete"], "AA", answer("complete", "AA"), OPEN + 3)
    store.note_state(RUNS["complete"], State.COMPLETE)
    store.keep_refusal(RUNS["asking"], "BB", Refused(Reason.OVER_COHORT_CAP, "Eén zin."), OPEN + 2)
    store.note_seen(SeenRecord("AA", OPEN + 4, "rondgang", "r" * 64, "c" * 64))


def main(out: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rondgang.sqlite"
        with open_store(f"sqlite:///{path}") as store:
            fill(store)
        assert not path.with_name(f"{path.name}-wal").exists()
        # Without a name and a time, so that the same store gives the same file.
        out.write_bytes(gzip.compress(path.read_bytes(), mtime=0))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
