"""Household vectors summed: exact integers, seen by nobody but the mechanism."""
