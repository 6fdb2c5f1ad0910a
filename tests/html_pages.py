"""A page read back as a person or a screen reader meets it: an outline of its elements, or a complaint."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise

_VOID = frozenset({"meta", "br", "link", "img", "hr", "input"})
_FROM_OUTSIDE = frozenset({"script", "img", "link", "iframe", "object", "embed", "base", "form", "audio", "video"})


@dataclass(slots=True)
class Element:
    """One element: its attributes, and the text and elements in it, in order."""

    tag: str
    attributes: dict[str, str | None]
    parts: list[Element | str] = field(default_factory=list)

    def walk(self) -> Iterator[Element]:
        """Every element in it, in order."""
        for one in self.inside:
            yield one
            yield from one.walk()

    def all(self, *tags: str) -> list[Element]:
        """Every element of these tags in it, in order."""
        return [one for one in self.walk() if one.tag in tags]

    @property
    def text(self) -> str:
        """All text in it, as it is read out; style sheets are not."""
        return re.sub(r"\s+", " ", " ".join(self._texts())).strip()

    def _texts(self) -> Iterator[str]:
        for part in self.parts:
            if isinstance(part, str):
                yield part
            elif part.tag != "style":
                yield from part._texts()

    @property
    def inside(self) -> Iterator[Element]:
        return (part for part in self.parts if isinstance(part, Element))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("page", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"<{tag}> has an attribute twice"
        made = Element(tag, dict(attrs))
        self.open[-1].parts.append(made)
        if tag not in _VOID:
            self.open.append(made)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].parts.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].parts.append(data)


def read(text: str) -> Element:
    """The page as a tree. Raises AssertionError where elements are not closed in order."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == [reader.root], f"<{reader.open[-1].tag}> is not closed"
    return reader.root


def complaints(text: str, lang: str) -> list[str]:
    """What is the matter with a page that must be self-contained, printable and readable for everyone."""
    page = read(text)
    (html,) = page.all("html")
    found = [] if html.attributes.get("lang") == lang else ["the page does not say its language"]
    found += [f"<{one.tag}>" for one in page.all(*_FROM_OUTSIDE)]
    for one in page.walk():
        for name, value in one.attributes.items():
            if name.startswith("on") or (name in ("src", "href", "action") and not (value or "").startswith("#")):
                found.append(f"{one.tag} {name}={value}")
    found += re.findall(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)", text)
    levels = [int(one.tag[1]) for one in page.all("h1", "h2", "h3", "h4", "h5", "h6")]
    found += ["headings leap"] * (levels[:1] != [1] or any(after - before > 1 for before, after in pairwise(levels)))
    found += [f"a table without caption: {one.text[:40]}" for one in page.all("table") if not one.all("caption")]
    found += [f"a head without scope: {one.text}" for one in page.all("th") if "scope" not in one.attributes]
    identities = [one.attributes["id"] for one in page.walk() if "id" in one.attributes]
    found += [f"two elements are {one}" for one in set(identities) if identities.count(one) > 1]
    links = [one.attributes.get("href") for one in page.all("a")]
    found += [f"no place {link}" for link in links if link is not None and link[1:] not in identities]
    for one in page.all("svg"):
        if one.attributes.get("role") == "img":
            found += ["a picture without title or description"] * (not (one.all("title") and one.all("desc")))
        elif one.attributes.get("aria-hidden") != "true":
            found.append("a picture that is neither told nor hidden")
    return found


def contrast(one: str, other: str) -> float:
    """The contrast of two colours such as `#1a6b35` (WCAG 2.2, relative luminance)."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)
