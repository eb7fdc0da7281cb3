"""Measure how many sentences mean something, by readers who do not know who wrote them.

``python benchmarks/sense.py sheet FOLDER --source NAME=MODEL ... --author TEXT`` writes sentences of 5 to 16 words from
models, by fixed seeds, and picks as many of an author's. FOLDER/sheet.txt has them numbered and shuffled, below the
instruction for the reader; FOLDER/key.json says whose each is. A reader who has not seen the key writes a line for each
into a file: its number and *m* (means something), *g* (grammatical, without a meaning) or *n* (neither).

``python benchmarks/sense.py count FOLDER READER.txt ...`` prints a row for each source: the shares that each reader
gave, their mean, and what needs no reader: words in no dictionary (by hunspell) and phrases of three words that were
there before. ``--novel`` adds the nats per character on texts.

A source is written as it writes by default. NAME=MODEL:JSON gives keywords of ``write``, such as
``plain=english:{"temperature": 0.7, "top_p": 0.8}``.
"""

import argparse
import json
import random
import re
import subprocess
from pathlib import Path

import counting
import numpy as np

from charrnn import open_model
from charrnn.text.corpus import read

SHORTEST = 5
LONGEST = 16
# characters of a text, whose first and last sentence are left out
LENGTH = 700
FIRST_SEED = 101
# sentences that are taken from one text, at most
OF_A_TEXT = 3
SEED_OF_ORDER = 1
DICTIONARY = "en_US,en_GB"
INSTRUCTION = """\
Each line below is one sentence, taken out of its text. Some were written by people, some by programs. Mark each one by
itself, without looking for its source:

  m  it means something: a person could have written it, in some text, and you can say what it tells
  g  it is grammatical, or nearly so, but it means nothing that a person would say
  n  neither

Old-fashioned, terse or odd sentences are m if they mean something. Names and dates that you do not know do not matter.
Write a line for each: its number and its letter.
"""
_END = re.compile(r"(?<=[.!?…])[\"'”’»)]*\s+")
# A full stop after these ends no sentence.
_ABBREVIATION = re.compile(r"\b(Mr|Mrs|Dr|St|[A-Z])\.$")
_WORD = re.compile(r"[^\W\d_][\w'’-]*")


def sentences_of(text):
    """Return the sentences of a text with SHORTEST to LONGEST words, the first and the last left out."""
    parts = [""]
    for part in _END.split(re.sub(r"\s+", " ", text)):
        if _ABBREVIATION.search(parts[-1]):
            parts[-1] += f" {part}"
        else:
            parts.append(part)
    whole = [part.strip(" \"'“”‘’«»()-—") for part in parts[2:-1]]
    return [part for part in whole if is_counted(part)]


def is_counted(sentence):
    """Return whether a sentence is neither too short nor too long, nor the rest of one, in lower case."""
    is_begun = not sentence[:1].islower()
    return is_begun and SHORTEST <= len(_WORD.findall(sentence)) <= LONGEST


def written_sentences(model, how, count):
    """Return sentences that a model writes, at most OF_A_TEXT of each text, and all that it wrote for them."""
    sentences = []
    texts = []
    for seed in range(FIRST_SEED, FIRST_SEED + 20 * count):
        text = model.write(length=LENGTH, seed=seed, **how)
        texts.append(text)
        sentences.extend(sentences_of(text)[:OF_A_TEXT])
        if len(sentences) >= count:
            return sentences[:count], texts
    raise ValueError(f"{model.name} wrote only {len(sentences)} such sentences")


def author_sentences(text, count):
    """Return sentences of an author, by a fixed seed."""
    sentences = sentences_of(text)
    return random.Random(SEED_OF_ORDER).sample(sentences, min(count, len(sentences)))


def source_of(argument):
    """Return the name, the path and the keywords of a source."""
    name, _, rest = argument.partition("=")
    path, brace, how = rest.partition(":{")
    return name, path, json.loads(f"{{{how}") if brace else {}


