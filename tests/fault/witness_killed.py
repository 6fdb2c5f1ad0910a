"""A witness process that dies by SIGKILL at one commit: arguments HOME, MOMENT (`before` or `durable`) and COMMIT.

It is the real witness but for its store, which kills the process just before, or just after, that commit is on disk.
The port stands in HOME/port.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rondgang.keys import SigningKey

from audit.files import write
from audit.home import Home
from audit.witness.schema import connect
from audit.witness.service import running
from audit.witness.store import Store
from policies.rules.witness import Ask, Reply


class Dying(Store):
    """Counts commits of checkpoints, from 1."""

    moment = ""
    commit = 0

    def add(self, asks: Sequence[Ask], key: SigningKey, now: int) -> list[Reply]:
        self.commit -= 1
        if self.commit == 0 and self.moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        replies = super().add(asks, key, now)
        if self.commit == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return replies


async def main(home: Home, moment: str, commit: int) -> None:
    store = Dying(connect(home.store))
    store.moment, store.commit = moment, commit
    async with running(home, home.config(), store, lambda: int(time.time())) as port:
        write(home.folder / "port", f"{port}\n".encode("ascii"))
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Home(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3])))
