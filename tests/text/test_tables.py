"""Which texts are taken for a table that another program has exported."""

import pytest
from conftest import ROOT, known_text

from charrnn.text import corpus, lines

VOICES = ROOT / "tests" / "data" / "voices"
WORDS = ("so it is done", "who has the keys to the van?", "not me: ask him, at 9:15", "well")


def lines_of(form, times=6):
    """Return a text of lines in a form, by two people in turn."""
    written = []
    for number in range(4 * times):
        name = ("gwen", "Tom B.")[number % 2]
        words = WORDS[number % 4]
        written.append(form.format(minute=number + 10, name=name, words=words, number=number))
    return "\n".join(written)


@pytest.mark.parametrize(
    "head, form",
    [
        ("id,user,text", '{number},{name},"{words}, they ""said"",\nand went away"'),
        (",text", '{number},"{words}, or what do you think?"'),
        ("label\tmessage", "ham\t{words} and so on"),
        ("Datum;Uhrzeit (UTC);Nachricht", "12.03.2024;21:{minute};{words} und so weiter"),
    ],
)
def test_a_table_has_a_row_of_names_and_a_column_of_text(head, form):
    text = f"{head}\n{lines_of(form, times=2)}\n"
    assert lines.is_table(text)
    assert lines.is_table(text * 999)


@pytest.mark.parametrize(
    "text",
    [
        # a list, a table without a text, a poem, prose and code
        lines_of("{name},{number}"),
        "step,loss\n" + lines_of("{number},{number}"),
        "Night,day\n" + lines_of("{words}\n{name}, and there was {words}\n{words}"),
        "Roses, violets\n" + lines_of("There came {name}, and said so"),
        lines_of("{words}; {words}\n\n"),
        "import os,re\n" + lines_of("call({number},{minute})\nif it is what it was:"),
        'say,text\n1,"' + "never closed, " * 20_000,
        "a heading\n",
    ],
    ids=["list", "figures", "poem", "verse", "prose", "code", "open quotation", "one line"],
)
def test_lists_figures_poems_prose_and_code_are_no_table(text):
    assert not lines.is_table(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            pytest.param(path.read_text(encoding="utf-8"), id=path.stem)
            for path in sorted(VOICES.iterdir())
        ),
        pytest.param((ROOT / "README.md").read_text(encoding="utf-8"), id="README"),
    ],
)
def test_what_people_wrote_is_no_table(text):
    assert not lines.is_table(text)


@pytest.mark.parametrize("name", corpus.KNOWN_NAMES)
def test_a_known_text_is_no_table(name):
    text = corpus.read(name).text if name in corpus.WITHOUT_DOWNLOAD else known_text(name)
    assert not lines.is_table(text)
