"""Figures of earlier cohorts as they were published, with where: shown beside a study's own, never mixed with them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from policies.documents import Document, load_yaml, misplaced
from policies.statistics.statistic import Statistic
from policies.study.codebook import Codebook
from policies.study.text import CohortId, Name, Text
from policies.units.exact import Exact

_SHIPPED = Path(__file__).resolve().parents[1] / "shipped"
CodebookLabel = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*@[1-9][0-9]*$")]
"""A codebook's id and version, such as cohort3@1."""


class Source(Document):
    """Where a figure was published: a title, and an address or a place in print."""

    title: str
    where: str


class PublishedFigure(Document):
    """One figure. `asked` says in the codebook's words what it is a figure of; its id names the figure.

    What was published in words only has no `value`: `said` gives the words.
    """

    cohort: CohortId
    asked: Statistic
    """The statistic that this answers, as a programme would write it; a wave need not be in the codebook."""
    measure: Name
    cell: dict[str, str] = Field(default_factory=dict)
    value: Exact | None = None
    """In the statistic's own unit: a share of one, a mean, a number."""
    said: Text | None = None
    """How it was published, where that is no number or more than one."""
    std_error: Exact | None = None
    """Only where it was published: with it, the figure may be carried into a composite."""
    units: int | None = Field(default=None, ge=1)
    """How many units it is of, where that is published."""
    months: int | None = Field(default=None, ge=0)
    """How long after the first wave it was measured."""
    sources: tuple[Name, ...] = Field(min_length=1)
    status: Literal["published", "derived"]
    """`derived`: worked out from published figures, as `remark` says."""
    remark: Text | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.value is None and self.said is None:
            raise ValueError("expected a `value`, or `said` with the words it was published in")
        if self.std_error is not None and (self.value is None or self.std_error <= 0):
            raise misplaced(("std_error",), "expected a positive number beside a `value`")
        if self.status == "derived" and self.remark is None:
            raise misplaced(("status",), "a derived figure needs a `remark` that says how")
        return self


class PublishedName(Document):
    id: Name
    version: int = Field(ge=1)
    labels: Text
    codebook: CodebookLabel
    """In whose words the figures are asked for: a figure is of the same thing only where these mean the same."""


class Published(Document):
    """The list. Every figure names sources of the list, and a cohort that it describes."""

    published: PublishedName
    sources: dict[Name, Source]
    cohorts: dict[CohortId, Text]
    figures: Annotated[tuple[PublishedFigure, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        names: set[str] = set()
        for place, figure in enumerate(self.figures):
            here = ("figures", str(place))
            if unknown := [one for one in figure.sources if one not in self.sources]:
                raise misplaced((*here, "sources"), f"{unknown[0]} is not one of the `sources`")
            if figure.cohort not in self.cohorts:
                raise misplaced((*here, "cohort"), f"{figure.cohort} is not one of the `cohorts`")
            if figure.asked.id in names:
                raise misplaced((*here, "asked", "id"), "this id stands twice; ids must differ")
            names.add(figure.asked.id)
        return self

    def source_of(self, figure: PublishedFigure) -> str:
        """Titles and places of a figure's sources, in one line."""
        return "; ".join(f"{self.sources[one].title}, {self.sources[one].where}" for one in figure.sources)


@dataclass(frozen=True, slots=True)
class Literature:
    """A list with the codebook in whose words it is written."""

    published: Published
    codebook: Codebook

    def __post_init__(self) -> None:
        """Raises ValueError where the list names another codebook."""
        if self.published.published.codebook != self.codebook.label:
            raise ValueError(f"the list is in the words of {self.published.published.codebook}")


@cache
def shipped() -> Literature:
    """The list that we ship, found also where no checkout is."""
    published = load_yaml(Published, _SHIPPED / "published.yaml")
    return Literature(published, load_yaml(Codebook, _SHIPPED / "cohort3.codebook.yaml"))
