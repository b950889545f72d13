"""What a centre is told on its worst hour, and what telling costs."""
