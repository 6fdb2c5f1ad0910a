"""Planning before spending: the cheapest programme that meets target margins, and what a price leaves for later."""
