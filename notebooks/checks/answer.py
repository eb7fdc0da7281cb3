"""What the checks know of an answer next to its result: exceptions, the reader's lines, locals, outside names."""

import dis
import linecache
import os
import re
import sys
import traceback
from types import CodeType
from typing import Any, Callable, Dict, List, Optional, Sequence, Set
from unittest import mock

from charrnn.system.tensorflow import tf

from . import words
from .advice import advise

# Names that mean the same thing in different places of the notebooks.
MEANINGS = [
    ("arr", "encoded", "text", "training_ids", "held_out_ids", "ids"),
    ("batch_size", "n_rows", "n_seqs", "N"),
    ("num_steps", "n_steps", "seq_length", "M"),
    ("lstm_size", "in_size", "num_units", "rnn_size", "L"),
    ("num_classes", "out_size", "vocab_size", "vocab", "n_classes", "C"),
    ("num_layers", "n_layers"),
    ("keep_prob",),
    ("learning_rate", "lr"),
    ("grad_clip", "clip"),
]
ATTRIBUTES = [
    "inputs",
    "targets",
    "keep_prob",
    "initial_state",
    "final_state",
    "prediction",
    "logits",
    "loss",
    "optimizer",
]  # of CharRNN
# What belongs to other ways of programming, by names that the reader's code has.
FOREIGN = {
    (
        "torch",
        "F",
        "optim",
        "backward",
        "zero_grad",
        "CrossEntropyLoss",
    ): "belongs to PyTorch, which does not work with TensorFlow's tensors: the functions that you need are named "
    "above the exercise.",
    (
        "GradientTape",
    ): "is for eager execution: in a graph, tf.gradients(loss, variables) gives the gradients.",
    (
        "RNN",
        "LSTM",
        "GRU",
        "StackedRNNCells",
    ): "is a layer of Keras, which has other outputs and another state. Here a layer is a "
    "tf.nn.rnn_cell.BasicLSTMCell, and tf.nn.dynamic_rnn runs all layers over the steps.",
}


class Wrong(Exception):
    """What is wrong with an answer, in words."""


class Unwritten(Wrong):
    """A part of an answer is not written yet."""


class Unexplained(Wrong):
    """What is wrong, without its cause: the verdict then names the hints."""


def need(condition: Any, message: str) -> None:
    """Raise Wrong unless the condition holds."""
    if not condition:
        raise Wrong(message)


def expect(condition: Any, message: str) -> None:
    """Raise Unexplained unless the condition holds."""
    if not condition:
        raise Unexplained(message)


def call(answer: Callable, *args: Any, **kwargs: Any) -> Any:
    """Call the reader's code; an exception becomes a Wrong with the reader's line."""
    try:
        return answer(*args, **kwargs)
    except Wrong:
        raise
    except Exception as error:
        given = [words.describe(arg) for arg in args]
        given += [f"{key}={words.describe(arg)}" for key, arg in kwargs.items()]
        kind = Wrong if _advice(error, answer) else Unexplained
        raise kind(
            f"Called with ({', '.join(given)}) it raised {exception(error, answer)}"
        ) from None


def graph_only() -> Any:
    """Return a context in which a session that runs raises Wrong."""
    # of the class that all sessions derive from
    return mock.patch.object(tf.Session.__mro__[1], "run", _no_session)


def _no_session(*_: Any, **__: Any) -> None:
    raise Wrong(
        "It runs a session. The functions of these exercises only describe the graph, whose tensors have no "
        "values yet. The training loop runs it later: leave out run and eval."
    )


def items(answer: Callable, args: Sequence, names: List[str]) -> Any:
    """Call a function that should return as many things as there are names; return them, none of them None."""
    result = returned(answer, args, names)
    need(
        isinstance(result, (tuple, list)) and len(result) == len(names),
        f"It should return {len(names)} things ({', '.join(names)}), not {words.describe(result)}.",
    )
    still_none(dict(zip(names, result)))
    return result


