"""The consortium's offline key: who takes part, and under which calendar and codebook."""
