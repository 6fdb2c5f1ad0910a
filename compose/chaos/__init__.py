"""Chaos: nodes, witnesses and a coordinator that are killed at random moments under load, and disks that fail.

    chance   the seed and what follows from it: which process dies, and when
    study    the small documents and programmes that are asked
    world    a federation set up for it, and orders to send
    child    what a node does between its start and its death, told through a pipe
    mill     the fork server of one region: child after child, killed, and the ledger judged after each
    judge    what must hold of a ledger, whatever died; knows nothing of how the node works
    disks    full, read-only and failing disks
    whole    the processes that people start, killed and started again under load
    table    what happened, as Markdown

Run it with `python -m compose.chaos`. It ends only processes that it started, and listens on loopback only.
"""
