"""The commands that messages tell a person to type."""

from charrnn.system.commands_to_type import resume_command


def test_the_command_to_resume():
    assert resume_command("a b") == "charrnn-train --resume --checkpoint-dir 'a b'"
    assert resume_command("-x") == "charrnn-train --resume --checkpoint-dir ./-x"
    assert resume_command(None) == "charrnn-train --resume"  # the newest run


def test_the_command_to_resume_on_several_processes(monkeypatch):
    monkeypatch.setenv("PMI_SIZE", "3")
    monkeypatch.setenv("PMI_RANK", "0")
    monkeypatch.setenv("CHARRNN_MAKE", "make")
    command = 'make train-distributed NP=3 ARGS="--resume --checkpoint-dir a"'
    assert resume_command("a") == command
