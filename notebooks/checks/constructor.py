"""The constructor of the reader's CharRNN, and what it passes to the functions of the earlier exercises."""

import functools
import inspect
from typing import Any, Callable, Dict, Iterator, List, Tuple

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
MAKERS = {result: function for function, results in RESULTS.items() for result in results}


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
        seen = Locals(self.answer)
        functions = {name: scope[name] for name in EXAMINE if callable(scope.get(name))}
        scope.update({name: self._noting(name, function) for name, function in functions.items()})
        try:
            with seen, graph_only():
                returned = call(self.network.__init__, **arguments)
        finally:
            self.local = seen.values
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
            result = function(*args, **kwargs)
            for one, value in zip(
                RESULTS[name], result if isinstance(result, (tuple, list)) else [result]
            ):
                self.made[one] = value
            return result

        return noting

    def cause(self, wrong: Wrong) -> Wrong:
        """Return the first cause of what is wrong with the network: an earlier exercise, a stub, an argument."""
        called = [name for name, _ in self.calls]
        for name, examine in EXAMINE.items():
            if name in called and not found_right(name):
                right, message = verdict(name, examine, scope_of(self.answer)[name])
                if not right:
                    return Unwritten(
                        f"It uses {name}, which is not right yet: begin there. {message}"
                    )
        lost = [
            name
            for name in ATTRIBUTES
            if not hasattr(self.network, name)
            and self.local.get(name) is not None
            and name not in self.arguments
        ]
        if lost:
            return Wrong(
                f"{', '.join(lost)} would be lost when the constructor ends: write "
                f"{', '.join('self.' + name for name in lost)}."
            )
        none = [
            name
            for name, value in getattr(self.network, "__dict__", {}).items()
            if value is None and not (name == "optimizer" and self.arguments.get("sampling"))
        ]
        if none and not isinstance(wrong, Unwritten):
            return Unwritten(f"Still None: {', '.join(none)}.")
        where = "With sampling=True: " if self.arguments.get("sampling") else ""
        misplaced = next(self._misplaced(), "")
        kind = Wrong if misplaced and isinstance(wrong, Unexplained) else type(wrong)
        return kind(where + (misplaced or str(wrong)))

    def _misplaced(self) -> Iterator[str]:
        """Yield what is said to each thing that is not where it belongs."""
        called = [name for name, _ in self.calls]
        if any(
            made.graph is not tf.get_default_graph()
            for made in [self.made.get("inputs")]
            if made is not None
        ):
            yield "The default graph is reset again, and what was made before is lost: reset it once, at the beginning."
        yield from (
            f"{name} is called more than once: call it once, and use all that it returns."
            for name in called
            if called.count(name) > 1
        )
        for name in ATTRIBUTES:
            value = getattr(self.network, name, None)
            result = name if name in MAKERS else name + "s"
            due = self.made.get(result)
            if value is not None and due is not None and value is not due:
                yield (
                    f"self.{name} is {self._name(value)}, but it should be {self._name(due)}, as it is. "
                    f"{MAKERS[result]} returns {', '.join(RESULTS[MAKERS[result]])}, in this order."
                )
        if "inputs" not in self.made:
            return
        n, m = self.made["inputs"].shape.as_list()
        size = self.arguments["lstm_size"]
        num_classes = self.arguments["num_classes"]
        hot, outputs, row, step, swapped = (
            f"a float32 tensor {shape}"
            for shape in ([n, m, num_classes], [n, m, size], [m, size], [n, size], [m, n, size])
        )
        given = self.local.get("x_one_hot")
        if given is not None and words.describe(given) != hot:
            yield (
                f"x_one_hot should be [N, M, C], {hot}, but it is {words.describe(given)}: give tf.one_hot "
                "self.inputs and the depth num_classes, and nothing else."
            )
        reasons = {
            step: "the outputs of one step only, as outputs[:, -1] is",
            row: "those of one sequence only: outputs[-1] is the last row of the batch, not the last step",
            swapped: "leave out time_major=True, and do not transpose",
        }
        for function, arguments in self.calls:
            given = arguments.get("lstm_output", [])
            came = self._name(given)
            if not isinstance(given, list) and came != outputs:
                reason = reasons.get(
                    came, "dynamic_rnn returns two things, the outputs first, then the state"
                )
                yield (
                    f"build_output is called with {came}, but should be called with the outputs of all steps of "
                    f"all sequences, {outputs}: {reason}."
                )
            yield from self._misused(function, arguments)

    def _name(self, value: Any) -> str:
        """Name what one of the functions returned, or describe another value."""
        return next(
            (f"the {name} of {MAKERS[name]}" for name, one in self.made.items() if one is value),
            words.describe(value),
        )

    def _misused(self, function: str, given: Dict[str, Any]) -> Iterator[str]:
        """Compare the arguments of a call with those of the constructor and with what other functions returned."""
        right = dict(
            self.arguments,
            in_size=self.arguments["lstm_size"],
            out_size=self.arguments["num_classes"],
            **self.made,
        )
        if right.get("sampling"):
            right.update(batch_size=1, num_steps=1)
            if isinstance(given.get("keep_prob"), (int, float)) and given["keep_prob"] == 1:
                right.pop("keep_prob")  # a network that writes drops nothing
        wrong = [name for name, value in given.items() if name in right and value != right[name]]
        if wrong:
            found = [self._name(given[name]) for name in wrong]
            names = [self._name(right[name]) for name in wrong]
            swapped = (
                ": they are swapped" if len(wrong) > 1 and sorted(found) == sorted(names) else ""
            )
            yield (
                f"{function} is called with {', '.join(map(' = '.join, zip(wrong, found)))}, but should be "
                f"called with {', '.join(names)}{swapped}."
            )


def _by_name(function: Callable, args: Any, kwargs: Any) -> Dict[str, Any]:
    try:
        return dict(inspect.signature(function).bind(*args, **kwargs).arguments)
    except (TypeError, ValueError):
        return {}
