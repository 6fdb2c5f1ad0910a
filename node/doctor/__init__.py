"""`node doctor`: what could keep this node from working, line by line, each with what to do about it.

    lines.py     what a line is, and the order of all of them
    local.py     this machine and this folder
    papers.py    certificates, documents and data, by what the node itself tells
    reach.py     the way to the coordinator and every witness, step by step
    safe.py      the same as a file for whoever helps, free of data

A line holds public facts only: names of parties, dates, sizes of a disk. Nothing is computed from rows.
"""
