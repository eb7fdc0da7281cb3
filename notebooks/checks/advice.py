"""What to say about exceptions whose message does not lead to the mistake, and about names that do not exist."""
import re
from difflib import get_close_matches
from operator import attrgetter
from typing import Collection

from charrnn.system.tensorflow import tf

# By a pattern of an exception's last line. The first that is found counts.
ADVICE = [
    (r"(get_batches|build_(inputs|lstm|output|loss|optimizer))\(\) (takes|missing|got)",
     "is an argument missing where it is called, or was the line with def changed?"),
    (r"__init__\(\) got multiple values for argument 'num_classes'", "the first argument of __init__ is self"),
    (r"takes exactly one argument \(the instance|\(\) takes no (arguments|parameters)|object.__init__\(\) takes",
     "the class has no __init__: define it inside the class, with two underscores on either side of the name"),
    (r"object has no attribute '(build_\w+)'", r"\1 is a function of its own, not a method: leave self. out"),
    ("'tuple' and 'int'", "a shape is a tuple: len(arr) is the number of ids"),
    ("Expected DataType|Cannot convert .* to a TensorFlow DType|Cannot interpret .* data type",
     "the first argument is a type of TensorFlow: tf.int32, or tf.float32 for keep_prob"),
    ("where it is not associated|referenced before assignment",
     "it has no value at this place: does it belong on the other side of the =, in quotes, or before the loop?"),
    ("slice indices must be integers|'(numpy.)?float(64)?' object cannot be interpreted|non-integer",
     "/ makes a number with a fraction: // divides whole numbers"),
    ("you must give a dtype", "give it initial_state=self.initial_state"),
    ("No gradients provided", "the loss does not depend on the variables: is it tf.gradients(loss, variables)?"),
    ("t_list should be a sequence", "clip_by_global_norm takes the list of gradients, then the limit"),
    ("Keyword argument not understood|'(output|input)_keep_prob'",
     "the argument of DropoutWrapper is output_keep_prob, and a BasicLSTMCell has no such argument"),
    ("Rank of labels", "reshape the targets to [-1]"),
    ("<class 'function'>|elements of <function|non-iterable function|'function' object has no attribute",
     "a function is used in place of its result: call it, with brackets"),
    ("'NoneType' object (has no attribute|is not iterable)|unpack NoneType|NoneType object",
     "something is None here: does one of your functions lack its return?"),
    (r"zero_state\(\) missing", "zero_state(batch_size, tf.float32) is a method of a cell, not of its class"),
    (r"'cell' \((<tf\.)?Tensor", "dynamic_rnn takes the cell first, then the inputs"),
    ("must have rank at least 3", "the inputs of dynamic_rnn are one-hot, [N, M, C]"),
    ("values to unpack", "are there as many names as things? A pair in an if needs brackets, (1, 1)"),
    (r"'cell' \(\d", "DropoutWrapper takes a cell, a BasicLSTMCell(lstm_size)"),
    ("is not an RNNCell|LSTMCell' object has no attribute '(zero_state|output_size)'",
     "cells of Keras do not fit here: use tf.nn.rnn_cell.BasicLSTMCell"),
    (r"type <class 'tensorflow\.python\.ops\.rnn_cell_impl|legacy_cells",
     "a cell is not a tensor: wrap it in a DropoutWrapper, and get its zero state from its method zero_state"),
    ("(Cell|Wrapper)' object has no attribute", "the zero state comes from zero_state(batch_size, tf.float32)"),
    ("to Dimension|Dimension value", "zero_state takes batch_size first, then the type"),
    (r"__init__\(\) takes from 2 to 3 positional|cells must be a list|for \*: '\w*(Cell|Wrapper)'",
     "MultiRNNCell takes one list of cells, without *: [build_layer() for _ in range(num_layers)]"),
    ("expected ndim=2", "a cell computes a single step: tf.nn.dynamic_rnn runs it over all steps"),
    ("lstm_cell/concat'",
     "the inputs and the initial state differ in N: dynamic_rnn takes inputs [N, M, C], without time_major=True"),
    ("argument to 'pack'", "tf.stack takes only a list, but tf.concat(lstm_output, axis=1) also takes a single tensor"),
    ("type float(64|32).*does not match type float", "np.zeros and np.random make numbers of the type float64: use "
                                                     "tf.zeros and tf.truncated_normal, which make float32"),
    ("have the same dtype|type int32.*does not match type float|dtype int32.*float32",
     "ids are whole numbers: tf.one_hot makes float32 of them, and tf.cast changes a type"),
    ("Only integers, slices",
     "a tensor cannot be indexed with other tensors or arrays, as in NumPy: multiply by the one-hot targets, and sum"),
    ("__array__|[cC]annot convert a symbolic|convert .*Tensor.* to (a )?numpy",
     "NumPy and TensorFlow do not mix, since a tensor has its values only in a session: use NumPy alone in "
     "get_batches, and TensorFlow's functions in the graph"),
    ("cannot be iterated over", "is a list meant, such as the first of the two things that clip_by_global_norm "
                                "returns? For the numbers in a tensor there are tf.reduce_sum and tf.reduce_mean"),
    ("No default session", "the graph is only described here, and has no values yet: leave out eval"),
    ("Invalid reduction dimension", "the losses have one axis only, [N·M]: leave axis= out"),
    ("OneHot|parameter 'indices'", "tf.one_hot takes the ids, then how many there are: (targets, num_classes)"),
    ("must be evenly divisible", "the LSTM output has L = in_size numbers for each step: [-1, in_size]"),
    ("Shape must be (at least )?rank 1 but is rank 0", "a shape is a list: [in_size, out_size]"),
    ("op: 'Add(V2)?'", "the bias has C numbers, one for each column of the product"),
    ("'<=' not supported between instances of 'int' and 'str'", "name= is missing in front of the name"),
    ("'list' object has no attribute 'dtype'", "minimize takes a loss, apply_gradients takes gradients"),
    ("keyword argument 'lr'", "the argument is learning_rate"),
    ("op: 'Mul'", "* multiplies number by number, and needs equal shapes; the product of matrices is tf.matmul"),
    ("op: '(Batch)?MatMul(V2)?'", "multiply [N·M, L] by [L, C]"),
    ("op: 'SoftmaxCrossEntropyWithLogits'", "the labels should be one-hot, [N·M, C] like the logits"),
    ("Cannot reshape a tensor",
     "a reshape keeps the number of elements: tf.one_hot(targets, num_classes) makes C numbers of each id"),
    ("Trying to update a Tensor", "apply_gradients takes pairs (gradient, variable): zip(gradients, variables)"),
    ("op: 'ApplyAdam'",
     "a gradient does not fit its variable: zip(gradients, variables) takes the variables of tf.gradients, in the same "
     "order, and the first of the two things that clip_by_global_norm returns, the list"),
    ("argument: 'grads_and_vars'", "an optimizer is needed, not its class: tf.train.AdamOptimizer(learning_rate)"),
    ("requested dtype float32_ref", "use tf.train.AdamOptimizer, not an optimizer of Keras"),
    # of a session, and of NumPy's random numbers
    ("uninitialized", "use the session that is given"),
    ("different graph|not an element of this graph", "use the arguments session and model, not others of this name"),
    ("feed a value for placeholder",
     "a tensor that you ask for depends on this placeholder: feed it, or do not ask for the tensor"),
    ("Cannot feed value", "a feed has the shape of its placeholder: that is [[i]] in the network that writes"),
    ("Could not flatten", "what is fed as model.initial_state is not a state: it should be what session.run returned, "
                          "first for model.initial_state, then for model.final_state"),
    ("cannot be a tf.Tensor", "feed values, as session.run(model.initial_state) gives them"),
    ("SerializeToString", "session.run takes one list of what is asked for, then the feed"),
    ("do not sum to 1", "divide p by its sum after the small ones are set to zero"),
    ("1-dimensional|out of bounds for axis 0 with size 1$", "preds is [1, C]: np.array(preds).ravel() is [C]"),
    ("same size", "give np.random.choice all C probabilities, with zeros, or the ids that they belong to"),
    ("unexpected keyword argument|[mM]issing (\\d+ )?required (positional|keyword)|multiple values for argument|"
     "takes (from )?\\d.* positional argument",
     "is a bracket closed too early or too late, or is there an argument too many or too few?"),
]
# What people write for names that TensorFlow does not have.
OTHERS = {"int": "int32", "float": "float32", "double": "float32", "mean": "reduce_mean", "sum": "reduce_sum",
          "max": "reduce_max", "Adam": "AdamOptimizer", "dot": "matmul", "mm": "matmul", "onehot": "one_hot",
          "normal": "truncated_normal", "cross_entropy": "softmax_cross_entropy_with_logits_v2", "cat": "concat",
          "softmax_cross_entropy": "softmax_cross_entropy_with_logits_v2", "concatenate": "concat", "view": "reshape",
          "permute": "transpose", "astype": "cast", "LSTM": "BasicLSTMCell", "RNN": "dynamic_rnn",
          "optimizers": "AdamOptimizer", "clip_grad_norm_": "clip_by_global_norm", "variable": "Variable"}
