"""Shuffle the records of recipes.txt, which empty lines divide, into shuffled.txt."""

import random
from pathlib import Path

text = Path("recipes.txt").read_text(encoding="utf-8")
records = [record.strip() for record in text.split("\n\n") if record.strip()]
random.Random(1).shuffle(records)
shuffled = "".join(f"{record}\n\n" for record in records)
Path("shuffled.txt").write_text(shuffled, encoding="utf-8")
