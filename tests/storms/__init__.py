"""Storms: scripted faults in a federation of containers, by the engine's SDK, and a judge of what came of them.

    kinds       what can be done, to whom, and at which moment of a run
    script      the list of faults that follows from a seed, spread over programmes
    study       a study so small and cheap that hundreds of programmes fit its caps
    overlay     what containers get on top of the federation's file: clocks of their own, lines that can be slow
    line        the small proxy in those lines; runs in a container, with nothing but Python
    federation  the federation itself: homes on disks that can be full, quick to seek each other
    hands       begins and ends each kind of fault
    watching    where a run stands, seen from outside while desks die
    programme   one programme with its faults, from its order to the same bytes once more
    judge       what must hold of the ends, the answers and the ledgers; knows nothing of how faults are done
    run         all of it, with an audit every so many faults
    table       faults and outcomes, as Markdown

Run it with `python -m tests.storms`, as root: it kills processes and fills disks, those of its own containers only.
All data are synthetic.
"""
