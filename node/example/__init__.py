"""What a programme would release, shown on made-up households: no data of the home is read, and nothing spent."""
