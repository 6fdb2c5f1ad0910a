"""The demo's programme: the shipped starter, labelled synthetic, for the regions that take part."""

from __future__ import annotations

from collections.abc import Sequence

from compose.demo.federation import SHIPPED

_MODELINE = "# yaml-language-server: $schema=../schemas/programme.schema.json\n"
_HEADER = "# SYNTHETIC: this copy was asked of synthetic data. Its answers are not study results.\n"


def demo_programme(regions: Sequence[str] | None) -> str:
    """The YAML of the shipped programme, marked `data: synthetic`; `regions` when only some of the cohort take part."""
    text = (SHIPPED / "cohort3.programme.yaml").read_text(encoding="utf-8")
    # The first line tells editors where the schema is: beside the original.
    text = _replaced(text, _MODELINE, "")
    text = _replaced(text, "  cohort: c3\n", "  cohort: c3\n  data: synthetic\n")
    if regions is not None:
        weights = ", ".join(f'{region}: "1"' for region in regions)
        text = _replaced(text, "weights: equal", f"weights: {{{weights}}}")
    return _HEADER + text


def _replaced(text: str, old: str, new: str) -> str:
    """`text` with its one occurrence of `old` replaced; a starter that changed shape is a fault, not a silent copy."""
    if text.count(old) != 1:
        raise ValueError(f"the shipped programme has not exactly one line {old.strip()!r}")
    return text.replace(old, new)
