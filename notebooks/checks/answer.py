"""What the checks know of an answer next to its result: exceptions, the reader's lines, locals, outside names."""

import dis
import linecache
import os
import re
import sys
import traceback
from types import CodeType
from typing import Any, Callable, Dict, List, Optional, Sequence, Set, Tuple
from unittest import mock

from charrnn.system.tensorflow import tf

from . import words
from .advice import advise

IDS = ("arr", "encoded", "text", "training_ids", "held_out_ids", "ids")
BATCH_SIZE = ("batch_size", "n_rows", "n_seqs", "N")
NUM_STEPS = ("num_steps", "n_steps", "seq_length", "M")
# Names that mean the same thing in different places of the notebooks.
MEANINGS = [
    IDS,
    BATCH_SIZE,
    NUM_STEPS,
    ("lstm_size", "in_size", "num_units", "rnn_size", "L"),
    ("num_classes", "out_size", "vocab_size", "vocab", "n_classes", "C"),
    ("num_layers", "n_layers"),
    ("keep_prob",),
    ("learning_rate", "lr"),
    ("grad_clip", "clip"),
]
# Those of CharRNN.
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
]
PYTORCH = (
    "belongs to PyTorch, which does not work with TensorFlow's tensors: the functions that you need are named "
    "above the exercise."
)
EAGER = "is for eager execution: in a graph, tf.gradients(loss, variables) gives the gradients."
KERAS = (
    "is a layer of Keras, which has other outputs and another state. Here a layer is a "
    "tf.nn.rnn_cell.BasicLSTMCell, and tf.nn.dynamic_rnn runs all layers over the steps."
)
# What to say to names that belong to other ways of programming.
FOREIGN = {
    "torch": PYTORCH,
    "F": PYTORCH,
    "optim": PYTORCH,
    "backward": PYTORCH,
    "zero_grad": PYTORCH,
    "CrossEntropyLoss": PYTORCH,
    "GradientTape": EAGER,
    "RNN": KERAS,
    "LSTM": KERAS,
    "GRU": KERAS,
    "StackedRNNCells": KERAS,
}


class Wrong(Exception):
    """What is wrong with an answer, in words."""


class Unwritten(Wrong):
    """A part of an answer is not written yet."""


