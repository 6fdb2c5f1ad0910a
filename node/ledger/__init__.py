"""The region's record of every decision, and the one place where budget is spent."""
