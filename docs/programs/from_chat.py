"""Keep the messages of chat.txt in messages.txt, one a line, with who wrote it.

The lines of chat.txt look like ``12/31/24, 9:15 PM - Ann: hello``, ``[31.12.24, 21:15:02] Ann: hello`` or
``[21:15] <ann> hello``. The lines of a message become one. If no message is found, the dates look otherwise: change
``day``.
"""

import re
from pathlib import Path

day = r"(?:[\[(]|[\[(]?[\d./-]+,?[ T][^\W\d]* ?|(?=[\d:]+ <))"
beginning = day + r"\d+:[\d:]+(?:\s?[AaPp]\.?\s?[Mm]\.?)?[])]?(?: -)? "
chat = Path("chat.txt").read_text(encoding="utf-8").replace("\u202f", " ").replace("\u200e", "")
_, *parts = re.split(rf"^{beginning}", chat, flags=re.MULTILINE)
lines = []
for part in parts:
    match = re.match(r"<?@?([^:>\n]+?) ?[:>] (.*)", part, re.DOTALL)
    if match and "omitted" not in match[2]:
        lines.append(f"{match[1]}: {' '.join(match[2].split())}\n")
Path("messages.txt").write_text("".join(lines), encoding="utf-8")
print(len(lines), "messages")
