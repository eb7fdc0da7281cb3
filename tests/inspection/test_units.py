"""Units and what they track: correlations against NumPy's own, and a network whose units are known."""

import numpy as np
import pytest

from charrnn.data import Vocabulary
from charrnn.inspection import features, units

TEXT = 'He said: "No." Then (at 10) she went.\nShe "was" gone, and so was Anna.\n\n' * 60
PARTS = ("1/c", "1/h", "2/c", "2/h")
SIZE = 3
NONE = np.zeros((0, 4, SIZE), np.int8)


class KnownEngine:
    """In place of an engine: units whose activations are features of the text, with some noise.

    Unit 2/c/2 is inside quotation marks, 1/h/3 is minus the position in the line; the others are noise.
    """

    def __init__(self, text):
        self.vocabulary = Vocabulary.from_text(text)
        random = np.random.RandomState(4)
        self._found = 0.1 * random.standard_normal((len(text), 4, SIZE)).astype(np.float32)
        found = features.measure(text)
        self._found[:, 2, 1] += 2 * found["inside quotation marks"] - 1
        self._found[:, 1, 2] -= found["position in the line"] / 50
        self._place = 0

    def zero_state(self, rows=1):
        return np.zeros((4, rows, SIZE), np.float32)

    def activations(self, ids, state):
        self._place += len(ids)
        return self._found[self._place - len(ids) : self._place].copy(), state

    def shown(self):
        """Return all activations as they are shown, [T, S, L]."""
        shown = self._found.copy()
        shown[:, [0, 2]] = np.tanh(shown[:, [0, 2]])
        return shown


@pytest.fixture(scope="module")
def engine():
    return KnownEngine(TEXT)


@pytest.fixture(scope="module")
def measured(engine):
    return units.measure(engine, TEXT, num_layers=2)


def test_correlations_are_those_of_numpy_on_each_half(engine, measured):
    edge = len(TEXT) // 2
    assert edge % units.CHUNK  # it is inside a piece
    for part, found in (
        (slice(None, edge), measured.chosen_by),
        (slice(edge, None), measured.correlations),
    ):
        for place, values in enumerate(features.measure(TEXT).values()):
            expected = [
                [np.corrcoef(values[part], unit)[0, 1] for unit in each.T]
                for each in engine.shown()[part].transpose(1, 0, 2)
            ]
            np.testing.assert_allclose(found[place], expected, atol=1e-5)


@pytest.mark.parametrize(
    "first, second",
    [(TEXT, TEXT.replace('"', " ")), (TEXT, '"' + "She was gone.\n" * 40)],
    ids=["nowhere", "everywhere"],
)
def test_nothing_tracks_a_feature_that_does_not_vary_in_a_half(first, second):
    second = second[: len(first)].ljust(len(first), "a")
    found = units.measure(KnownEngine(first + second), first + second, num_layers=2)
    place = found.features.index("inside quotation marks")
    assert not found.correlations[place].any() and np.abs(found.chosen_by[place]).max() > 0.9


def test_the_units_that_track_a_feature_are_found(measured):
    best = {group[0].feature: group[0] for group in measured.best(1)}
    assert str(best["inside quotation marks"].unit) == "2/c/2"
    assert best["inside quotation marks"].correlation > 0.9
    assert str(best["position in the line"].unit) == "1/h/3"
    assert best["position in the line"].correlation < -0.9


def test_of_one_cell_only_one_part_is_listed_for_a_feature():
    correlations = np.zeros((1, 4, SIZE), np.float32)
    correlations[0, 2:, 1] = 0.9, 0.8  # c and h of the same cell
    correlations[0, 0, 0] = 0.5
    measured = units.Measured(
        PARTS, ("x",), correlations, correlations, np.ones((4, SIZE), np.float32), NONE, 10, (9,)
    )
    assert [str(each.unit) for each in measured.best(3)[0]] == ["2/c/2", "1/c/1"]


