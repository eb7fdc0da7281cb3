"""Made-up texts that are lists, and others that are none. A comment shows a line or two of each."""

import itertools
import re

import numpy as np

from charrnn.text import corpus

NAMES = corpus.read("names").text
NAME_LINES = NAMES.splitlines(keepends=True)


def phrases(*parts, form="{}\n"):
    """Return a line for each combination of a word or phrase of each part, in a fixed order as that of a list."""
    words = [part.split("|") for part in parts]
    lines = [" ".join(combination).strip() for combination in itertools.product(*words)]
    order = np.random.RandomState(1).permutation(len(lines))
    return "".join(form.format(lines[index]) for index in order)


def in_lines(text):
    """Return a text that is broken into lines of 50 to 70 characters."""
    joined = " ".join(text.split())
    return re.sub("(.{50,70}) ", "\\1\n", joined)


# Анна Ким
RUSSIAN = phrases(
    "Анна|Борис|Вера|Глеб|Дарья|Егор|Анфиса|Иван|Кира|Лев|Мария|Артём|Ольга|Пётр|Алина",
    "Ким|Лось|Мороз|Орлик|Пан|Рог|Сова|Тур|Усик|Фет|Хан|Цой|Чиж|Шум|Юг",
)
# 王伟
CHINESE = phrases(
    "|".join("王李张刘陈杨赵黄周吴徐孙胡朱高"),
    "|".join("伟芳娜敏静丽强磊军洋勇艳杰娟涛"),
).replace(" ", "")
# The Red River at Night: a Song
TITLES = phrases(
    "A|The|My|One",
    "Long|Red|Lost|Last",
    "Road|River|Letter|Winter|Day",
    "Home|of Stone|at Night: a Song",
)
# Linseneintopf mit Äpfeln nach alter Art
RECIPES = phrases(
    "Kartoffelsuppe|Linseneintopf|Gem\u00fcseauflauf|Bohnensalat|Apfelkuchen|Lammbraten|Kohlrouladen|Quarkstrudel",
    "mit Speck|mit gelben R\u00fcben|mit \u00c4pfeln|mit Lauch|mit Kapern|mit Schnittlauch",
    "aus dem Ofen|in brauner Butter|nach alter Art|f\u00fcr kalte Tage|vom Blech",
)
# Aaron,25
CSV = "name,age\n" + "".join(f"{name},{len(name) + 20}\n" for name in NAMES.split()[:300])

NOUNS = "road|sea|snow|door|lamp|hill|stone|bird|wind|boat"
# the sea stays cold
STATEMENTS = phrases(
    "the|a",
    NOUNS,
    "was|is|stays",
    "old|cold|far from the town where we lived|near",
)
# The lamp waits by the sea,
VERSE = phrases(
    "The|A",
    NOUNS,
    "lies|waits|sleeps",
    "in the dark,|by the sea,|alone;|till dawn.|and sings",
)
STANZAS = re.sub(r"((?:.+\n){4})", r"\1\n", re.sub("[,;]", "", VERSE))
# 月照我窗，
CHINESE_VERSE = phrases(
    "|".join("月云山水花"),
    "|".join("照入归出过"),
    "|".join("我空天寒"),
    "|".join("窗林"),
).replace(" ", "")
CHINESE_VERSE = CHINESE_VERSE.replace("窗\n", "窗，\n")
# Er blieb am Abend still. Das Wetter wurde
# dann kalt und grau.
GERMAN = in_lines(
    phrases(
        "Das Wetter|Er|Der Hof|Die Frau|Er|Er|Ein Kind",
        "war|blieb|schien|wurde",
        "an diesem Morgen|am Abend|wieder|dann",
        "still|kalt und grau|sehr weit fort|anders als sonst",
        form="{}. ",
    )
)
# ANNA:
# the sea stays cold
#
# BORIS.
# Yes, the sea stays cold
PLAY = re.sub("(.+\n)", "ANNA:\n\\1\nBORIS.\nYes, \\1\n", STATEMENTS)
# — Нет вы там одни
DIALOGUE = phrases(
    "— Да|— Нет|— И|— А",
    "мы|вы|они|я",
    "тут|там|здесь|дома",
    "все|сами|одни|опять",
)
# def aaron(text):
#     return text + 'aaron'
CODE = "".join(
    f"def {name}(text):\n    return text + {name!r}\n\n" for name in NAMES.lower().split()[:300]
)


def _chat():
    """[2.3.21, 1:15] Anna: Ja dann komme ich."""
    lines = phrases("Ja|Nein|Gut", "dann|aber|wirklich", "komme ich.|bleib! Bis|wo bist")
    messages = []
    for number, line in enumerate(lines.splitlines()):
        speaker = ("Anna", "Anna", "Ben")[number % 3]
        messages.append(f"[{number % 9 + 1}.3.21, {number % 24}:15] {speaker}: {line}\n")
    return "".join(messages)


def _long_chat():
    """00:01 <Anna> the sea stays cold"""
    messages = []
    for number, line in enumerate(STATEMENTS.splitlines()):
        speaker = "<Anna>" if number % 3 else "Boris:"
        messages.append(f"{number // 60:02}:{number % 60:02} {speaker} {line}\n")
    return "".join(messages)


CHAT = _chat()
PROSE = in_lines(STATEMENTS + re.sub("[,;]", "", VERSE) + RUSSIAN)
LISTS = {
    "names": NAMES,
    "Russian": RUSSIAN,
    "Chinese": CHINESE,
    "titles": TITLES,
    "blank lines": NAMES.replace("\n", "\n\n"),
    "a CSV": CSV,
    "words": "".join(sorted(NAMES.lower().splitlines(keepends=True))),
    "nine of ten distinct": "".join(NAME_LINES[:270] + NAME_LINES[:30]),
}
OTHERS = {
    "a poem": VERSE,
    "a poem in stanzas": STANZAS,
    "Chinese verse": CHINESE_VERSE,
    "a play": PLAY,
    "a chat": _long_chat(),
    "a dialogue": DIALOGUE,
    "prose": PROSE,
    "code": CODE,
    "few lines": "".join(NAME_LINES[:199]),
    "a long line": NAMES + "a" * 101 + "\n",
    "fewer than nine of ten distinct": "".join(NAME_LINES[:269] + NAME_LINES[:31]),
    "nothing": "",
}
