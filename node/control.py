"""How other verbs reach a serving node: one request and one response, a line of JSON each, on this machine only.

A Unix socket that only the owner can open; where there is none (Windows, or a path too long for one), a port on the
loopback with a token in a file that only the owner can read.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import os
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from node.entropy import token
from node.errors import Unreachable
from node.files import PRIVATE_FILE, write_private
from node.home import Home

_LONGEST_LINE = 32 * 1024 * 1024
_LONGEST_SOCKET_PATH = 100
"""Systems allow 104 to 108 bytes."""
_ANSWER_WITHIN_S = 60.0
_TOKEN_FILE = "control.token"


class Session(BaseModel):
    """A message of this channel; fields of a newer version are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Request(Session):
    """What is asked: the name of an operation and its arguments, all text."""

    do: str
    arguments: dict[str, str] = {}
    token: str = ""


class Response(Session):
    """`result` is the operation's result as JSON text; `fault` says that it broke, without detail."""

    result: str = ""
    fault: str = ""


Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class _Port:
    number: int
    token: str


def _uses_socket(home: Home) -> bool:
    return os.name == "posix" and len(os.fsencode(home.socket_file)) <= _LONGEST_SOCKET_PATH


async def listen(home: Home, handler: Handler) -> asyncio.Server:
    """Starts answering requests. The caller holds the home's lock: what stands there is left from a dead node."""
    home.socket_file.unlink(missing_ok=True)
    token_file = home.root / _TOKEN_FILE
    token_file.unlink(missing_ok=True)
    if _uses_socket(home):
        # The folder is 0700, so nobody else comes in between making the socket and setting its mode.
        server = await asyncio.start_unix_server(_conversation(handler, ""), home.socket_file, limit=_LONGEST_LINE)
        home.socket_file.chmod(PRIVATE_FILE)
        return server
    secret = token()
    server = await asyncio.start_server(_conversation(handler, secret), "127.0.0.1", 0, limit=_LONGEST_LINE)
    number = server.sockets[0].getsockname()[1]
    write_private(token_file, json.dumps({"port": number, "token": secret}).encode("ascii"))
    return server


def stop_listening(home: Home, server: asyncio.Server) -> None:
    """Closes the channel and takes its files away."""
    server.close()
    home.socket_file.unlink(missing_ok=True)
    (home.root / _TOKEN_FILE).unlink(missing_ok=True)


def ask(home: Home, do: str, arguments: dict[str, str]) -> Response:
    """One request to the node that serves this home. Raises Unreachable."""
    try:
        if _uses_socket(home):
            return _ask(socket.socket(socket.AF_UNIX), os.fspath(home.socket_file), Request(do=do, arguments=arguments))
        port = _port(home.root / _TOKEN_FILE)
        request = Request(do=do, arguments=arguments, token=port.token)
        return _ask(socket.socket(socket.AF_INET), ("127.0.0.1", port.number), request)
    except (OSError, ValueError) as error:
        raise Unreachable(f"{home.root} is in use, but no serving node answers there") from error


def _port(path: Path) -> _Port:
    told = json.loads(path.read_bytes())
    return _Port(int(told["port"]), str(told["token"]))


def _ask(connection: socket.socket, address: str | tuple[str, int], request: Request) -> Response:
    with connection:
        connection.settimeout(_ANSWER_WITHIN_S)
        connection.connect(address)
        connection.sendall(request.model_dump_json().encode("utf-8") + b"\n")
        with connection.makefile("rb") as lines:
            return Response.model_validate_json(lines.readline(_LONGEST_LINE))


def _conversation(
    handler: Handler, secret: str
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            response = await _respond(await reader.readline(), handler, secret)
            writer.write(response.model_dump_json().encode("utf-8") + b"\n")
            await writer.drain()
        except (ConnectionError, ValueError):
            # Who asked has gone, or sent a line without end: there is nobody to tell.
            return
        finally:
            writer.close()

    return converse


async def _respond(line: bytes, handler: Handler, secret: str) -> Response:
    try:
        request = Request.model_validate_json(line)
    except ValidationError:
        return Response(fault="not a request")
    if not hmac.compare_digest(request.token.encode("utf-8"), secret.encode("utf-8")):
        return Response(fault="wrong token")
    return await handler(request)
