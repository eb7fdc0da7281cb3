"""Trained networks that continue and measure texts, behind one interface.

NumPy is enough, except for ``graph_engine`` and ``cells``, which need TensorFlow.

Letters for shapes as in :mod:`charrnn.data`. In addition: B rows that are processed together (texts or pieces of a
text), T steps of one call, S parts of a state.
"""

# mypy: disable-error-code="empty-body"
from typing import Sequence, Tuple

import numpy as np

from charrnn.data import Vocabulary

# characters of a long text that are read in one call of an engine
CHUNK = 1000


class Engine:
    """A trained network that continues and measures texts.

    A state is one float32 array [S, B, L]. Its parts are c and h of the first layer, then of the next, and so on. The
    cells ``gru`` and ``rnn`` have h only. ``np.repeat(state, B, axis=1)`` makes a state of B rows from one row.

    Attributes:
        vocabulary: the characters that the network knows.
    """

    vocabulary: Vocabulary

    def zero_state(self, rows: int = 1) -> np.ndarray:
        """Return the state before a text, [S, rows, L]."""

    def read(self, ids: Sequence[int], state: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
        """Read the characters of one text.

        Args:
            ids: [T] in [0, C), T at least 1.
            state: the state before them, [S, 1, L].

        Returns:
            (logits, state): float32 [1, C], for the character that follows, and the state after the text.
        """

    def feed(self, ids: np.ndarray, state: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
        """Read one character in each row.

        Args:
            ids: [B] in [0, C).
            state: the state before them, [S, B, L].

        Returns:
            (logits, state): float32 [B, C], for the characters that follow, and the state after these.
        """

    def surprisal(
        self, inputs: np.ndarray, targets: np.ndarray, state: np.ndarray
    ) -> Tuple[np.ndarray, np.ndarray]:
        """Measure how unexpected the characters of a window are.

        Args:
            inputs: integers [B, M] in [0, C).
            targets: integers [B, M], the character after each input.
            state: the state before the window, [S, B, L].

        Returns:
            (nats, state): float32 [B, M], minus the natural logarithm of the probability of each target, and the
            state after the window.
        """

    def activations(self, ids: Sequence[int], state: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
        """Return what every unit does while the network reads the characters of one text.

        Args:
            ids: [T] in [0, C), T at least 1.
            state: the state before them, [S, 1, L].

        Returns:
            (activations, state): float32 [T, S, L], the state after each character; and the state after the last.
        """
        states = []
        for index in ids:
            _, state = self.feed(np.array([index]), state)
            states.append(state[:, 0])
        return np.array(states), state

    def close(self) -> None:
        """Release the session of the engine, if it has one."""
