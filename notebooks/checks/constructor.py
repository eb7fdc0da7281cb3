"""The constructor of the reader's CharRNN, and what it passes to the functions of the earlier exercises."""
import functools
import inspect
from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, List, NamedTuple

import numpy as np

from charrnn.system.tensorflow import tf

from . import build_inputs, build_loss, build_lstm, build_optimizer, build_output, words
from .answer import ATTRIBUTES, Locals, Unwritten, Wrong, call, code_of, names_read, scope_of
from .verdict import found_right, verdict

EXAMINE = {"build_inputs": build_inputs.examine, "build_lstm": build_lstm.examine,
           "build_output": build_output.examine, "build_loss": build_loss.examine,
           "build_optimizer": build_optimizer.examine}


class Call(NamedTuple):
    """A call of one of the functions: its arguments by name, and what it returned, or None where it raised."""

    function: str
    given: Dict[str, Any]
    result: Any


class Constructor:
    """Makes networks of the reader's class and knows how the last one was made.

    Attributes:
        network: the last one. Where its constructor raised, it has the attributes that were set before.
        calls: the calls of its constructor, in order.
        local: the local variables of its constructor when it returned or raised.
    """

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.network: Any = None
        self.calls: List[Call] = []
        self.num_classes = 0
        self.arguments: Dict[str, Any] = {}
        self.local: Dict[str, Any] = {}

    def build(self, num_classes: int, **arguments: Any) -> Any:
        """Make a network and return it; a Wrong says what its constructor raised."""
        self.num_classes, self.arguments, self.calls = num_classes, arguments, []
        with self._recorded():
            if isinstance(self.answer, type):
                self.network = self.answer.__new__(self.answer)
                with Locals(self.answer) as seen:
                    try:
                        returned = call(self.network.__init__, num_classes, **arguments)
                    finally:
                        self.local = seen.values
                if returned is not None:
                    raise Wrong("__init__ returns something, which Python does not allow: leave the return out.")
            else:
                self.network = call(self.answer, num_classes, **arguments)
        return self.network

    @contextmanager
    def _recorded(self) -> Iterator[None]:
        """Note the calls of the exercises' functions, which the constructor finds among its global names."""
        scope = scope_of(self.answer)
        functions = {name: scope[name] for name in EXAMINE if callable(scope.get(name))}
        noting = {name: self._noting(name, function) for name, function in functions.items()}
        try:
            scope.update(noting)
            yield
        finally:  # the reader may have defined a function anew meanwhile
            scope.update({name: functions[name] for name in noting if scope.get(name) is noting[name]})

    def _noting(self, name: str, function: Callable) -> Callable:
        @functools.wraps(function)
        def noting(*args: Any, **kwargs: Any) -> Any:
            given = _by_name(function, args, kwargs)
            self.calls.append(Call(name, given, None))
            result = function(*args, **kwargs)
            self.calls[-1] = Call(name, given, result)
            return result
        return noting

    def results_of(self, function: str) -> Any:
        """Return what the first call of a function returned, or None."""
        return next((one.result for one in self.calls if one.function == function), None)

    def cause(self, wrong: Wrong) -> Wrong:
        """Return the first cause of what is wrong with the network: an earlier exercise, a stub, an argument."""
        scope, code = scope_of(self.answer), code_of(self.answer)
        used = set(names_read(code)) if code else set()
        for name, examine in EXAMINE.items():
            if name in used and callable(scope.get(name)) and not found_right(name):
                right, message = verdict(examine, scope[name])
                if not right:
                    return Unwritten(f"It uses {name}, which is not right yet: begin there. {message}")
        without_self = [name for name in ATTRIBUTES if not hasattr(self.network, name)
                        and self.local.get(name) is not None and name not in self.arguments]
        if without_self and isinstance(self.answer, type):
            return Wrong(f"{words.listing(without_self)} would be lost when the constructor ends: write "
                         f"{words.listing('self.' + name for name in without_self)}.")
        if isinstance(wrong, Unwritten):
            return wrong
        none = [name for name, value in getattr(self.network, "__dict__", {}).items() if value is None]
        if none:
            return Unwritten(f"Still None: {', '.join(none)}.")
        return Wrong(self._misplaced() or str(wrong))

    def _misplaced(self) -> str:
        """Say which call of the constructor has an argument that does not belong there, or nothing."""
        if isinstance(getattr(self.network, "initial_state", None), tf.nn.rnn_cell.RNNCell):
            return "cell and initial_state are swapped: build_lstm returns the cell first, then the state."
        given, ids = self.local.get("x_one_hot"), getattr(self.network, "inputs", None)
        if isinstance(given, tf.Tensor) and isinstance(ids, tf.Tensor):
            found, right = map(words.brackets, (given.shape, ids.shape.concatenate(self.num_classes)))
            if found != right:
                return (f"x_one_hot should be [N, M, C] = {right}, but it is {found}: give tf.one_hot self.inputs "
                        "and the depth num_classes, and nothing else.")
        for one in self.calls:
            message = self._numbers(one) or getattr(self, "_tensors_of_" + one.function, lambda _: "")(one)
            if message:
                return message
        return ""

    def _numbers(self, one: Call) -> str:
        """Compare the numbers of a call with those of the constructor."""
        arguments = dict(self.arguments, num_classes=self.num_classes)
        single = arguments.pop("sampling", False)
        if single:
            arguments.update(batch_size=1, num_steps=1)
        arguments.update(in_size=arguments["lstm_size"], out_size=self.num_classes)
        if one.function == "build_loss":
            arguments.pop("lstm_size")  # it is not used
        given = {name: value for name, value in one.given.items()
                 if name in arguments and isinstance(value, (int, float, tf.Dimension, np.number))}
        differing = {name: value for name, value in given.items() if value != arguments[name]}
        if not differing:
            return ""
        right = {name: arguments[name] for name in differing}
        message = (f"{'With sampling=True ' if single else ''}{one.function} is called with "
                   f"{words.listing(f'{name} = {value}' for name, value in differing.items())}, but should be "
                   f"called with {words.listing(str(value) for value in right.values())}")
        if len(differing) > 1 and sorted(differing.values()) == sorted(right.values()):
            return f"{message}: they are swapped. Its arguments are ({', '.join(one.given)})."
        return message + "."

    def _tensors_of_build_lstm(self, one: Call) -> str:
        keep_prob = one.given.get("keep_prob")
        if isinstance(keep_prob, (int, float)) and not (keep_prob == 1 and self.arguments.get("sampling")):
            return (f"build_lstm is called with the number {keep_prob:g} as keep_prob: give it the placeholder, "
                    "self.keep_prob.")
        return ""

    def _tensors_of_build_output(self, one: Call) -> str:
        given = one.given.get("lstm_output")
        if isinstance(given, tuple) and isinstance(given[0], tf.Tensor):
            return ("build_output is called with both things that dynamic_rnn returns: take them apart, outputs, "
                    "self.final_state = ...")
        if isinstance(given, tuple):
            final = getattr(self.network, "final_state", None)
            if isinstance(final, tf.Tensor) and final.shape.ndims == 3:
                return ("The outputs and the final state are swapped: dynamic_rnn returns the outputs first, "
                        "then the state.")
            return ("build_output is called with a state: it takes the outputs of all steps, the first of the two "
                    "things that dynamic_rnn returns.")
        size, shape = self.arguments["lstm_size"], given.shape if isinstance(given, tf.Tensor) else None
        if shape and shape.ndims == 3 and shape.as_list()[-1] not in (None, size):
            return (f"build_output is called with {words.describe(given)}, whose vectors do not have lstm_size = "
                    f"{size} numbers: it takes the outputs of dynamic_rnn.")
        if shape and shape.ndims == 2:
            return (f"build_output is called with {words.describe(given)}, the output of a single step: it takes "
                    "the outputs of all steps, the first of the two things that dynamic_rnn returns.")
        return ""

    def _tensors_of_build_loss(self, one: Call) -> str:
        logits, targets = one.given.get("logits"), one.given.get("targets")
        if isinstance(logits, tuple):
            return ("build_loss is called with two things in place of the logits: build_output returns a pair, "
                    "prediction and logits.")
        if isinstance(logits, tf.Tensor) and logits is getattr(self.network, "targets", None):
            return "build_loss is called with the targets first: its arguments are " + f"({', '.join(one.given)})."
        made = self.results_of("build_output")
        if made and logits is made[0] and logits is getattr(self.network, "prediction", logits):
            return "The loss is made from the predictions: build_loss takes the logits."
        if made and logits is made[0]:
            return ("prediction and logits are swapped: build_output returns the predictions first, then the "
                    "logits.")
        if targets is not None and targets is getattr(self.network, "inputs", None):
            return "The loss compares with the inputs: build_loss takes the targets."
        return ""

    def _tensors_of_build_optimizer(self, one: Call) -> str:
        loss = one.given.get("loss")
        if isinstance(loss, tf.Tensor) and loss.shape.ndims:
            return (f"build_optimizer is called with {words.describe(loss)} as the loss: it takes self.loss, a "
                    "scalar.")
        return ""


def _by_name(function: Callable, args: Any, kwargs: Any) -> Dict[str, Any]:
    try:
        return dict(inspect.signature(function).bind(*args, **kwargs).arguments)
    except (TypeError, ValueError):
        return {}
