"""What the sewers do, what they would do if something were out of order, and which of it the readings show."""
