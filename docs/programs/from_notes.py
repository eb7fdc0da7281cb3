"""Keep the notes of the folder notes/ in notes.txt, without the heads between lines of ``---``."""

import re
from pathlib import Path

notes = []
for path in sorted(Path("notes").rglob("*.md")):
    note = path.read_text(encoding="utf-8")
    notes.append(re.sub(r"\A---\n.*?^---\n", "", note, flags=re.DOTALL | re.MULTILINE).strip())
Path("notes.txt").write_text("\n\n".join(notes) + "\n", encoding="utf-8")
