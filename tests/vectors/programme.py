"""The golden programme of version 1: the small study's documents, and its programme as planned at three prices."""

from rondgang import canonical

from policies.documents import to_canonical
from tests import small_study

PRICES = ("0.2", "0.0005", "40")
"""An ordinary price, one with much noise, and one that needs multipliers."""


def vectors() -> list[canonical.Json]:
    """Each document's name, canonical bytes as text, and their SHA-256."""
    documents = {
        "codebook": small_study.codebook(),
        "calendar": small_study.calendar(),
        "draft": small_study.draft(),
        "policy": small_study.region_policy(),
        **{f"programme at {rho} rho": small_study.planned(rho=rho) for rho in PRICES},
    }
    found: list[canonical.Json] = []
    for name, document in documents.items():
        data = to_canonical(document)
        found.append({"name": name, "sha256": canonical.digest(data), "bytes": data.decode("utf-8")})
    return found
