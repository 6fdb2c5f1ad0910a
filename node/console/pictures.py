"""A budget as a bar: full is what is left of the cap, empty what was spent."""

from __future__ import annotations

from decimal import Decimal
from html import escape

from markupsafe import Markup

from node.status import Budget

_WIDTH, _HEIGHT = 400, 28


def budget_bar(one: Budget, title: str) -> Markup:
    """An `<svg>` element with `title` for whoever does not see it. Without a cap the bar is empty."""
    cap, left = Decimal(one.cap.rho), Decimal(one.left.rho)
    share = min(Decimal(1), left / cap) if cap > 0 else Decimal(0)
    width = float(share) * (_WIDTH - 2)
    return Markup(
        f'<svg class="bar" role="img" viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio="none">'
        f"<title>{escape(title)}</title>"
        f'<rect class="frame" x="1" y="1" width="{_WIDTH - 2}" height="{_HEIGHT - 2}"/>'
        f'<rect class="left" x="1" y="1" width="{width:.1f}" height="{_HEIGHT - 2}"/>'
        f'<line class="edge" x1="{1 + width:.1f}" x2="{1 + width:.1f}" y1="0" y2="{_HEIGHT}"/></svg>'
    )