class Raised(Wrong):
    """What to say about an exception that an answer has raised."""


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
        arguments = [words.describe(value) for value in args]
        arguments += [f"{name}={words.describe(value)}" for name, value in kwargs.items()]
        kind = Raised if _advice(error, answer) else Unexplained
        raise kind(
            f"Called with ({', '.join(arguments)}) it raised {exception(error, answer)}"
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
    results = returned(answer, args, names)
    need(
        isinstance(results, (tuple, list)) and len(results) == len(names),
        f"It should return {len(names)} things ({', '.join(names)}), not {words.describe(results)}.",
    )
    still_none(dict(zip(names, results)))
    return results


def returned(answer: Callable, args: Sequence, names: List[str]) -> Any:
    """Call a function that makes a part of a graph, and return what it returns; names are what it should return."""
    with Locals(answer) as local, graph_only():
        result = call(answer, *args)
    if result is None:
        still_none({name: local.values.get(name, name) for name in names})
        raise Wrong(f"It returns None: it should end with return {', '.join(names)}.")
    return result


def still_none(values: Dict[str, Any]) -> None:
    """Raise Unwritten where values are None, naming all of them."""
    missing = [name for name, value in values.items() if value is None]
    if missing:
        raise Unwritten(f"Still None: {', '.join(missing)}.")


def exception(error: BaseException, answer: Any) -> str:
    """Give an exception's type, the line of its message that counts, and the reader's line that caused it."""
    sentence = _type_and_line(error)
    advice = _advice(error, answer)
    if advice:
        sentence += f" ({advice})"

    place = _place(error, answer)
    if place:
        return sentence + place
    if sentence.endswith(("?", "!")):
        return sentence
    return sentence + "."


def _type_and_line(error: BaseException) -> str:
    """Return the type of an exception and the line of its message that counts, as TensorFlow 1.15 has it."""
    name = type(error).__name__
    line = _line_that_counts(error)
    # TensorFlow advises eager execution, which is of no use here
    if name == "OperatorNotAllowedInGraphError":
        line = "a tensor cannot be iterated over, unpacked, or used in an if: its values are known only in a session"
    if not line:
        line = name
    elif not line.startswith(name):
        line = f"{name}: {line}"

    # TensorFlow 2 writes more than 1.15
    line = re.sub(r"'{{node (.*?)}} = (\w+).*?' with input", r"'\1' (op: '\2') with input", line)
    line = re.sub(" See https://www.tensorflow.org/.* for supported TF dtypes", "", line)
    line = re.sub("(No gradients provided for any variable).*", r"\1", line)
    line = re.sub(r"(Could not flatten dictionary.*? elements)\. Key: .*", r"\1", line)
    line = re.sub(" at 0x[0-9a-f]+", "", line)
    return line.rstrip(".: ")


def _line_that_counts(error: BaseException) -> str:
    if isinstance(error, tf.errors.OpError):
        # before what a session says, TensorFlow 2 tells in many lines where the operation was made
        *_, message = re.split(r"\nNode: '.*'\n", error.message)
        line, *_ = message.split("\n")
        return line.strip()

    message, *_ = re.split("Originally defined at| If you are looking for numpy", str(error))
    lines = [line.strip() for line in message.split("\n") if line.strip()]
    if not lines:
        return ""
    # there TensorFlow names its files first
    if re.match("in (converted|user) code", lines[0]):
        return lines[-1]
    return lines[0]


def _advice(error: BaseException, answer: Any) -> str:
    """Say what to do about an exception, or return an empty string."""
    line = _type_and_line(error)
    function_name = getattr(answer, "__name__", "")
    undefined = re.match("NameError: name '(.*)' is not defined", line)
    if undefined and undefined.group(1) in ATTRIBUTES and function_name == "__init__":
        return f"write self.{undefined.group(1)}"

    code = code_of(answer)
    codes = [code] if code else []
    files = files_of(answer)
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename in files:
            codes.append(frame.f_code)

    variables: Set[str] = set()
    for code in codes:
        variables.update(code.co_varnames, code.co_cellvars)
    return advise(line, known=variables, exercise=function_name)


def _place(error: BaseException, answer: Any) -> str:
    """Say at which line of the reader's code an exception was raised, or its operation made, or nothing."""
    files = files_of(answer)
    places = [place for place in _places(error) if place[0] in files]
    if not places:
        return ""
    filename, number = places[-1]
    line = linecache.getline(filename, number).strip()
    if not line:
        return f", at line {number} of your code."
    return f", at line {number} of your code:\n    {line}"


def _places(error: BaseException) -> List[Tuple[str, int]]:
    """Return the file and the line of each call that led to an exception, and then to its operation."""
    places = [
        (frame.f_code.co_filename, number)
        for frame, number in traceback.walk_tb(error.__traceback__)
    ]
    if isinstance(error, tf.errors.OpError) and error.op is not None:
        for frame in error.op.traceback:
            filename, number = frame[:2]
            places.append((filename, number))
    return places


def files_of(answer: Any) -> Set[str]:
    """Return the names of the files, or notebook cells, that hold the reader's functions."""
    code = code_of(answer)
    if code is None:
        return set()

    codes = [code]
    for value in list(scope_of(answer).values()):
        if getattr(value, "__module__", "") == answer.__module__:
            codes.append(code_of(getattr(value, "__wrapped__", value)))

    names = {code.co_filename for code in codes if code}
    return {name for name in names if "site-packages" not in name.split(os.sep)}


def _function_of(answer: Any) -> Any:
    return answer.__init__ if isinstance(answer, type) else answer


def code_of(answer: Any) -> Optional[CodeType]:
    """Return the code of a function, or of a class's __init__; None of anything else."""
    return getattr(_function_of(answer), "__code__", None)


def scope_of(answer: Any) -> Dict[str, Any]:
    """Return the global names of a function, or of a class's __init__."""
    return getattr(_function_of(answer), "__globals__", {})


def all_code(answer: Any) -> List[CodeType]:
    """Return the code of a function, or of a class's __init__, and that of the functions in it."""
    outer = code_of(answer)
    if outer is None:
        return []
    codes = [outer]
    for code in codes:  # which grows meanwhile
        codes += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return codes


def names_in(answer: Any) -> Set[str]:
    """Return the global names, and those of attributes, that an answer uses."""
    names: Set[str] = set()
    for code in all_code(answer):
        names.update(code.co_names)
    return names


def borrowed(answer: Any) -> str:
    """Say that an answer is, or calls, what the package or the checks have; of others return an empty string."""
    function = _function_of(answer)
    scope = scope_of(answer)
    values = [getattr(function, "func", function)]
    values += [scope.get(name, name) for name in names_in(answer)]

    for value in values:
        if _package_of(value) in ("charrnn", "checks"):
            return (
                "This is a ready solution, of the package or of the checks, and it is right. But the exercise is "
                "to write one of your own, in the cell."
            )
    return ""


def _package_of(value: Any) -> str:
    """Return the package that a value is from, or that a name which is not defined would import."""
    if isinstance(value, str):
        module = value
    else:
        module = getattr(value, "__module__", None) or getattr(value, "__name__", "")
    package, *_ = str(module).split(".")
    return package


def foreign_name(answer: Any) -> str:
    """Say which name the code has that belongs to another way of programming, or return an empty string."""
    scope = scope_of(answer)
    own = {name for name, value in scope.items() if callable(value)}
    used = {name.split(".")[0] for name in names_in(answer)} - own
    for name, sentence in FOREIGN.items():
        if name in used:
            return f"{name} {sentence}"
    return ""


def outside_name(answer: Any) -> str:
    """Return a line that says which name the code has from outside its function, or an empty string."""
    scope = scope_of(answer)
    arguments = _arguments_of(answer)
    for name in _globals_read(answer):
        alike = _names_like(name)
        if not alike or callable(scope.get(name)):
            continue
        if name == "keep_prob" and isinstance(answer, type):
            return (
                "It uses keep_prob, a global name from outside the class, where the placeholder belongs: "
                "self.keep_prob.\n"
            )
        meant = [argument for argument in arguments if argument in alike]
        if meant:
            advice = f"Use the argument {meant[0]}"
        elif alike in (BATCH_SIZE, NUM_STEPS):
            advice = "In a reshape, -1 stands for what is left"
        else:
            continue
        return f"It uses {name}, which is not an argument of this function but a name from outside it. {advice}.\n"
    return ""


def _arguments_of(answer: Any) -> Tuple[str, ...]:
    code = code_of(answer)
    if code is None:
        return ()
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


def _globals_read(answer: Any) -> List[str]:
    """Return the global names that an answer reads, in the order of its code."""
    names = []
    for code in all_code(answer):
        for instruction in dis.get_instructions(code):
            if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
                names.append(instruction.argval)
    return names


def _names_like(name: str) -> Tuple[str, ...]:
    for names in MEANINGS:
        if name in names:
            return names
    return ()


class Locals:
    """The local variables that a function had when it last returned, yielded or raised.

    Used as ``with Locals(answer) as local: call(answer, ...)``; then ``local.values`` is a dict. A debugger's
    breakpoints are not reached meanwhile. ``sys.setprofile`` would keep them, but makes the building of a graph take
    twice as long.
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

    def among(self, *names: str) -> Dict[str, Any]:
        """Return those of some variables that the function had."""
        return {name: self.values[name] for name in names if name in self.values}

    def _note(self, frame: Any, event: str, value: Any) -> Any:
        if frame.f_code is not self.code:
            return None
        frame.f_trace_lines = False
        if event == "return":
            self.values = dict(frame.f_locals)
        return self._note
