"""Pages of decisions, to save and print. They are given as files: the screen itself shows no page with style in it."""

from __future__ import annotations

from starlette.responses import Response

from node.console.screen import Visit, work
from node.console.security import FILE_POLICY
from node.filing import Filed, filed, read_filed


async def decisions(visit: Visit) -> Response:
    """Every page there is, the newest first."""
    pages = await work(filed, visit.home)
    return visit.page("decisions.html", pages=[told(visit, one) for one in pages])


async def decision(visit: Visit) -> Response:
    """One page, as a file to save."""
    name = str(visit.request.path_params["name"])
    data = await work(read_filed, visit.home, name)
    if data is None:
        return visit.problem(404, "console.problem.no_page")
    headers = {
        "content-disposition": f'attachment; filename="{name}"',
        "content-security-policy": FILE_POLICY,
    }
    return Response(data, media_type="text/html; charset=utf-8", headers=headers)


def told(visit: Visit, one: Filed) -> dict[str, str]:
    """A page in a list: its address, and what it says."""
    word = visit.words(f"decide.file.word.{one.word}")
    return {
        "address": f"/decisions/{one.name}",
        "digits": one.digits,
        "text": visit.words("decide.filed.download", date=one.day, decision=word),
    }
