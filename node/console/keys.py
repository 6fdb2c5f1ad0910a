"""The steward's key for one act: the file that was chosen for it, else the home's own. It is kept nowhere."""

from __future__ import annotations

from rondgang.errors import BadKey
from rondgang.keys import SigningKey
from starlette.datastructures import UploadFile

from node.console.screen import Visit, work
from node.steward import NoKey, key_file, read_key


async def steward_key(visit: Visit) -> SigningKey | NoKey:
    """The key, or what is the matter with it."""
    given = visit.form.get("key")
    if isinstance(given, UploadFile) and given.size:
        try:
            return SigningKey.from_pem(await given.read())
        except BadKey as error:
            return NoKey(given.filename or "", str(error))
    return await work(read_key, key_file(visit.home))


def own_key(visit: Visit) -> bool:
    """Whether the home keeps the steward's key, so that none needs to be chosen."""
    return key_file(visit.home).exists()
