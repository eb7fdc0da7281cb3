"""The public names and flags are those in public.txt. docs/design.md says when the list may change."""

from conftest import ROOT, SCRIPTS, parser_of

import charrnn

ADVICE = """
Names of Python and flags that are new stand in tests/public.txt, in alphabetical order, and flags in docs/flags.md,
which make flags writes; CHANGES.md has a line on each. One that is gone breaks what others have written.
"""


def test_the_names_and_flags_are_those_in_the_list():
    public = [f"charrnn.{name}" for name in charrnn.__all__]
    for script in SCRIPTS:
        flags = parser_of(script)._option_string_actions
        public.extend(f"charrnn-{script} {flag}" for flag in flags)
    path = ROOT / "tests" / "public.txt"
    listed = path.read_text(encoding="utf-8").splitlines()
    new = sorted(set(public).difference(listed))
    gone = sorted(set(listed).difference(public))
    assert (new, gone) == ([], []), ADVICE
    assert listed == sorted(listed)


def test_the_citation_has_the_version():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {charrnn.__version__}\n" in citation