def returned(answer: Callable, args: Sequence, names: List[str]) -> Any:
    """Call a function that makes a part of a graph, and return what it returns; names are what it should return."""
    with Locals(answer) as seen, graph_only():
        result = call(answer, *args)
    if result is None:
        still_none({name: seen.values.get(name, name) for name in names})
        raise Wrong(f"It returns None: it should end with return {', '.join(names)}.")
    return result


def still_none(values: Dict[str, Any]) -> None:
    """Raise Unwritten where values are None, naming all of them."""
    missing = [name for name, value in values.items() if value is None]
    if missing:
        raise Unwritten(f"Still None: {', '.join(missing)}.")


def exception(error: BaseException, answer: Any) -> str:
    """Give an exception's type, the line of its message that counts, and the reader's line that caused it."""
    said = _said(error)
    advice = "".join(f" ({sentence})" for sentence in [_advice(error, answer)] if sentence)
    place = _place(error, answer)
    return said + advice + (place or ("" if (said + advice).endswith(("?", "!")) else "."))


def _said(error: BaseException) -> str:
    """Return the type of an exception and the first line of its message, without what does not matter here."""
    # before what a session says, TensorFlow 2 tells in many lines where the operation was made
    message = (
        re.split(r"\nNode: '.*'\n", error.message)[-1].split("\n")[:1]
        if isinstance(error, tf.errors.OpError)
        else re.split("Originally defined at| If you are looking for numpy", str(error))[0].split(
            "\n"
        )
    )
    lines = [line.strip() for line in message if line.strip()] or [""]
    # where TensorFlow names its files first
    last = lines[-1 if re.match("in (converted|user) code", lines[0]) else 0]
    name = type(error).__name__
    # TensorFlow advises eager execution, which is of no use here
    if name == "OperatorNotAllowedInGraphError":
        last = "a tensor cannot be iterated over, unpacked, or used in an if: its values are known only in a session"
    last = last if last.startswith(name) else f"{name}: {last}" if last else name
    # as 1.15 names it
    last = re.sub(r"'{{node (.*?)}} = (\w+).*?' with input", r"'\1' (op: '\2') with input", last)
    last = re.sub(" See https://www.tensorflow.org/.* for supported TF dtypes", "", last)
    last = re.sub("(No gradients provided for any variable).*", r"\1", last)
    last = re.sub(r"(Could not flatten dictionary.*? elements)\. Key: .*", r"\1", last)
    return re.sub(" at 0x[0-9a-f]+", "", last).rstrip(".: ")


def _advice(error: BaseException, answer: Any) -> str:
    """Say what to do about an exception, or return an empty string."""
    said = _said(error)
    missing = re.match("NameError: name '(.*)' is not defined", said)
    if missing and missing.group(1) in ATTRIBUTES and getattr(answer, "__name__", "") == "__init__":
        return f"write self.{missing.group(1)}"
    codes = [code_of(answer)] + [
        frame.f_code
        for frame, _ in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename in files_of(answer)
    ]
    return advise(
        said,
        {name for code in codes if code for name in code.co_varnames + code.co_cellvars},
        getattr(answer, "__name__", ""),
    )


def _place(error: BaseException, answer: Any) -> str:
    """Say at which line of the reader's code an exception was raised, or its operation made, or nothing."""
    frames = [
        (frame.f_code.co_filename, number)
        for frame, number in traceback.walk_tb(error.__traceback__)
    ]
    if isinstance(error, tf.errors.OpError) and error.op is not None:
        frames += [tuple(frame[:2]) for frame in error.op.traceback]  # where the operation was made
    files = files_of(answer)
    mine = [frame for frame in frames if frame[0] in files]
    if not mine:
        return ""
    filename, number = mine[-1]
    line = linecache.getline(filename, number).strip()
    return (
        f", at line {number} of your code:\n    {line}"
        if line
        else f", at line {number} of your code."
    )


def files_of(answer: Any) -> Set[str]:
    """Return the names of the files, or notebook cells, that hold the reader's functions."""
    code = code_of(answer)
    scope = scope_of(answer).values() if code else ()
    mine = [value for value in list(scope) if getattr(value, "__module__", "") == answer.__module__]
    codes = [code] + [code_of(getattr(value, "__wrapped__", value)) for value in mine]
    return {
        one.co_filename
        for one in codes
        if one and "site-packages" not in one.co_filename.split(os.sep)
    }


