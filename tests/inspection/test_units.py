"""Units and what they track: correlations against NumPy's own, and a network whose units are known."""

import numpy as np
import pytest

from charrnn.data import Vocabulary
from charrnn.inspection import units
from charrnn.text import features

TEXT = 'He said: "No." Then (at 10) she went.\nShe "was" gone, and so was Anna.\n\n' * 60
MIDDLE = len(TEXT) // 2
PARTS = ("1/c", "1/h", "2/c", "2/h")
SIZE = 3


class KnownEngine:
    """In place of an engine: units whose activations are features of the text, with some noise.

    Unit 2/c/2 is inside quotation marks, 1/h/3 is minus the position in the line; the others are noise.
    """

    def __init__(self, text):
        self.vocabulary = Vocabulary.from_text(text)
        random = np.random.RandomState(4)
        self._states = 0.1 * random.standard_normal((len(text), 4, SIZE)).astype(np.float32)
        occurring = features.occurring_in(text)
        self._states[:, 2, 1] += 2 * occurring["inside quotation marks"] - 1
        self._states[:, 1, 2] -= occurring["position in the line"] / 50
        self._place = 0

    def zero_state(self, rows=1):
        return np.zeros((4, rows, SIZE), np.float32)

    def activations(self, ids, state):
        start = self._place
        self._place += len(ids)
        return self._states[start : self._place].copy(), state

    def shown(self):
        """Return all activations as they are shown, [T, S, L]."""
        shown = self._states.copy()
        shown[:, [0, 2]] = np.tanh(shown[:, [0, 2]])
        return shown


def measure(text):
    return units.measure(KnownEngine(text), text, num_layers=2)


@pytest.fixture(scope="module")
def shown():
    """All activations of the known engine as they are shown."""
    return KnownEngine(TEXT).shown()


@pytest.fixture(scope="module")
def measured():
    return measure(TEXT)


def made(chosen_by, correlations=None, names=("x",), length=10, times=None):
    """Return measured units, of which the correlations are known and little else."""
    return units.Measured(
        parts=PARTS,
        features=tuple(names),
        chosen_by=chosen_by,
        correlations=chosen_by if correlations is None else correlations,
        deviation=np.ones((4, SIZE), np.float32),
        shown=np.zeros((0, 4, SIZE), np.int8),
        length=length,
        times=times or tuple(9 for _ in names),
    )


def names_of(trackings):
    return [str(tracking.unit) for tracking in trackings]


@pytest.mark.parametrize(
    "name, half",
    [("chosen_by", slice(None, MIDDLE)), ("correlations", slice(MIDDLE, None))],
    ids=["first half", "second half"],
)
def test_correlations_are_those_of_numpy_on_each_half(shown, measured, name, half):
    assert MIDDLE % units.CHUNK  # it is inside a piece

    correlations = getattr(measured, name)
    activations = shown[half].reshape(-1, 4 * SIZE)  # [T, S·L]
    for place, values in enumerate(features.occurring_in(TEXT).values()):
        matrix = np.corrcoef(values[half], activations, rowvar=False)
        np.testing.assert_allclose(correlations[place].ravel(), matrix[0, 1:], atol=1e-5)


@pytest.mark.parametrize(
    "first, second",
    [(TEXT, TEXT.replace('"', " ")), (TEXT, '"' + "She was gone.\n" * 40)],
    ids=["nowhere", "everywhere"],
)
def test_nothing_tracks_a_feature_that_does_not_vary_in_a_half(first, second):
    second = second[: len(first)].ljust(len(first), "a")
    measured = measure(first + second)

    place = measured.features.index("inside quotation marks")
    assert not measured.correlations[place].any()
    assert np.abs(measured.chosen_by[place]).max() > 0.9


def test_the_units_that_track_a_feature_are_found(measured):
    best = {tracking.feature: tracking for tracking, *_ in measured.best(1)}
    of_quotation = best["inside quotation marks"]
    assert str(of_quotation.unit) == "2/c/2"
    assert of_quotation.correlation > 0.9

    of_position = best["position in the line"]
    assert str(of_position.unit) == "1/h/3"
    assert of_position.correlation < -0.9


def test_of_one_cell_only_one_part_is_listed_for_a_feature():
    correlations = np.zeros((1, 4, SIZE), np.float32)
    correlations[0, 2, 1] = 0.9  # c and h of the same cell
    correlations[0, 3, 1] = 0.8
    correlations[0, 0, 0] = 0.5

    [trackings] = made(correlations).best(3)
    assert names_of(trackings) == ["2/c/2", "1/c/1"]


