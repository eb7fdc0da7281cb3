"""``tf.contrib.training.HParams`` for TensorFlow 2: hyperparameters with their types."""

import json
import numbers
import re
from typing import Any, Dict

__all__ = ["HParams"]

# ``name=value`` or ``name=[value,value]``, and the comma before the next one
_PAIR = r"([a-zA-Z][\w.]*)\s*=\s*([^,\[]*|\[[^\]]*\])(?:$|,\s*)"
_BOOLEANS = {"true": True, "True": True, "false": False, "False": False}
# what may be given for a value of a type
_ACCEPTED: Dict[type, Any] = {
    int: numbers.Integral,
    float: numbers.Number,
    str: (str, bytes),
    bool: bool,
}


class HParams:
    """Hyperparameters, which are attributes. Each keeps the type of its first value."""

    def __init__(self, **values: Any) -> None:
        self._hparam_types: Dict[str, type] = {}
        for name, value in values.items():
            self.add_hparam(name, value)

    def add_hparam(self, name: str, value: Any) -> None:
        """Add a hyperparameter. A list has the type of its first element."""
        if getattr(self, name, None) is not None:
            raise ValueError(f"Hyperparameter name is reserved: {name}")
        first = value
        if isinstance(value, (list, tuple)):
            if not value:
                raise ValueError(f"Multi-valued hyperparameters cannot be empty: {name}")
            first = value[0]
        self._hparam_types[name] = type(first)
        setattr(self, name, value)

    def set_hparam(self, name: str, value: Any) -> None:
        """Change a hyperparameter. An integer may become a float; nothing else changes its type."""
        kind = self._hparam_types[name]
        is_list = isinstance(getattr(self, name), (list, tuple))
        if isinstance(value, list) != is_list:
            raise ValueError(
                f"Must pass a list for multi-valued parameters alone: {name}={value!r}"
            )
        if is_list:
            value = [_cast(name, kind, element) for element in value]
        else:
            value = _cast(name, kind, value)
        setattr(self, name, value)

    def parse(self, values: str) -> "HParams":
        """Change hyperparameters by a text such as ``rate=0.1,sizes=[3,4]``."""
        if not re.fullmatch(f"(?:{_PAIR})*", values):
            raise ValueError(f"Malformed hyperparameter value: {values}")
        parsed: Dict[str, Any] = {}
        for name, value in re.findall(_PAIR, values):
            if name not in self._hparam_types:
                raise ValueError(f"Unknown hyperparameter type for {name}")
            if name in parsed:
                raise ValueError(f"Multiple assignments to variable {name!r} in {values}")
            kind = self._hparam_types[name]
            if value.startswith("["):
                elements = re.findall("[^][ ,]+", value)
                parsed[name] = [_read(name, kind, element) for element in elements]
            else:
                parsed[name] = _read(name, kind, value)
        return self.override_from_dict(parsed)

    def override_from_dict(self, values_dict: Dict[str, Any]) -> "HParams":
        """Change hyperparameters."""
        for name, value in values_dict.items():
            self.set_hparam(name, value)
        return self

    def parse_json(self, values_json: str) -> "HParams":
        """Change hyperparameters by a text of JSON."""
        return self.override_from_dict(json.loads(values_json))

    def to_json(self, **options: Any) -> str:
        """Return all hyperparameters as JSON."""
        return json.dumps(self.values(), **options)

    def values(self) -> Dict[str, Any]:
        """Return all hyperparameters."""
        return {name: getattr(self, name) for name in self._hparam_types}

    def get(self, key: str, default: Any = None) -> Any:
        """Return a hyperparameter, or something else if it is not there."""
        return self.values().get(key, default)

    def __contains__(self, key: str) -> bool:
        return key in self._hparam_types

    def __str__(self) -> str:
        return ",".join(f"{name}={value}" for name, value in self.values().items())


def _cast(name: str, kind: type, value: Any) -> Any:
    """Return a value as one of a type. Raise ValueError if it is of another kind."""
    if kind in (type(value), type(None)):
        return value
    is_bool = isinstance(value, bool) or kind is bool
    if is_bool or not isinstance(value, _ACCEPTED.get(kind, object)):
        raise ValueError(f"Could not cast hparam {name!r} of type {kind} from value {value!r}")
    return kind(value)


def _read(name: str, kind: type, text: str) -> Any:
    """Return the value of a type that a text has."""
    try:
        if kind is not bool:
            return kind(text)
        return _BOOLEANS[text] if text in _BOOLEANS else bool(int(text))
    except ValueError:
        raise ValueError(
            f"Could not parse hparam {name!r} of type {kind.__name__!r} with value {text!r}"
        )
