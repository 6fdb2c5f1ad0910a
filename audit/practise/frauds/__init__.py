"""The frauds, one file for each thing that is cheated about."""
