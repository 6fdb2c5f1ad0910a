"""Chaos: nodes, witnesses and a coordinator that are killed at random moments under load, and disks that fail.

    chance    the seed and what follows from it: which process dies, and when
    study     the small documents and programmes that are asked
    world     a federation set up for it, and orders to send
    child     what a node does between its start and its death, told through a pipe
    mill      the fork server of one region: a child, disturbed, and the ledger judged after it
    judge     what must hold of a ledger, whatever died; knows nothing of how the node works
    faults    disks that are full, read-only or broken
    powercut  what a disk may hold after a power cut
    troubles  what is done to a region, so many times each
    servers   the coordinator and the witnesses, which die as well
    whole     the processes that people start, killed and started again under load
    run       all of it, and an audit at the end
    table     what happened, as Markdown

Run it with `python -m compose.chaos`. It ends only processes that it started, and listens on loopback only.
"""
