"""What the desk remembers: runs, replies, and when each region was last seen."""
