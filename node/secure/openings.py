"""The openings of this node's commitments: in its home, and nowhere else."""

from __future__ import annotations

from pathlib import Path

from node.errors import BadDelivery
from node.files import make_folder, write_private
from node.home import Home
from policies.documents import BadDocument, from_canonical, to_canonical
from policies.secure.opening import Opening


def keep_opening(home: Home, opening: Opening) -> None:
    """Writes an opening, for its owner alone. Durable on return."""
    make_folder(home.openings)
    write_private(opening_file(home, opening.run, opening.attempt), to_canonical(opening))


def read_opening(home: Home, run: str, attempt: int) -> Opening | None:
    """What the vector of an attempt was made of; None where there is no such file. Raises BadDelivery."""
    path = opening_file(home, run, attempt)
    try:
        return from_canonical(Opening, path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, BadDocument) as error:
        # Without `from`: what is quoted could be a sum.
        raise BadDelivery(f"{path} cannot be read ({type(error).__name__})") from None


def opening_file(home: Home, run: str, attempt: int) -> Path:
    return home.openings / f"{run}-{attempt}.json"
