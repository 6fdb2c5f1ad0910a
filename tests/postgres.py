"""A throwaway PostgreSQL server: own folder, own port on loopback, gone afterwards."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

USER = "rondgang"
DATABASE = "postgres"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A server that tests may stop and start; it keeps its data and its port."""

    url: str
    programs: Path
    folder: Path
    account: str | None
    port: int

    def stop(self, mode: str = "immediate") -> None:
        """Stops the server: `immediate` as if it were killed, `fast` in order, with every connection cut off."""
        _run(self.account, self.programs / "pg_ctl", "-D", self.folder / "cluster", "-m", mode, "-w", "stop")

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        words = ("-D", self.folder / "cluster", "-l", self.folder / "server.log", "-w", "-o", options, "start")
        _run(self.account, self.programs / "pg_ctl", *words)

    def run(self, program: str, *words: str | Path) -> None:
        """One of PostgreSQL's own tools, such as pg_dump, on this server."""
        where = ("-h", "127.0.0.1", "-p", str(self.port), "-U", USER)
        subprocess.run((self.programs / program, *where, *words), check=True, cwd="/", stdout=subprocess.DEVNULL)


class NoPostgres(Exception):
    """PostgreSQL's server programs are not on this machine."""


@contextmanager
def server(logs: Path) -> Iterator[str]:
    """Runs a new server and yields its SQLAlchemy URL; as `cluster`."""
    with cluster(logs) as made:
        yield made.url


@contextmanager
def cluster(logs: Path) -> Iterator[Cluster]:
    """Runs a new server; stops it and removes its data on leaving.

    Raises `NoPostgres` where `initdb` is not installed, `CalledProcessError` where it is and does not work.
    The server refuses to run as root, so root runs it as the user `postgres`.
    """
    programs, account = _programs(), _account()
    # Not under pytest's own folder, which only the caller may enter.
    data = Path(tempfile.mkdtemp(prefix="rondgang-postgres-"))
    try:
        if account is not None:
            shutil.chown(data, account, account)
        where = ("-D", data / "cluster", "-A", "trust", "-U", USER, "-E", "UTF8", "--no-locale", "-N")
        _run(account, programs / "initdb", *where)
        port = _free_port()
        made = Cluster(f"postgresql+psycopg://{USER}@127.0.0.1:{port}/{DATABASE}", programs, data, account, port)
        made.start()
        try:
            yield made
        finally:
            made.stop()
    finally:
        log = data / "server.log"
        if log.exists():
            shutil.copyfile(log, logs / log.name)
        shutil.rmtree(data, ignore_errors=True)


def _programs() -> Path:
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not installed:
        raise NoPostgres("PostgreSQL's server programs are not installed (Debian: apt-get install postgresql)")
    return installed[-1].parent


def _account() -> str | None:
    """The user to run as: the caller, except that root becomes `postgres`."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        raise NoPostgres("root may not run PostgreSQL, and there is no user `postgres`") from None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _run(account: str | None, *words: str | Path) -> None:
    # The account by setpriv, not by `user=`: that makes Python fork rather than vfork, and the forked copy of a process
    # with gRPC's threads sometimes aborts before it becomes the program.
    as_account = () if account is None else ("setpriv", f"--reuid={account}", f"--regid={account}", "--clear-groups")
    # Its own group of processes, so that Ctrl-C reaches us first and we stop the server in order.
    command = (*as_account, *words)
    subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL, start_new_session=True)
