"""Have the page that learns learn ten texts as a reader would, and count: the table in docs/log.md.

``python benchmarks/pages.py FOLDER`` writes the pages of the languages into FOLDER, where they are missing. For each
text it starts Chromium with a new profile, opens the page from its file, pastes the text, presses the button and waits
for what is written; the browser stays open, and is looked at again some minutes later. All figures are of what stands
on the page. Five of the texts are in ``benchmarks/texts``, three in Debian's packages fortunes and fortunes-de, and two
are pieces of novels that no model has read, in the folder that CHARRNN_DATA names.
The seconds of the processor are those of the page's process until it had written all, in which one thread learns: so
long it takes where nothing else runs. ``--slow`` slows what draws the page, but not what learns.
"""

import argparse
import contextlib
import json
import lzma
import math
import os
import re
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import counting  # noqa: E402
from pages.browser import View, started  # noqa: E402
from pages.small_pages import script_of  # noqa: E402

from charrnn.commands import export  # noqa: E402
from charrnn.text import pieces  # noqa: E402

OWN = ROOT / "benchmarks" / "texts"
FORTUNES = Path("/usr/share/games/fortunes")
NOVELS = Path(os.environ.get("CHARRNN_DATA", ROOT / "data")) / "novels"
# name: language, kind, file, first character, number of characters
TEXTS = {
    "todo": ("english", "list", OWN / "todo.txt", 0, None),
    "landlord": ("english", "letters", OWN / "landlord.txt", 0, None),
    "riddles": ("english", "dialogue", FORTUNES / "riddles", 0, 6_000),
    "novel": ("english", "prose", NOVELS / "english-novel-3.txt.xz", 20_000, 12_000),
    "reise": ("german", "diary", OWN / "reise.txt", 0, None),
    "gedichte": ("german", "verse", FORTUNES / "de" / "gedichte", 0, None),
    "channel": ("german", "chat", FORTUNES / "de" / "channel-debian.fortunes", 0, None),
    "recettes": ("french", "recipes", OWN / "recettes.txt", 0, None),
    "fables": ("french", "verse", OWN / "fables.txt", 0, None),
    "roman": ("french", "prose", NOVELS / "french-novel-4.txt.xz", 20_000, 15_000),
}
LONGEST = 1_800  # seconds that a text may take
QUIET = 3  # seconds without a change, after which all is written
LOOK = 0.2  # seconds between two looks at the page
HEAD = (
    "| text | characters | first piece | ended | first text | all three | of the processor "
    "| held out: first, lowest, last | own words of three texts | of all texts | of the text itself "
    "| own and copied, by the page | copied, of 20 characters | MB | the same later |"
)
SEEN = """
    const seen = (id) => document.getElementById(id).textContent;
    const texts = [...document.querySelectorAll('#written article')].map((e) => e.textContent);
    return { curve: seen('curve-said'), left: seen('left'), shares: seen('shares'), texts,
             pieces: [...document.querySelectorAll('#pieces p')].map((e) => e.textContent) };
"""


def text_of(name):
    """Return a text."""
    _, _, path, start, length = TEXTS[name]
    opened = lzma.open if path.suffix == ".xz" else open
    with opened(path, "rt", encoding="utf-8") as file:
        text = file.read()
    end = None if length is None else start + length
    return text[start:end]


def page_of(language, folder):
    """Return the page of a language, which is written if it is missing."""
    path = folder / f"{language}.html"
    if not path.exists() and export.main([language, str(path), "--learn"]) != 0:
        raise SystemExit(1)
    return path


def processes_below(pid):
    """Return the processes that one has started, and those that they have."""
    below = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            below += [child, *processes_below(child)]
    return below


def use_of(driver):
    """Return what the process of the page has used: seconds of the processor, and MB of memory that it holds now."""
    ticks_a_second = os.sysconf("SC_CLK_TCK")
    seconds, megabytes = 0.0, 0.0
    for pid in processes_below(driver.service.process.pid):
        process = Path("/proc") / pid
        command = (process / "cmdline").read_bytes()
        if b"--type=renderer" not in command or b"--top-chrome" in command:
            continue
        # A page in memory that it shares with others has its part of it.
        rollup = (process / "smaps_rollup").read_text()
        (kilobytes,) = re.findall(r"^Pss:\s+(\d+)", rollup, re.MULTILINE)
        megabytes = max(megabytes, int(kilobytes) / 1000)
        _, fields = (process / "stat").read_text().rsplit(") ", 1)
        user, system = fields.split()[11:13]
        seconds = max(seconds, (int(user) + int(system)) / ticks_a_second)
    return seconds, megabytes


