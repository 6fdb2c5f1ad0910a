"""From delivered files to a snapshot: the only part of a node that loads pyarrow and numpy, and that sees raw values.

    files -> read -> values -> units -> tables -> write

Every step depends on public rules and on the household's own rows only: no step looks at the order of rows, at other
households, or at a total. So adding a household changes no other household's row, which is what the privacy argument
asks of import. Counts go into the steward's report and nowhere else.
"""
