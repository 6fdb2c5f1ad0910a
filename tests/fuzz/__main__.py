"""The command: `python -m tests.fuzz`. See the package."""

from __future__ import annotations

import argparse
import os
import sys
import time

from tests.fuzz.corpus import keep, kept, write_seeds
from tests.fuzz.decoder import Decoder
from tests.fuzz.decoders import DECODERS
from tests.fuzz.files import tidy
from tests.fuzz.run import Tally, feed
from tests.fuzz.seeds import seeds

_LEAST = 50


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000, help="inputs of all decoders together")
    parser.add_argument("--decoder", action="append", default=[], help="only these; more than once for several")
    parser.add_argument("--seed", type=int, default=1, help="another stream of changes")
    parser.add_argument("--seconds", type=float, help="stop a decoder after so long")
    parser.add_argument("--part", default="1/1", help="this part of the decoders only, such as 2/2")
    parser.add_argument("--keep", action="store_true", help="add what broke something to the corpus")
    parser.add_argument("--seeds", action="store_true", help="write the honest inputs of the corpus anew, and stop")
    return parser.parse_args()


def _chosen(given: argparse.Namespace) -> list[Decoder]:
    part, parts = map(int, given.part.split("/"))
    wanted = [one for one in DECODERS if not given.decoder or one.name in given.decoder]
    return [one for number, one in enumerate(wanted) if number % parts == part - 1]


def _line(tally: Tally) -> str:
    per_ms = 1_000 * tally.seconds / max(tally.inputs, 1)
    return (
        f"{tally.decoder:<26}{tally.inputs:>9}{tally.taken:>9}{tally.refused:>9}{tally.ways:>7}"
        f"{per_ms:>9.3f}{1_000 * tally.slowest_s:>9.0f}{len(tally.faults):>7}"
    )


def main() -> int:
    """Feeds the decoders and tells. 0 where nothing broke, else 1."""
    given = _arguments()
    if given.seeds:
        print(f"{write_seeds()} decoders have honest inputs.")
        return 0
    os.nice(10)
    chosen, every = _chosen(given), sum(one.share for one in DECODERS)
    if given.decoder:
        every = sum(one.share for one in chosen)
    print(f"{'decoder':<26}{'inputs':>9}{'taken':>9}{'refused':>9}{'ways':>7}{'ms each':>9}{'slowest':>9}{'faults':>7}")
    total, faults = 0, 0
    for decoder in chosen:
        count = max(_LEAST, round(given.inputs * decoder.share / every))
        until = None if given.seconds is None else time.monotonic() + given.seconds
        held = (*seeds()[decoder.name], *kept(decoder.name))
        tally = feed(decoder, held, count, given.seed, until)
        total, faults = total + tally.inputs, faults + len(tally.faults)
        print(_line(tally), flush=True)
        for what, where in {(fault.what[:80], fault.where) for fault in tally.faults}:
            print(f"  {what}\n{where}", flush=True)
        if given.keep:
            # One of each kind is enough.
            names = keep({fault.where[-300:]: fault for fault in tally.faults}.values())
            print("".join(f"  kept as {name}\n" for name in names), end="")
    tidy()
    print(f"{total} inputs, {faults} faults")
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
