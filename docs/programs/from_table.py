"""Keep the column ``text`` of table.csv in column.txt, a cell in each line.

Cells may also be divided by ``";"`` or ``"\\t"``: change ``delimiter``.
"""

import csv
from pathlib import Path

with open("table.csv", newline="", encoding="utf-8-sig") as file:
    cells = [row["text"] for row in csv.DictReader(file, delimiter=",")]
lines = [" ".join(cell.split()) + "\n" for cell in cells if cell.strip()]
Path("column.txt").write_text("".join(lines), encoding="utf-8")
