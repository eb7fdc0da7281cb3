"""The constructor of the reader's CharRNN, and what it passes to the functions of the earlier exercises."""

import functools
import inspect
from typing import Any, Callable, Dict, Iterator, List, Sequence, Tuple

from charrnn.system.tensorflow import tf

from . import build_inputs, build_loss, build_lstm, build_optimizer, build_output, words
from .answer import (
    ATTRIBUTES,
    Locals,
    Unexplained,
    Unwritten,
    Wrong,
    call,
    graph_only,
    need,
    scope_of,
)
from .verdict import found_right, verdict

EXAMINE = {
    "build_inputs": build_inputs.examine,
    "build_lstm": build_lstm.examine,
    "build_output": build_output.examine,
    "build_loss": build_loss.examine,
    "build_optimizer": build_optimizer.examine,
}
RESULTS = {
    "build_inputs": ("inputs", "targets", "keep_prob"),
    "build_lstm": ("cell", "initial_state"),
    "build_output": ("predictions", "logits"),
    "build_loss": ("loss",),
    "build_optimizer": ("optimizer",),
}
# by result
MAKERS: Dict[str, str] = {}
for _function, _results in RESULTS.items():
    MAKERS.update(dict.fromkeys(_results, _function))


class Constructor:
    """Makes networks of the reader's class and knows how the last one was made.

    Attributes:
        network: the last one. Where its constructor raised, it has the attributes that were set before.
        arguments: those of its constructor.
        local: the local variables of its constructor when it returned or raised.
        calls: which functions of the exercises its constructor called, each with its arguments by name.
        made: what they returned, by the names in RESULTS.
    """

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.network: Any = None
        self.arguments: Dict[str, Any] = {}
        self.local: Dict[str, Any] = {}
        self.calls: List[Tuple[str, Dict[str, Any]]] = []
        self.made: Dict[str, Any] = {}

    def build(self, **arguments: Any) -> Any:
        """Make a network and return it; a Wrong says what its constructor raised."""
        need(
            isinstance(self.answer, type),
            f"It should be a class, not {words.describe(self.answer)}.",
        )

        self.arguments = arguments
        self.calls = []
        self.made = {}
        self.network = self.answer.__new__(self.answer)
        scope = scope_of(self.answer)
        local = Locals(self.answer)

        # meanwhile, functions that note each call stand in for those of the reader
        functions = {name: scope[name] for name in EXAMINE if callable(scope.get(name))}
        for name, function in functions.items():
            scope[name] = self._noting(name, function)
        try:
            with local, graph_only():
                returned = call(self.network.__init__, **arguments)
        finally:
            self.local = local.values
            scope.update(functions)
        need(
            returned is None,
            "__init__ returns something, which Python does not allow: leave the return out.",
        )
        return self.network

    def _noting(self, name: str, function: Callable) -> Callable:
        """Return a function that notes each call of another."""

        @functools.wraps(function)
        def noting(*args: Any, **kwargs: Any) -> Any:
            self.calls.append((name, _by_name(function, args, kwargs)))
            returned = function(*args, **kwargs)
            values = returned if isinstance(returned, (tuple, list)) else [returned]
            self.made.update(zip(RESULTS[name], values))
            return returned

        return noting

    def cause(self, wrong: Wrong) -> Wrong:
        """Return the first cause of what is wrong with the network: an earlier exercise, a stub, an argument."""
        earlier = self._wrong_function()
        if earlier:
            return Unwritten(earlier)
        lost = self._lost()
        if lost:
            attributes = [f"self.{name}" for name in lost]
            return Wrong(
                f"{', '.join(lost)} would be lost when the constructor ends: write {', '.join(attributes)}."
            )
        none = self._none()
        if none and not isinstance(wrong, Unwritten):
            return Unwritten(f"Still None: {', '.join(none)}.")

        where = "With sampling=True: " if self.arguments.get("sampling") else ""
        misplaced = next(self._misplaced(), "")
        if not misplaced:
            return type(wrong)(f"{where}{wrong}")
        kind = Wrong if isinstance(wrong, Unexplained) else type(wrong)
        return kind(where + misplaced)

    def _wrong_function(self) -> str:
        """Say which function of an earlier exercise is called and not right, or return an empty string."""
        called = {name for name, _ in self.calls}
        for name, examine in EXAMINE.items():
            if name in called and not found_right(name):
                is_right, message = verdict(name, examine, scope_of(self.answer)[name])
                if not is_right:
                    return f"It uses {name}, which is not right yet: begin there. {message}"
        return ""

    def _lost(self) -> List[str]:
        """Return the attributes that are only local variables of the constructor."""
        local = [name for name, value in self.local.items() if value is not None]
        missing = [name for name in ATTRIBUTES if not hasattr(self.network, name)]
        return [name for name in missing if name in local and name not in self.arguments]

    def _none(self) -> List[str]:
        """Return the attributes that are None, but for the optimizer of a network that writes."""
        values = getattr(self.network, "__dict__", {})
        none = [name for name, value in values.items() if value is None]
        if self.arguments.get("sampling") and "optimizer" in none:
            none.remove("optimizer")
        return none

    def _misplaced(self) -> Iterator[str]:
        """Yield what is said to each thing that is not where it belongs."""
        inputs = self.made.get("inputs")
        if inputs is not None and inputs.graph is not tf.get_default_graph():
            yield "The default graph is reset again, and what was made before is lost: reset it once, at the beginning."
        called = [name for name, _ in self.calls]

        for name in called:
            if called.count(name) > 1:
                yield f"{name} is called more than once: call it once, and use all that it returns."
        yield from self._exchanged()
        if "inputs" not in self.made:
            return

        n, m = inputs.shape.as_list()
        x_one_hot = self.local.get("x_one_hot")
        expected = _float32(n, m, self.arguments["num_classes"])
        if x_one_hot is not None and words.describe(x_one_hot) != expected:
            yield (
                f"x_one_hot should be [N, M, C], {expected}, but it is {words.describe(x_one_hot)}: give tf.one_hot "
                "self.inputs and the depth num_classes, and nothing else."
            )

        for function, arguments in self.calls:
            outputs = arguments.get("lstm_output", [])
            if not isinstance(outputs, list):
                yield from self._misread(outputs, n, m)
            yield from self._misused(function, arguments)

    def _exchanged(self) -> Iterator[str]:
        """Yield what is said to attributes that are not what their function returned."""
        for name in ATTRIBUTES:
            result = "predictions" if name == "prediction" else name
            value = getattr(self.network, name, None)
            expected = self.made.get(result)
            if value is None or expected is None or value is expected:
                continue
            function = MAKERS[result]
            yield (
                f"self.{name} is {self._name(value)}, but it should be {self._name(expected)}, as it is. "
                f"{function} returns {', '.join(RESULTS[function])}, in this order."
            )

    def _misread(self, outputs: Any, n: int, m: int) -> Iterator[str]:
        """Yield what is said to a call of build_output with anything but the outputs of all steps."""
        size = self.arguments["lstm_size"]
        actual = self._name(outputs)
        expected = _float32(n, m, size)
        if actual == expected:
            return
        if actual == _float32(m, n, size):
            reason = "leave out time_major=True, and do not transpose"
        elif actual == _float32(m, size):
            reason = "those of one sequence only: outputs[-1] is the last row of the batch, not the last step"
        elif actual == _float32(n, size):
            reason = "the outputs of one step only, as outputs[:, -1] is"
        else:
            reason = "dynamic_rnn returns two things, the outputs first, then the state"
        yield (
            f"build_output is called with {actual}, but should be called with the outputs of all steps of "
            f"all sequences, {expected}: {reason}."
        )

    def _misused(self, function: str, arguments: Dict[str, Any]) -> Iterator[str]:
        """Compare the arguments of a call with those of the constructor and with what other functions returned."""
        expected = dict(
            self.arguments,
            in_size=self.arguments["lstm_size"],
            out_size=self.arguments["num_classes"],
            **self.made,
        )
        if expected.get("sampling"):
            expected.update(batch_size=1, num_steps=1)
            keep_prob = arguments.get("keep_prob")
            if isinstance(keep_prob, (int, float)) and keep_prob == 1:
                expected.pop("keep_prob")  # a network that writes drops nothing

        known = [name for name in arguments if name in expected]
        wrong = [name for name in known if arguments[name] != expected[name]]
        if not wrong:
            return
        values = [self._name(arguments[name]) for name in wrong]
        right = [self._name(expected[name]) for name in wrong]
        pairs = [f"{name} = {value}" for name, value in zip(wrong, values)]
        is_swapped = len(wrong) > 1 and sorted(values) == sorted(right)
        swapped = ": they are swapped" if is_swapped else ""
        yield (
            f"{function} is called with {', '.join(pairs)}, but should be "
            f"called with {', '.join(right)}{swapped}."
        )

    def _name(self, value: Any) -> str:
        """Name what one of the functions returned, or describe another value."""
        for name, made in self.made.items():
            if made is value:
                return f"the {name} of {MAKERS[name]}"
        return words.describe(value)


def _float32(*shape: int) -> str:
    return f"a float32 tensor {list(shape)}"


def _by_name(function: Callable, args: Sequence, kwargs: Dict[str, Any]) -> Dict[str, Any]:
    try:
        return dict(inspect.signature(function).bind(*args, **kwargs).arguments)
    except (TypeError, ValueError):
        return {}
