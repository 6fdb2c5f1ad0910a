"""How a machine starts a node by itself and keeps it running: a systemd unit, or PowerShell for Windows. Pure.

Both start `rondgang node serve` on one home, as a user without rights of its own, and start it again after a fault.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

_UNIT = """\
[Unit]
Description=Rondgang, the node of this region
Documentation=man:systemd.service(5)
Wants=network-online.target
After=network-online.target
# A node that cannot start needs a person: five tries in ten minutes.
StartLimitIntervalSec=600
StartLimitBurst=5

[Service]
Type=exec
User={user}
ExecStart="{command}" node serve --home "{home}"
Restart=on-failure
RestartSec=15
# What was begun is finished and stored first.
KillSignal=SIGTERM
TimeoutStopSec=60
UMask=0077
Environment=PYTHONDONTWRITEBYTECODE=1
# Through a proxy? systemctl edit rondgang-node, and: [Service] Environment=https_proxy=http://proxy.example.nl:3128

NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ReadWritePaths="{home}"
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service

[Install]
WantedBy=multi-user.target
"""

_SCRIPT = """\
# Run once, in PowerShell as administrator. Take it away again with: Unregister-ScheduledTask -TaskName Rondgang
$node = '{command}'
$folder = '{home}'
# Only the node's user and administrators may read the folder.
icacls $folder /inheritance:r /grant:r '*S-1-5-19:(OI)(CI)M' '*S-1-5-32-544:(OI)(CI)F' | Out-Null
$action = New-ScheduledTaskAction -Execute $node -Argument "node serve --home `"$folder`""
$trigger = New-ScheduledTaskTrigger -AtStartup
$who = New-ScheduledTaskPrincipal -UserId 'S-1-5-19' -LogonType ServiceAccount -RunLevel Limited
$again = New-ScheduledTaskSettingsSet -RestartCount 999 -RestartInterval (New-TimeSpan -Minutes 1) `
    -ExecutionTimeLimit ([TimeSpan]::Zero) -StartWhenAvailable -DontStopIfGoingOnBatteries -AllowStartIfOnBatteries
Register-ScheduledTask -TaskName 'Rondgang' -Description 'Rondgang, the node of this region' `
    -Action $action -Trigger $trigger -Principal $who -Settings $again
Start-ScheduledTask -TaskName 'Rondgang'
"""


class NotAPath(ValueError):
    """A path that cannot stand in a unit or script."""


@dataclass(frozen=True, slots=True)
class Start:
    """What is started: the command's own path, the home, and the user (systemd only). Paths are absolute."""

    command: PurePath
    home: PurePath
    user: str


def systemd_unit(start: Start) -> str:
    """A unit for /etc/systemd/system. The node may write to its home and nowhere else, and needs no right at all.

    Raises NotAPath for a path with a line end or quote in it.
    """
    command, home = _plain(start.command), _plain(start.home)
    return _UNIT.format(command=command, home=home, user=start.user)


def windows_script(start: Start) -> str:
    """PowerShell that registers a task: it starts with the machine, as LOCAL SERVICE, and again after a fault.

    Raises NotAPath for a path with a line end or quote in it.
    """
    command, home = _plain(start.command), _plain(start.home)
    return _SCRIPT.format(command=command, home=home)


def _plain(path: PurePath) -> str:
    """Raises NotAPath."""
    text = str(path)
    if any(sign in text for sign in "\n\r'\"%$`"):
        raise NotAPath(text)
    return text
