"""What the service does by itself while people are at work: it watches their deadlines."""