class Lesson:
    """A text that a page learns in a browser of its own, and what was seen of it since the press."""

    def __init__(self, name, args, opened):
        self.name = name
        self.text = text_of(name)
        page = page_of(TEXTS[name][0], args.folder)
        words = json.loads(script_of(page.read_text("utf-8"), "words"))
        self.words = frozenset(pieces.words("\n".join(words)))
        profile = opened.enter_context(tempfile.TemporaryDirectory())
        driver = opened.enter_context(started(profile))
        self.view = View(driver, page.as_uri(), width=args.width, still=False)
        self.view.command("Emulation.setCPUThrottlingRate", rate=args.slow)
        self.view["text"].click()
        self.view.command("Input.insertText", text=self.text)
        time.sleep(1)
        self.view["learn"].click()

        self.began = time.monotonic()
        self.times = {}  # from an event to the seconds until it happened, in their order
        self.held = []  # losses, in nats
        self.memory = 0.0  # at most, in MB
        self.seen = {}
        self.changed = 0.0  # seconds, after which what is written stayed as it is
        self.written = []  # all texts

    def own_words(self, text):
        """Return the share of own words of a text."""
        own, _ = counting.whose_words(text, self.text, self.words)
        return own

    def look(self):
        """Look at the page once, and return for how many seconds it has learned."""
        seen = self.view.driver.execute_script(SEEN)
        now = time.monotonic() - self.began
        happened = {
            "piece": seen["pieces"] != [],
            "ended": "ended by itself" in seen["left"],
            "text": seen["shares"] != "",
        }
        for event, is_there in happened.items():
            if is_there:
                self.times.setdefault(event, now)
        bits = re.search(r"and ([\d.]+), dashed", seen["curve"])
        if bits:
            nats = float(bits.group(1)) * math.log(2)
            if self.held[-1:] != [nats]:
                self.held.append(nats)
        if seen["texts"] != self.seen.get("texts"):
            self.changed = now
        self.seen = seen
        _, memory = use_of(self.view.driver)
        self.memory = max(self.memory, memory)
        return now

    def learn(self):
        """Look at the page until it has ended, and written its texts."""
        while True:
            now = self.look()
            if "text" in self.times and now - self.changed > QUIET:
                if "written" not in self.times:
                    self.times["written"] = self.changed
                    self.times["processor"], _ = use_of(self.view.driver)
                self.written += self.seen["texts"]
                return
            if now > LONGEST:
                raise SystemExit(f"{self.name} has not ended after {LONGEST} s")
            time.sleep(LOOK)

    def write_again(self):
        """Press the button that has it write three more texts."""
        self.view["write"].click()
        self.learn()

    def is_same_after(self, wait):
        """Return whether the page still is as it was, so many seconds after it had written."""
        before = self.seen
        time.sleep(max(0, self.began + self.changed + wait - time.monotonic()))
        self.look()
        return self.seen == before

    def row(self, is_same):
        """Return the row of the table."""
        own_by_page, copied_by_page = re.findall(r"([\d.]+%)", self.seen["shares"])
        own = [self.own_words("\n".join(texts)) for texts in (self.written[:3], self.written)]
        own_of_text = self.own_words(self.text)
        losses = [self.held[0], min(self.held), self.held[-1]]
        cells = [
            self.name,
            f"{len(self.text):,}",
            *(f"{number:.0f} s" for number in self.times.values()),
            ", ".join(f"{loss:.2f}" for loss in losses),
            *(f"{share:.1%}" for share in [*own, own_of_text]),
            f"{own_by_page}, {copied_by_page}",
            str(sum(copied_windows(piece, self.text) for piece in self.written)),
            f"{self.memory:.0f}",
            "yes" if is_same else "no",
        ]
        return f"| {' | '.join(cells)} |"


def copied_windows(piece, text):
    """Return how many windows of a piece a text has."""
    return sum(window in text for window in pieces.windows(piece, pieces.COPIED))


def main():
    """Print the table; what was written goes to the folder."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="of the pages")
    parser.add_argument("--text", nargs="+", choices=TEXTS, default=list(TEXTS), help="only these")
    parser.add_argument("--wait", type=float, default=300, help="seconds after the end")
    parser.add_argument("--again", type=int, default=3, help="times three more texts are written")
    parser.add_argument("--slow", type=float, default=1, help="times slower")
    parser.add_argument("--width", type=int, default=1280, help="of the window")
    args = parser.parse_args()
    args.folder = args.folder.resolve()
    args.folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as opened:
        lessons = []
        for name in args.text:
            lesson = Lesson(name, args, opened)
            lesson.learn()
            for _ in range(args.again):
                lesson.write_again()
            lessons.append(lesson)
            written = "\n\n--\n\n".join(lesson.written)
            (args.folder / f"{name}.written.txt").write_text(written, "utf-8")
            print(f"{name} has ended", file=sys.stderr)
        print(HEAD)
        print(f"|{'---|' * HEAD.count(' | ')}---|")
        for lesson in lessons:
            print(lesson.row(lesson.is_same_after(args.wait)), flush=True)


if __name__ == "__main__":
    main()
