"""A whole federation of real processes on one machine, with synthetic microdata."""
