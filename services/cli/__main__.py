import os

from services.cli import app

os.environ.setdefault("PYTHONUNBUFFERED", "1")
app()
