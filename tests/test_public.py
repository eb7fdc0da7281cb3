"""The public names and flags are those in public.txt. docs/design.md says when the list may change."""

from conftest import ROOT, SCRIPTS, parser_of

import charrnn


def test_the_names_and_flags_are_those_in_the_list():
    names = [f"charrnn.{name}" for name in charrnn.__all__]
    flags = [
        f"charrnn-{script} {flag}"
        for script in SCRIPTS
        for flag in parser_of(script)._option_string_actions
    ]
    assert (
        sorted(names + flags)
        == (ROOT / "tests" / "public.txt").read_text(encoding="utf-8").splitlines()
    )


def test_the_citation_has_the_version():
    assert f"\nversion: {charrnn.__version__}\n" in (ROOT / "CITATION.cff").read_text(
        encoding="utf-8"
    )
