"""How every page is made: Jinja2 with everything escaped, and every name that is missing an error.

Only pages import this; a room that makes none needs no Jinja2.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined


@cache
def environment(folder: Path) -> Environment:
    """Templates of `folder`, which may build on `base.html` and `style.css` beside this file."""
    made = Environment(
        loader=FileSystemLoader((folder, Path(__file__).parent)),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["css_text"] = lambda text: re.sub(r"[^\w .,:;()-]", " ", text)
    return made