def test_the_correlation_that_is_reported_is_not_the_one_that_chose():
    chosen, reported = np.zeros((2, 1, 4, SIZE), np.float32)
    chosen[0, 0, 0] = 0.9
    reported[0, 0, 0] = 0.4
    reported[0, 1, 1] = 0.8
    measured = units.Measured(
        PARTS, ("x",), chosen, reported, np.ones((4, SIZE), np.float32), NONE, 10, (9,)
    )
    [[found]] = measured.best(3)
    assert str(found.unit) == "1/c/1" and found.correlation == pytest.approx(0.4)


def test_the_values_on_the_second_half_are_kept(engine, measured):
    np.testing.assert_array_equal(measured.shown, np.rint(127 * engine.shown()[len(TEXT) // 2 :]))


def test_each_unit_has_what_it_tracks_best(measured):
    best, correlations = measured.tracked()
    assert measured.features[best[2, 1]] == "inside quotation marks" and correlations[2, 1] > 0.9
    assert measured.features[best[1, 2]] == "position in the line" and correlations[1, 2] < -0.9
    assert (best == -1).sum() == best.size - 2
    assert (units.measure(KnownEngine(TEXT), "Anna", num_layers=2).tracked()[0] == -1).all()


def tracking(correlations):
    """Return measured units whose best correlations with some features are given: one unit each, from 1/c/1 on."""
    found = np.zeros((len(correlations), 4, SIZE), np.float32)
    for place, correlation in enumerate(correlations.values()):
        found[place].flat[place] = correlation
    return units.Measured(
        PARTS,
        tuple(correlations),
        found,
        found,
        np.ones((4, SIZE), np.float32),
        NONE,
        9999,
        tuple(9 if name == "inside brackets" else 10 for name in correlations),
    )


def test_what_the_text_hardly_has_or_is_in_the_character_or_an_untrained_network_is_no_discovery():
    """Brackets occur less than once in a thousand characters here. Quotation has to be clear."""
    measured = tracking(
        {
            "line end next": 0.9,
            "inside quotation marks": -0.5,
            "after a vowel": 0.95,
            "position in the line": 0.6,
            "inside a name": 0.35,
            "end of a word": 0.29,
            "inside brackets": 0.9,
        }
    )
    untrained = tracking(
        {"position in the line": -0.45, "inside quotation marks": 0.2, "inside a name": 0.1}
    )
    found = [
        (str(each.unit), each.feature, round(chance, 2))
        for each, chance in measured.discoveries(untrained)
    ]
    assert found == [
        ("1/c/1", "line end next", 0),
        ("1/c/2", "inside quotation marks", 0.2),
        ("1/h/2", "inside a name", 0.1),
    ]
    assert (
        tracking({"inside quotation marks": 0.49}).discoveries(tracking({"inside a name": 0.1}))
        == []
    )


def test_the_limits_of_a_unit_leave_out_what_is_rare(engine, measured):
    least, most = measured.limits()
    inside = np.mean((measured.shown >= least) & (measured.shown <= most), axis=0)
    assert (
        least.shape == most.shape == (4, SIZE) and (least < most).all() and (0.985 < inside).all()
    )
    assert (measured.shown.max(axis=0) > most).any()


def test_expressive_units_track_nothing_and_vary_most(measured):
    found = [str(unit) for unit in measured.expressive(20)]
    assert "2/c/2" not in found and "1/h/3" not in found and found
    deviations = [measured.deviation[unit.part, unit.column] for unit in measured.expressive(20)]
    assert deviations == sorted(deviations, reverse=True)


@pytest.mark.parametrize("name", ["3/c/1", "2/x/1", "2/c/0", "2/c/4", "2/c", "c/2/1", "", "2/c/1 "])
def test_a_name_of_no_unit_is_refused(measured, name):
    with pytest.raises(ValueError, match="from 1/c/1 to 2/h/3"):
        measured.unit(name)
