"""A programme rehearsed on made-up rows: no data, no node, no budget."""
