"""What every party agrees on: the messages, and the bytes that are hashed or signed."""
