"""What a programme may cost one household, derived from the codebook and the signed programme alone.

One file for each kind of statistic, of the same name as in the rules: what one unit adds at most, to how many cells.
The rest is the same for all: a household has at most so many units of a kind, each counts once for every pooled wave,
and so the bound of a block is that product. No code is shared with what planned and priced the programme.
"""
