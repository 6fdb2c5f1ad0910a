"""What the desk does for researchers: prices, runs, results."""