def code_of(answer: Any) -> Optional[CodeType]:
    """Return the code of a function, or of a class's __init__; None of anything else."""
    return getattr(
        getattr(answer, "__init__", None) if isinstance(answer, type) else answer, "__code__", None
    )


def scope_of(answer: Any) -> Dict[str, Any]:
    """Return the global names of a function, or of a class's __init__."""
    function = answer.__init__ if isinstance(answer, type) else answer
    return getattr(function, "__globals__", {})


def all_code(answer: Any) -> List[CodeType]:
    """Return the code of a function, or of a class's __init__, and that of the functions in it."""
    found = [one for one in [code_of(answer)] if one]
    for code in found:  # which grows meanwhile
        found += [inner for inner in code.co_consts if isinstance(inner, CodeType)]
    return found


def borrowed(answer: Any) -> str:
    """Say that an answer is, or calls, what the package or the checks have; of others return an empty string."""
    function = answer.__init__ if isinstance(answer, type) else answer
    used = {
        name: scope_of(answer).get(name, name)
        for code in all_code(answer)
        for name in code.co_names
    }
    for one in [getattr(function, "func", function), *used.values()]:
        home = (
            one
            if isinstance(one, str)
            else getattr(one, "__module__", None) or getattr(one, "__name__", "")
        )
        if str(home).split(".")[0] in ("charrnn", "checks"):
            return (
                "This is a ready solution, of the package or of the checks, and it is right. But the exercise is "
                "to write one of your own, in the cell: the hints help."
            )
    return ""


def foreign_name(answer: Any) -> str:
    """Say which name the code has that belongs to another way of programming, or return an empty string."""
    names = {name.split(".")[0] for code in all_code(answer) for name in code.co_names}
    names -= {name for name, one in scope_of(answer).items() if callable(one)}
    return next(
        (
            f"{name} {sentence}"
            for others, sentence in FOREIGN.items()
            for name in others
            if name in names
        ),
        "",
    )


def outside_name(answer: Any) -> str:
    """Return a line that says which name the code has from outside its function, or an empty string."""
    codes = all_code(answer)
    arguments = (
        codes[0].co_varnames[: codes[0].co_argcount + codes[0].co_kwonlyargcount] if codes else ()
    )
    for name in (
        step.argval
        for code in codes
        for step in dis.get_instructions(code)
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")
    ):
        group = next((group for group in MEANINGS if name in group), ())
        if not group or callable(scope_of(answer).get(name)):
            continue
        instead = [argument for argument in arguments if argument in group]
        if name == "keep_prob" and isinstance(answer, type):
            return (
                "It uses keep_prob, a global name from outside the class, where the placeholder belongs: "
                "self.keep_prob.\n"
            )
        if instead or group in MEANINGS[1:3]:
            return (
                f"It uses {name}, which is not an argument of this function but a name from outside it. "
                f"{f'Use the argument {instead[0]}' if instead else 'In a reshape, -1 stands for what is left'}.\n"
            )
    return ""


class Locals:
    """The local variables that a function had when it last returned, yielded or raised.

    Used as ``with Locals(answer) as seen: call(answer, ...)``; then ``seen.values`` is a dict. A debugger's breakpoints
    are not reached meanwhile. ``sys.setprofile`` would keep them, but makes the building of a graph take twice as long.
    """

    def __init__(self, answer: Any) -> None:
        self.code: Optional[CodeType] = code_of(answer)
        self.values: Dict[str, Any] = {}

    def __enter__(self) -> "Locals":
        self.outer = sys.gettrace()
        sys.settrace(self._note)
        return self

    def __exit__(self, *_: Any) -> None:
        sys.settrace(self.outer)

    def _note(self, frame: Any, event: str, value: Any) -> Any:
        if frame.f_code is not self.code:
            return None
        frame.f_trace_lines = False
        if event == "return":
            self.values = dict(frame.f_locals)
        return self._note
