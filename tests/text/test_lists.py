"""Lists: by which rule they are recognised, and how they are shuffled, trained on and written."""

import contextlib
import itertools
import json
import re
import shutil
import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, resume, train_small

from charrnn import open_model, train_model
from charrnn.checkpoints import record, text_of_run
from charrnn.commands import evaluate, sample, train
from charrnn.data import Vocabulary
from charrnn.engines.opened_model import Model, lstm_weights
from charrnn.engines.sampler import default_prime
from charrnn.hyperparameters import Hyperparameters
from charrnn.system.interrupts import StopRequests
from charrnn.text import corpus
from charrnn.text.lists import is_list, items_of, shuffled
from charrnn.training.display import Display
from charrnn.training.job import plan_job
from charrnn.training.options import Options

NAMES = corpus.read("names").text


def phrases(*parts, form="{}\n"):
    """Return a line for each combination of a word or phrase of each part, in a fixed order as that of a list."""
    lines = [
        " ".join(each).strip() for each in itertools.product(*(part.split("|") for part in parts))
    ]
    return "".join(
        form.format(lines[index]) for index in np.random.RandomState(1).permutation(len(lines))
    )


RUSSIAN = phrases(
    "Анна|Борис|Вера|Глеб|Дарья|Егор|Анфиса|Иван|Кира|Лев|Мария|Артём|Ольга|Пётр|Алина",
    "Ким|Лось|Мороз|Орлик|Пан|Рог|Сова|Тур|Усик|Фет|Хан|Цой|Чиж|Шум|Юг",
)
CHINESE = phrases(
    *map("|".join, ("王李张刘陈杨赵黄周吴徐孙胡朱高", "伟芳娜敏静丽强磊军洋勇艳杰娟涛"))
).replace(" ", "")
TITLES = phrases(
    "A|The|My|One",
    "Long|Red|Lost|Last",
    "Road|River|Letter|Winter|Day",
    "Home|of Stone|at Night: a Song",
)
NOUNS = "road|sea|snow|door|lamp|hill|stone|bird|wind|boat"
STATEMENT = phrases(
    "the|a", NOUNS, "was|is|stays", "old|cold|far from the town where we lived|near"
)
VERSE = phrases(
    "The|A", NOUNS, "lies|waits|sleeps", "in the dark,|by the sea,|alone;|till dawn.|and sings"
)
RECIPES = phrases(
    "Kartoffelsuppe|Linseneintopf|Gem\u00fcseauflauf|Bohnensalat|Apfelkuchen|Lammbraten|Kohlrouladen|Quarkstrudel",
    "mit Speck|mit gelben R\u00fcben|mit \u00c4pfeln|mit Lauch|mit Kapern|mit Schnittlauch",
    "aus dem Ofen|in brauner Butter|nach alter Art|f\u00fcr kalte Tage|vom Blech",
)
GERMAN = re.sub(
    "(.{50,70}) ",
    "\\1\n",
    " ".join(
        phrases(
            "Das Wetter|Er|Der Hof|Die Frau|Er|Er|Ein Kind",
            "war|blieb|schien|wurde",
            "an diesem Morgen|am Abend|wieder|dann",
            "still|kalt und grau|sehr weit fort|anders als sonst",
            form="{}. ",
        ).split()
    ),
)
CHAT = "".join(
    f"[{number % 9 + 1}.3.21, {number % 24}:15] {('Anna', 'Anna', 'Ben')[number % 3]}: {line}\n"
    for number, line in enumerate(
        phrases("Ja|Nein|Gut", "dann|aber|wirklich", "komme ich.|bleib! Bis|wo bist").splitlines()
    )
)
LISTS = {
    "names": NAMES,
    "Russian": RUSSIAN,
    "Chinese": CHINESE,
    "titles": TITLES,
    "blank lines": NAMES.replace("\n", "\n\n"),
    "a CSV": "name,age\n" + "".join(f"{name},{len(name) + 20}\n" for name in NAMES.split()[:300]),
    "words": "".join(sorted(NAMES.lower().splitlines(True))),
    "nine of ten distinct": "".join(NAMES.splitlines(True)[:270] + NAMES.splitlines(True)[:30]),
}
OTHERS = {
    "a poem": VERSE,
    "a poem in stanzas": re.sub(r"((?:.+\n){4})", r"\1\n", VERSE.replace(",", "").replace(";", "")),
    "Chinese verse": phrases(*map("|".join, ("月云山水花", "照入归出过", "我空天寒", "窗林")))
    .replace(" ", "")
    .replace("窗\n", "窗，\n"),
    "a play": re.sub("(.+\n)", "ANNA:\n\\1\nBORIS.\nYes, \\1\n", STATEMENT),
    "a chat": "".join(
        f"{number // 60:02}:{number % 60:02} {'<Anna>' if number % 3 else 'Boris:'} {line}\n"
        for number, line in enumerate(STATEMENT.splitlines())
    ),
    "a dialogue": phrases(
        "— Да|— Нет|— И|— А", "мы|вы|они|я", "тут|там|здесь|дома", "все|сами|одни|опять"
    ),
    "prose": re.sub(
        "(.{50,70}) ", "\\1\n", " ".join((STATEMENT + re.sub("[,;]", "", VERSE) + RUSSIAN).split())
    ),
    "code": "".join(
        f"def {name}(text):\n    return text + {name!r}\n\n" for name in NAMES.lower().split()[:300]
    ),
    "few lines": "".join(NAMES.splitlines(True)[:199]),
    "a long line": NAMES + "a" * 101 + "\n",
    "fewer than nine of ten distinct": "".join(
        NAMES.splitlines(True)[:269] + NAMES.splitlines(True)[:31]
    ),
    "nothing": "",
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_recognised(name):
    assert is_list(LISTS[name]) and is_list(shuffled(LISTS[name]))


@pytest.mark.parametrize("name", OTHERS)
def test_prose_verse_dialogue_and_code_are_no_lists(name):
    assert not is_list(OTHERS[name])


@pytest.mark.parametrize(
    "text, expected", [(RECIPES, True), (OTHERS["prose"], False), (GERMAN, False)]
)
def test_the_order_of_lines_does_not_matter(text, expected):
    """Also not that of lines of about the same length, as recipes have, but broken prose is no list."""
    lines = text.splitlines(True)
    assert {
        is_list("".join(np.random.RandomState(seed).permutation(lines))) for seed in range(50)
    } == {expected}


@pytest.mark.skipif(
    not shutil.which("node"), reason="node is not installed: apt-get install nodejs"
)
def test_the_page_of_learning_has_the_same_rule():
    program = (
        f"const {{ isList }} = require('{ROOT}/tests/pages/learn/load.js')('isList');"
        "console.log(JSON.stringify(JSON.parse(require('fs').readFileSync(0)).map(isList)))"
    )
    texts = [
        *LISTS.values(),
        *OTHERS.values(),
        *(3 * text for text in OTHERS.values()),
        RECIPES,
        GERMAN,
    ]
    found = subprocess.check_output(["node", "-e", program], input=json.dumps(texts).encode())
    assert json.loads(found.decode()) == list(map(is_list, texts))


def test_the_known_texts(anna):
    texts = [corpus.read("python").text, anna, re.sub("\n+", "\n", anna)]
    with contextlib.suppress(ValueError):  # it is not on this machine
        texts.append(corpus.read("tiny-shakespeare").text)
    assert not any(map(is_list, texts))


def test_lines_are_shuffled_with_the_blank_lines_after_them():
    text = "".join(
        f"{number}\u2028\x0b{number}\n" + "\n \n" * (number % 2) for number in range(60)
    )[:-4]
    found = shuffled(text)
    assert sorted(items_of(found)) == sorted(items_of(text + "\n")) and len(items_of(found)) == 60
    assert (
        items_of(found) != items_of(text + "\n")
        and shuffled("b") == "b\n"
        and sorted(shuffled("\n\na")) == ["\n", "\n", "\n", "a"]
    )
    # in every version, or the text of a run would not be known
    assert shuffled("0\n1\n2\n3\n4\n5\n6\n7") == "4\n6\n3\n0\n2\n5\n1\n7\n"


def test_the_names_have_no_repeats():
    names = NAMES.splitlines()
    assert 1900 < len(names) == len(set(names)) and len(set(NAMES)) <= 83 and sorted(names) == names


# How a text begins


@pytest.mark.parametrize(
    "text, prime",
    [
        (RECIPES.replace("Apfelkuchen", "Gem\u00fcseauflauf"), "Gem\u00fcseauflauf "),
        (CHAT, "Anna: "),
        (GERMAN, "Er "),
        (GERMAN + "The End", "Er "),
        ("The cat. A cat.\n" * 50 + GERMAN, "The "),
        ("\u4e00\u7684The, \n" * 90, "The "),
        # ingredients
        ("200 g Mehl\n1/2 l Milch\n3 Eier, frisch\nBacken und essen\n" * 9, "\n"),
        # CSV
        ("00M,Thigpen,Bay Springs,MS\n00R,Livingston,Polk County,TX\n" * 9, "\n"),
        # a page of a manual
        (".B foo\n.I bar baz\nRun it twice\n" * 9, "\n"),
        # a script whose vowels are signs behind a letter
        ("\u0928\u0940\u0932\u093e \u0939\u0948\n" * 60, "\u0928\u0940\u0932\u093e "),
    ],
)
def test_a_text_begins_with_the_most_frequent_first_word(text, prime):
    """Of a line, or of a sentence in prose."""
    planned = plan_job(
        corpus.Text("text", text), dict(batch_size=2, num_steps=30), "run", Options()
    )
    assert default_prime(planned.record.vocabulary, planned.record) == prime


def test_a_model_begins_its_texts_as_those_that_were_learned(tmp_path, capsys):
    """The training text is not needed any more."""
    prime = "Anna: "
    run = train_model(
        CHAT,
        tmp_path / "run",
        lstm_size=5,
        num_layers=1,
        batch_size=2,
        num_steps=300,
        epochs=1,
        sample_length=30,
        summaries=False,
    )
    assert f"\n{'-' * 70}\n{prime}" in capsys.readouterr().out
    run.model.save(tmp_path / "m.npz")
    assert open_model(tmp_path / "m.npz").write(length=9).startswith(prime)
    assert sample.main([str(tmp_path / "m.npz"), "--length", "9"]) == 0
    assert capsys.readouterr().out.startswith(prime)
    older = replace(run.model, run=replace(run.model.run, beginning=None))  # as in version 3.0
    assert older.write(length=9).startswith(default_prime(older.vocabulary))


# Runs


FLAGS = [
    "--shuffle",
    "lines",
    "--val-fraction",
    "0.2",
    "--test-fraction",
    "0.1",
    "--epochs",
    "1",
    "--lstm-size",
    "5",
    "--num-layers",
    "1",
    "--batch-size",
    "4",
    "--num-steps",
    "40",
    "--no-summaries",
]


@pytest.fixture(scope="module")
def listed(tmp_path_factory):
    """The folder of a run on a shuffled list with CRLF line ends, next to the list. Not to be changed."""
    folder = tmp_path_factory.mktemp("listed")
    (folder / "list.txt").write_bytes(RUSSIAN[:-1].replace("\n", "\r\n").encode())
    assert train_small(folder / "list.txt", folder / "run", *FLAGS) == 0
    return folder / "run"


def test_a_run_keeps_the_shuffled_text_and_knows_the_one_that_was_given(listed):
    run = record.read_run(listed)
    assert (listed / "text.txt").read_text(encoding="utf-8") == shuffled(RUSSIAN) != RUSSIAN
    assert (
        run.text_sha256 == corpus.text_sha256(RUSSIAN[:-1])
        and run.hyperparameters.shuffle == "lines"
    )
    for text in (RUSSIAN[:-1], shuffled(RUSSIAN)):
        parts = text_of_run.divide(corpus.Text("list", text), run)
        assert "".join(parts[:3]) == shuffled(RUSSIAN) and len(parts.held_out) == int(
            0.2 * len(RUSSIAN)
        )
        assert parts.lines() == set(RUSSIAN.split("\n"))  # which --new leaves out
    assert text_of_run.divide(corpus.Text("other", RUSSIAN + "a"), run).held_out == ""


def test_a_run_is_resumed_with_its_text_or_the_one_that_was_given(listed, tmp_path, capsys):
    shutil.copytree(str(listed), str(tmp_path / "run"))
    assert resume(tmp_path / "run", "--shuffle", "none") == 2
    assert "has shuffle lines, which cannot be changed to none" in capsys.readouterr().err
    (tmp_path / "run" / "text.txt").write_text("another\n")
    assert (
        resume(tmp_path / "run", "--epochs", "2") == 2 and "has changed" in capsys.readouterr().err
    )
    assert (
        train.main(
            [
                str(listed.parent / "list.txt"),
                "--resume",
                "--epochs",
                "2",
                "--sample-length",
                "0",
                "--checkpoint-dir",
                str(tmp_path / "run"),
            ]
        )
        == 0
    )
    assert (tmp_path / "run" / "text.txt").read_bytes() == (listed / "text.txt").read_bytes()


def test_commands_hold_out_the_shuffled_end(listed, tmp_path, capsys):
    """Also of an exported model, whose text is named."""
    open_model(listed).save(tmp_path / "m.npz")
    text = ["--train-text", str(listed.parent / "list.txt")]
    found = []
    for arguments in (["--held-out", str(listed)], ["--held-out", str(tmp_path / "m.npz"), *text]):
        assert evaluate.main(arguments) == 0
        found.append(capsys.readouterr().out.split("characters")[1:])
    assert found[0] == found[1]


def test_auto_shuffles_a_list_and_others_have_a_note(plan_only, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list").write_text(NAMES)
    (tmp_path / "poem").write_text(VERSE)
    flags = ["--dry-run", "--lstm-size", "5", "--num-steps", "20", "--batch-size", "5"]
    for arguments, order, note in (
        ("list --preset auto", True, False),
        ("list --preset auto --shuffle none", False, False),
        ("list", False, True),
        ("list --shuffle lines", True, False),
        ("poem --preset auto", False, False),
    ):
        assert train.main([*arguments.split(), *flags]) == 0
        out = capsys.readouterr().out
        assert ("\norder " in out, "take shuffle lines" in out) == (order, note)
        assert ("(at least 200 lines, none over 100 characters" in out) == (order or note)
    assert Hyperparameters().shuffle == "none"


def test_the_last_line_of_a_run_on_a_list_writes_lines(capsys):
    options = Options(in_python=True)
    names, verse = (
        plan_job(
            corpus.Text("text", text), dict(num_steps=20, val_fraction=fraction), "my run", options
        )
        for text, fraction in ((NAMES, 0), (VERSE, 0.1))
    )
    for job in (names, verse, replace(names, options=Options(resume=True))):
        Display(job, 704, StopRequests()).finished(9, "epochs")
    lines = [line.split(". ")[-1] for line in capsys.readouterr().out.splitlines()]
    longer = "To train longer: train_model(None, 'my run', resume=True, epochs=N)"
    assert lines == [
        "To write lines: open_model('my run').write_lines(20)",
        longer,
        "To write text: open_model('my run', best=True).write()",
        longer,
        "To write lines: charrnn-sample 'my run' --lines 20",
        "To train longer, add --epochs N: charrnn-train --resume --checkpoint-dir 'my run'",
    ]


# Lines of a model


def distance(lines, text, most=None):
    """Return the total variation distance of the first letters of lines from those of a list, or its most frequent."""
    drawn, listed = (
        Counter(line[0] for line in each if line) for each in (lines, text.split("\n"))
    )
    letters = [letter for letter, _ in listed.most_common(most)] if most else {**drawn, **listed}
    ours, theirs = (np.array([counts[letter] for letter in letters]) for counts in (drawn, listed))
    return abs(ours / ours.sum() - theirs / theirs.sum()).sum() / 2


ENGLISH = "".join(NAMES.splitlines(True)[::4])
SMALL = dict(
    quiet=True,
    summaries=False,
    preset="auto",
    lstm_size=48,
    num_layers=1,
    batch_size=4,
    num_steps=25,
    seed=1,
    learning_rate=0.01,
    warmup_steps=10,
    early_stop=0,
    sample_length=0,
    save_every_n=9999,
    val_fraction=0.05,
)


@pytest.fixture(scope="module")
def english(tmp_path_factory):
    """A small model of names."""
    return train_model(
        ENGLISH, tmp_path_factory.mktemp("english") / "run", epochs=20, **SMALL
    ).model


def test_lines_have_all_first_letters(english):
    lines = english.write_lines(1000, seed=1)
    assert len(lines) == 1000 and all(line and "\n" not in line for line in lines)
    assert (
        distance(lines, ENGLISH)
        <= 0.15
        < distance(english.write_lines(1000, seed=1, top_n=5), ENGLISH)
    )


def test_samples_during_training_have_all_first_letters(english, tmp_path, capsys):
    """Those of the command with the same settings."""
    folder = shutil.copytree(str(Path(english.name).parent), str(tmp_path / "run"))
    assert resume(folder, "--epochs", "21", "--sample-length", "6000") == 0
    text = capsys.readouterr().out.split("-" * 70 + "\n")[1]
    assert distance(text.split(), ENGLISH) <= 0.15
    step = str(record.step_of(Path(open_model(folder).name).name))
    assert (
        sample.main(
            [folder, "--prime", "\\n", "--top-p", "0.98", "--seed", step, "--length", "6000"]
        )
        == 0
    )
    assert capsys.readouterr().out == "\n" + text


def test_the_command_writes_the_lines_of_python(english, capsys):
    folder = str(Path(english.name).parent)
    assert sample.main([folder, "--lines", "30", "--seed", "5", "--length", "7"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert (
        lines == english.write_lines(30, 7, seed=5)
        and len(lines) == 30
        and max(map(len, lines)) == 7
    )
    assert sample.main([folder, "--lines", "3", "--seed", "6", "--length", "7", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["samples"]
    assert [each["text"].strip() for each in found] == lines[1:4] and [
        each["seed"] for each in found
    ] == [6, 7, 8]
    assert [len(each["text"]) - 1 for each in found] == [
        len(each["log_probabilities"]) for each in found
    ]


def test_new_lines_are_neither_in_the_text_nor_repeated(english, tmp_path, capsys):
    """Here those of the text and of what the model writes first count as the text."""
    folder = str(Path(english.name).parent)
    text = tmp_path / "text"
    drawn = english.write_lines(60, seed=5, temperature=0.3)
    assert len(set(drawn)) < 60
    text.write_text("\n".join([" " + drawn[0] + " ", *drawn[2:9]]))
    flags = [
        folder,
        "--lines",
        "60",
        "--seed",
        "5",
        "--temperature",
        "0.3",
        "--train-text",
        str(text),
    ]
    assert sample.main([*flags, "--new", "--novelty"]) == 0
    out, err = capsys.readouterr()
    *lines, novelty = out.splitlines()
    new = list(dict.fromkeys(line for line in drawn if line not in {drawn[0], *drawn[2:9]}))
    assert (
        lines[: len(new)] == new
        and len(set(lines)) == 60
        and novelty.startswith("novelty: 0 of 60 lines are in")
    )
    assert int(
        re.match(r"left out (\d+) lines of the training text, or repeated\n", err).group(1)
    ) >= 60 - len(new)
    assert lines == english.write_lines(60, seed=5, temperature=0.3, new=text)
    assert sample.main([*flags, "--novelty"]) == 0
    count = sum(line in {drawn[0], *drawn[2:9]} for line in drawn)
    assert capsys.readouterr().out.endswith(
        f"novelty: {count} of 60 lines are in the training text\n"
    )
    assert not set(english.write_lines(60, seed=5, temperature=0.3, new=True)) & set(
        ENGLISH.split()
    )


def test_a_model_that_repeats_itself_gives_up(english, capsys):
    """After 20 times as many lines as were asked for."""
    flags = [str(Path(english.name).parent), "--lines", "4", "--temperature", "0", "--length", "9"]
    assert sample.main([*flags, "--new"]) == 0
    assert re.search(
        r"left out (79|80) lines .*, so that there are [01] of 4 lines\n", capsys.readouterr().err
    )


def test_blank_lines_do_not_count(tmp_path, capsys):
    """The command prints how many lines there are."""
    weights = lstm_weights([np.zeros((5, 12), np.float32)], np.zeros((3, 2), np.float32))
    weights["softmax/Variable_1"] = np.array([9, 0], np.float32)
    model = Model("blank", Vocabulary("\na"), weights)
    assert model.write_lines(4, temperature=0) == []
    model.save(tmp_path / "m.npz")
    for flags in ([], ["--json"]):
        assert (
            sample.main([str(tmp_path / "m.npz"), "--lines", "4", "--temperature", "0", *flags])
            == 0
        )
        assert (
            capsys.readouterr().err
            == "there are 0 of 4 lines, because the others that were drawn are blank\n"
        )