def write_sheet(args):
    """Write the sheet, the key, and the texts that the sentences are from."""
    args.folder.mkdir(parents=True, exist_ok=True)
    rows = []
    texts = {}
    for argument in args.source:
        name, path, how = source_of(argument)
        sentences, texts[name] = written_sentences(open_model(path), how, args.sentences)
        rows.extend((sentence, name) for sentence in sentences)
    for argument in args.author:
        name, _, path = argument.partition("=")
        text = read(path).text
        texts[name] = [text]
        rows.extend((sentence, name) for sentence in author_sentences(text, args.sentences))

    random.Random(SEED_OF_ORDER).shuffle(rows)
    lines = [f"{number:>4}  {sentence}" for number, (sentence, _) in enumerate(rows, 1)]
    sheet = INSTRUCTION + "\n" + "\n".join(lines) + "\n"
    (args.folder / "sheet.txt").write_text(sheet, encoding="utf-8")
    key = {"sources": [name for _, name in rows], "texts": texts, "asked": args.source}
    content = json.dumps(key, ensure_ascii=False, indent=1)
    (args.folder / "key.json").write_text(content, encoding="utf-8")


def marks_of(path, count):
    """Return the letters of a reader, in order."""
    marks = {}
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        match = re.match(r"\s*(\d+)\W+([mgn])\b", line)
        if match:
            marks[int(match.group(1))] = match.group(2)
    missing = [number for number in range(1, count + 1) if number not in marks]
    if missing:
        raise ValueError(f"{path} has no mark for {missing}")
    return [marks[number] for number in range(1, count + 1)]


def unknown_share(texts, dictionary, known=()):
    """Return the share of the words of texts that are in no dictionary of hunspell, in lower case or capitalised.

    Words in ``known`` count as known.
    """
    words = counting.words_of("\n".join(texts))
    unknown = _unknown(words, dictionary)
    unknown.intersection_update(
        word.lower() for word in _unknown(map(str.title, words), dictionary)
    )
    unknown.difference_update(known)
    return sum(n for word, n in words.items() if word in unknown) / sum(words.values())


def _unknown(words, dictionary):
    """Return the words that hunspell does not know."""
    result = subprocess.run(
        ["hunspell", "-d", dictionary, "-i", "utf-8", "-l"],
        input="\n".join(words).encode("utf-8"),
        stdout=subprocess.PIPE,
        check=True,
    )
    return set(result.stdout.decode("utf-8").split())


def count_marks(args):
    """Print a row for each source."""
    key = json.loads((args.folder / "key.json").read_text(encoding="utf-8"))
    readers = [marks_of(path, len(key["sources"])) for path in args.reader]
    print(
        "| source | sentences | mean something | each reader | grammatical | in no dictionary | phrases again |"
    )
    print(f"|{7 * ' --- |'}")
    for name, texts in key["texts"].items():
        places = [place for place, source in enumerate(key["sources"]) if source == name]
        meaning = [np.mean([marks[place] == "m" for place in places]) for marks in readers]
        grammatical = [np.mean([marks[place] != "n" for place in places]) for marks in readers]
        each = ", ".join(f"{share:.0%}" for share in meaning)
        cells = [
            name,
            str(len(places)),
            f"{np.mean(meaning):.0%}",
            each,
            f"{np.mean(grammatical):.0%}",
            f"{unknown_share(texts, args.dictionary):.1%}",
            f"{counting.repeated_phrases(texts):.1%}",
        ]
        print(f"| {' | '.join(cells)} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(dest="command")
    sheet = commands.add_parser("sheet", help="write sentences for a reader")
    sheet.add_argument("folder", type=Path)
    sheet.add_argument("--source", action="append", default=[], metavar="NAME=MODEL[:JSON]")
    sheet.add_argument("--author", action="append", default=[], metavar="NAME=TEXT")
    sheet.add_argument("--sentences", type=int, default=60)
    count = commands.add_parser("count", help="count what readers marked")
    count.add_argument("folder", type=Path)
    count.add_argument("reader", nargs="+")
    count.add_argument("--dictionary", default=DICTIONARY, help="names of hunspell")
    args = parser.parse_args()
    if args.command == "sheet":
        write_sheet(args)
    elif args.command == "count":
        count_marks(args)
    else:
        parser.error("sheet or count")


if __name__ == "__main__":
    main()