CONTRIB = "tf.nn.rnn_cell has the same classes of cells, tf.train has AdamOptimizer"
VERSION_1 = "tf should be tensorflow.compat.v1: run the cell with the imports again, without import tensorflow as tf"


def advise(last: str, known: Collection[str]) -> str:
    """Say what to do about an exception, or return an empty string.

    Args:
        last: its type and the last line of its message.
        known: the names that the reader's code could have meant by one that is not defined.
    """
    attribute = re.search(r"(module '.*'|Tensor'?|Variable'?)(?: object)? has no attribute '(\w+)'", last)
    if attribute:
        return _tensorflow_name(*attribute.groups())
    undefined = re.search(r"name '(\w+)' is not defined|variable '(\w+)' (referenced|where)", last)
    if undefined:
        name = undefined.group(1) or undefined.group(2)
        near = get_close_matches(name, [one for one in known if one != name], 1, 0.7)
        if near or "is not defined" in last:
            return f"do you mean {near[0]}?" if near else ""
    return next((re.search(pattern, last).expand(sentence) for pattern, sentence in ADVICE
                 if re.search(pattern, last)), "")


def _tensorflow_name(owner: str, name: str) -> str:
    """Say which name of TensorFlow is meant by one that a module or a tensor does not have."""
    if "module" in owner and "tensorflow" not in owner or name.startswith("_"):
        return ""
    if name == "contrib":
        return CONTRIB
    where = re.search(r"_api\.v2\.(nn|train)'|module 'tensorflow'", owner)
    if where and hasattr(getattr(tf, where.group(1) or "", tf), name):
        return VERSION_1
    names = {one: f"tf.{place}.{one}" for place in ("math", "train", "nn.rnn_cell", "nn")
             for one in dir(attrgetter(place)(tf))}
    names.update({one: f"tf.{one}" for one in dir(tf)})
    lower = {one.lower(): one for one in names}
    near = [OTHERS.get(name, name)] + [lower[one] for one in get_close_matches(name.lower(), lower, 1, 0.7)]
    meant = next((names[one] for one in near if one in names), "")
    if "module" in owner:
        return f"do you mean {meant}?" if meant else ""
    return "a tensor has nothing of this name" + (f": the function is {meant}" if meant else "")
