"""Makes a home as the version that is checked out leaves it: `python -m tests.vectors.make_old_home FILE.tar.gz`.

Run it once for each release, and keep the file in tests/vectors/homes/: later versions must open it. One programme was
answered, one refused; the answer's bytes are in `answer.json` beside the home.
"""

from __future__ import annotations

import sys
import tarfile
import tempfile
from pathlib import Path

from tests.node_world import World, import_rows, make_home
from tests.small_study import heading, planned

OTHER_RUN = "run-fedcba9876543210"
"""A run stands for one programme."""


def main(out: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        home = make_home(root / "home")
        import_rows(home)
        world = World(home)
        answer = world.ask()
        assert isinstance(answer, bytes)
        world.ask(planned().model_copy(update={"programme": heading(id="elsewhere", cohort="c9")}), OTHER_RUN)
        world.region.close()
        (root / "answer.json").write_bytes(answer)
        with tarfile.open(out, "w:gz") as packed:
            for name in ("home", "answer.json"):
                packed.add(root / name, name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
