"""What a text begins with by default: as its training text, or that of its model, does."""

from dataclasses import replace

import pytest
from conftest import with_output
from list_texts import CHAT, GERMAN, RECIPES

from charrnn import open_model, train_model
from charrnn.commands import sample
from charrnn.engines.sampler import default_prime
from charrnn.text import corpus
from charrnn.training.job import plan_job


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
    """Of a paragraph, a line, or a sentence in prose."""
    sizes = dict(batch_size=2, num_steps=30)
    record = plan_job(corpus.Text("text", text), sizes, "run").record
    assert default_prime(record.vocabulary, record.beginning) == prime


# The lines that go on within a paragraph begin with "and".
VERSES = "The sea\nand sand\nand foam\n\n" * 4 + "Gulls cry\nand fly\n\n" * 3


@pytest.mark.parametrize(
    "init_from, prime", [(None, "The "), ("anna", "Gulls ")], ids=["anew", "with a model"]
)
def test_a_run_that_began_with_a_model_does_not_begin_with_the(init_from, prime):
    """Its texts begin as the paragraphs of its own text do."""
    sizes = dict(batch_size=2, num_steps=30)
    model = init_from and open_model(init_from)
    record = plan_job(corpus.Text("text", VERSES), sizes, "run", init_from=model).record
    assert default_prime(record.vocabulary, record.beginning) == prime


@pytest.fixture(scope="module")
def run_and_output(tmp_path_factory):
    """A run on CHAT, and what it printed."""
    return with_output(
        train_model,
        CHAT,
        tmp_path_factory.mktemp("chatting") / "run",
        lstm_size=5,
        num_layers=1,
        batch_size=2,
        num_steps=300,
        epochs=1,
        sample_length=30,
        summaries=False,
    )


@pytest.fixture
def chatting(run_and_output):
    """That run."""
    run, _ = run_and_output
    return run


def test_samples_of_a_run_begin_as_its_text_does(run_and_output):
    _, out = run_and_output
    assert f"\n{'-' * 70}\nAnna: " in out


def test_an_exported_model_begins_as_its_text_does(chatting, tmp_path):
    """The training text is not needed any more."""
    chatting.model.save(tmp_path / "m.npz")
    assert open_model(tmp_path / "m.npz").write(length=9).startswith("Anna: ")


def test_the_command_begins_as_the_text_does(chatting, tmp_path, capsys):
    chatting.model.save(tmp_path / "m.npz")
    assert sample.main([str(tmp_path / "m.npz"), "--length", "9"]) == 0
    assert capsys.readouterr().out.startswith("Anna: ")


def test_a_run_of_version_3_0_records_no_beginning(chatting):
    model = chatting.model
    older = replace(model, run=replace(model.run, beginning=None))
    assert older.write(length=9).startswith(default_prime(older.vocabulary))
