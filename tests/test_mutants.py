"""The list of faults that ``make mutants`` tries."""
import re

import pytest
from mutants import MUTANTS, ROOT


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_fault_applies_and_has_a_test(mutant):
    """The old code occurs once, what replaces it is valid Python, and the test exists and is quick."""
    compile(mutant.source(), mutant.file, "exec")
    file, test = mutant.test.split("::")
    source = (ROOT / "tests" / file).read_text(encoding="utf-8")
    found = re.search(rf"((?:^@.*\n)*)^def {test}\(", source, re.MULTILINE)
    assert found and "mark.slow" not in found.group(1)


def test_the_list_covers_the_rooms():
    assert len(MUTANTS) >= 40 and len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
    for room in ("checkpoints", "training", "engines", "fused"):
        assert sum(mutant.file.startswith(f"{room}/") for mutant in MUTANTS) >= 7
