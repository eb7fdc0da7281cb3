"""Make one text, poems.txt, of two folders with a poem in each file, and a label before each poem."""

import random
from pathlib import Path

records = []
for label, folder in [("HAIKU:", "haiku"), ("LIMERICK:", "limericks")]:
    for path in Path(folder).glob("*.txt"):
        poem = path.read_text(encoding="utf-8").strip()
        records.append(f"{label}\n{poem}\n\n")
random.Random(1).shuffle(records)
Path("poems.txt").write_text("".join(records), encoding="utf-8")
