"""What the source of a program has of TensorFlow 1."""

import ast
import warnings
from typing import Dict, List, Optional, Union


def names_of_tensorflow(source: Union[str, bytes]) -> List[str]:
    """Return the names of TensorFlow in a program's source, whole, in their order, each once.

    >>> names_of_tensorflow("import tensorflow as tf; from tensorflow.contrib import crf; tf.zeros; crf.decode")
    ['tensorflow', 'tensorflow.contrib.crf', 'tensorflow.zeros', 'tensorflow.contrib.crf.decode']
    """
    # Python has already warned of it, when it ran.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nodes = list(ast.walk(ast.parse(source)))
    nodes.sort(key=lambda node: (getattr(node, "lineno", 0), getattr(node, "col_offset", 0)))
    # what a name of the program stands for
    imported: Dict[str, str] = {}
    names = []
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                names.append(alias.name)
                if alias.asname:
                    imported[alias.asname] = alias.name
                else:
                    first, *_ = alias.name.split(".")
                    imported[first] = first
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                names.append(name)
                imported[alias.asname or alias.name] = name
        elif isinstance(node, ast.Attribute):
            used = _dotted(node, imported)
            if used:
                names.append(used)
    return [name for name in dict.fromkeys(names) if name.split(".")[0] == "tensorflow"]


def _dotted(node: ast.expr, imported: Dict[str, str]) -> Optional[str]:
    """Return the whole name of an attribute of something that is imported; None for others."""
    if isinstance(node, ast.Name):
        return imported.get(node.id)
    if isinstance(node, ast.Attribute):
        above = _dotted(node.value, imported)
        if above:
            return f"{above}.{node.attr}"
    return None