def test_the_correlation_that_is_reported_is_not_the_one_that_chose():
    chosen_by, reported = np.zeros((2, 1, 4, SIZE), np.float32)
    chosen_by[0, 0, 0] = 0.9
    reported[0, 0, 0] = 0.4
    reported[0, 1, 1] = 0.8

    [[tracking]] = made(chosen_by, reported).best(3)
    assert str(tracking.unit) == "1/c/1"
    assert tracking.correlation == pytest.approx(0.4)


def test_the_best_unit_is_chosen_on_the_first_half_however_many_are_listed():
    """On the second half, the next best may be better."""
    chosen_by, reported = np.zeros((2, 1, 4, SIZE), np.float32)
    chosen_by[0, 0, :3] = [0.9, 0.8, 0.7]
    reported[0, 0, :3] = [0.6, 0.7, 0.2]

    measured = made(chosen_by, reported)
    assert [names_of(group) for group in measured.best(3)] == [["1/c/1", "1/c/2"]]
    assert [names_of(group) for group in measured.best(1)] == [["1/c/1"]]


def test_a_feature_whose_best_unit_fails_on_the_second_half_is_not_tracked():
    chosen_by, reported = np.zeros((2, 1, 4, SIZE), np.float32)
    chosen_by[0, 0, :2] = [0.9, 0.8]
    reported[0, 0, :2] = [0.2, 0.7]

    assert made(chosen_by, reported).best(3) == []


def test_the_values_on_the_second_half_are_kept(shown, measured):
    np.testing.assert_array_equal(measured.shown, np.rint(127 * shown[MIDDLE:]))


def test_each_unit_has_what_it_tracks_best(measured):
    best, correlations = measured.tracked()
    assert measured.features[best[2, 1]] == "inside quotation marks"
    assert correlations[2, 1] > 0.9

    assert measured.features[best[1, 2]] == "position in the line"
    assert correlations[1, 2] < -0.9

    assert (best == -1).sum() == best.size - 2


def test_no_unit_tracks_anything_where_no_feature_occurs():
    best, _ = units.measure(KnownEngine(TEXT), "Anna", num_layers=2).tracked()
    assert (best == -1).all()


def tracking(correlations):
    """Return measured units: the first, 1/c/1, has the first of these correlations with the first feature, and so on.

    In 9,999 characters, brackets occur nine times, other features ten times.
    """
    by_feature = np.zeros((len(correlations), 4, SIZE), np.float32)
    for place, correlation in enumerate(correlations.values()):
        by_feature[place].flat[place] = correlation

    times = tuple(9 if name == "inside brackets" else 10 for name in correlations)
    return made(by_feature, names=correlations, length=9999, times=times)


def test_what_the_text_hardly_has_or_is_in_the_character_or_an_untrained_network_is_no_discovery():
    """Brackets occur less than once in a thousand characters here."""
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

    discoveries = measured.discoveries(untrained)
    assert [(best.feature, str(best.unit), round(chance, 2)) for best, chance in discoveries] == [
        ("line end next", "1/c/1", 0),
        ("inside quotation marks", "1/c/2", 0.2),
        ("inside a name", "1/h/2", 0.1),
    ]


def test_quotation_has_to_be_clear_for_a_discovery():
    untrained = tracking({"inside a name": 0.1})
    assert tracking({"inside quotation marks": 0.49}).discoveries(untrained) == []


def test_the_limits_of_a_unit_leave_out_what_is_rare(measured):
    least, most = measured.limits()
    assert least.shape == (4, SIZE)
    assert most.shape == (4, SIZE)
    assert (least < most).all()

    is_inside = (measured.shown >= least) & (measured.shown <= most)
    assert (is_inside.mean(axis=0) > 0.985).all()
    assert (measured.shown.max(axis=0) > most).any()


def test_expressive_units_track_nothing_and_vary_most(measured):
    expressive = measured.expressive(20)
    assert expressive
    assert not {"2/c/2", "1/h/3"} & {str(unit) for unit in expressive}

    deviations = [measured.deviation[unit.part, unit.column] for unit in expressive]
    assert deviations == sorted(deviations, reverse=True)


@pytest.mark.parametrize("name", ["3/c/1", "2/x/1", "2/c/0", "2/c/4", "2/c", "c/2/1", "", "2/c/1 "])
def test_a_name_of_no_unit_is_refused(name):
    with pytest.raises(ValueError, match="from 1/c/1 to 2/h/3"):
        units.unit_named(name, PARTS, SIZE)
