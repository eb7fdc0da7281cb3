"""The network of a run at work during the training: engines with its current weights."""
from typing import Optional

from charrnn.data import Vocabulary
from charrnn.engines import Engine
from charrnn.engines.graph import GraphEngine
from charrnn.engines.model import Model
from charrnn.engines.numpy_lstm import NumpyLSTM
from charrnn.training.hyperparameters import Hyperparameters
from charrnn.training.network import Network


class CurrentNetwork:
    """Makes engines with the current weights of a network, or their running averages if there are any."""

    def __init__(self, network: Network, vocabulary: Vocabulary, hyper: Hyperparameters,
                 threads: Optional[int]) -> None:
        """Keep what the engines need; ``threads`` as for CharRNN."""
        self._network, self._vocabulary, self._hyper, self._threads = network, vocabulary, hyper, threads
        self._graph: Optional[GraphEngine] = None  # built when first used

    def for_many_rows(self) -> GraphEngine:
        """Return an engine that reads many rows at once. Each call returns the same one, with new weights."""
        if not self._graph:
            self._graph = GraphEngine(
                self._vocabulary, self._hyper.lstm_size, self._hyper.num_layers, self._hyper.cell, self._threads)
        self._graph.load(self._network.weights(averaged=True))
        return self._graph

    def for_one_text(self) -> Engine:
        """Return an engine that writes a text: the one in NumPy, which needs no graph, if it has the cells."""
        if self._hyper.cell != "lstm":
            return self.for_many_rows()
        return NumpyLSTM(Model("", self._vocabulary, self._network.weights(averaged=True)))

    def close(self) -> None:
        """Close the session of the graph."""
        if self._graph:
            self._graph.close()
