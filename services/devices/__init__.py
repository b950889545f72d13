"""Who may connect to the broker, how they prove it, and which topics are theirs."""
