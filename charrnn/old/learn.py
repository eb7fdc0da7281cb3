"""What stands of ``tf.contrib.learn`` on TensorFlow 2: texts as ids of words, and the names of the modes."""

import collections
import json
import re
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional

import numpy as np

from charrnn.system import files

__all__ = ["CategoricalVocabulary", "ModeKeys", "VocabularyProcessor", "tokenizer"]

_WORD = re.compile(r"[A-Z]{2,}(?![a-z])|[A-Z][a-z]+(?=[A-Z])|['\w\-]+")


class ModeKeys:
    """What a model is built for."""

    TRAIN = "train"
    EVAL = "eval"
    INFER = "infer"


def tokenizer(iterator: Iterable[str]) -> Iterator[List[str]]:
    """Yield the words of each text."""
    for text in iterator:
        yield _WORD.findall(text)


class CategoricalVocabulary:
    """Words and their ids, in the order in which the words came. Id 0 is for all others."""

    def __init__(self, unknown_token: str = "<UNK>") -> None:
        self._mapping = {unknown_token: 0}
        self._freq: Dict[str, int] = collections.Counter()
        self._is_frozen = False

    def __len__(self) -> int:
        return len(self._mapping)

    def freeze(self, freeze: bool = True) -> None:
        """Give new words no ids from now on, or give them again."""
        self._is_frozen = freeze

    def get(self, category: str) -> int:
        """Return the id of a word. A new one gets an id."""
        if self._is_frozen:
            return self._mapping.get(category, 0)
        return self._mapping.setdefault(category, len(self._mapping))

    def add(self, category: str, count: int = 1) -> None:
        """Count a word."""
        if self.get(category) > 0:
            self._freq[category] += count

    def trim(self, min_frequency: int) -> None:
        """Keep the words that are more frequent than a number. The most frequent one has id 1."""
        by_count = sorted(sorted(self._freq), key=lambda word: self._freq[word], reverse=True)
        kept = [word for word in by_count if self._freq[word] > min_frequency]
        words = [self.reverse(0), *kept]
        self._mapping = {word: number for number, word in enumerate(words)}

    def reverse(self, class_id: int) -> str:
        """Return the word of an id."""
        return list(self._mapping)[class_id]


class VocabularyProcessor:
    """What makes rows of ids from texts. All rows have one length, with zeros behind a shorter text.

    Attributes:
        max_document_length: the length of a row.
        min_frequency: words that are not more frequent have id 0.
        vocabulary_: the CategoricalVocabulary.
    """

    def __init__(
        self,
        max_document_length: int,
        min_frequency: int = 0,
        vocabulary: Optional[CategoricalVocabulary] = None,
        tokenizer_fn: Optional[Callable] = None,
    ) -> None:
        self.max_document_length = max_document_length
        self.min_frequency = min_frequency
        self.vocabulary_ = vocabulary or CategoricalVocabulary()
        self._tokenizer = tokenizer_fn or tokenizer

    def fit(self, raw_documents: Iterable[str], unused_y: Any = None) -> "VocabularyProcessor":
        """Learn the words of texts."""
        for words in self._tokenizer(raw_documents):
            for word in words:
                self.vocabulary_.add(word)
        if self.min_frequency > 0:
            self.vocabulary_.trim(self.min_frequency)
        self.vocabulary_.freeze()
        return self

    def fit_transform(self, raw_documents: Iterable[str], unused_y: Any = None) -> Iterator:
        """Learn the words of texts; yield a row for each."""
        return self.fit(raw_documents).transform(raw_documents)

    def transform(self, raw_documents: Iterable[str]) -> Iterator[np.ndarray]:
        """Yield a row for each text, int64 [max_document_length]."""
        for words in self._tokenizer(raw_documents):
            row = np.zeros(self.max_document_length, np.int64)
            for place, word in zip(range(self.max_document_length), words):
                row[place] = self.vocabulary_.get(word)
            yield row

    def reverse(self, documents: Iterable) -> Iterator[str]:
        """Yield the text of each row."""
        for row in documents:
            yield " ".join(self.vocabulary_.reverse(word_id) for word_id in row)

    def save(self, filename: str) -> None:
        """Write the words into a file: JSON, while TensorFlow 1 pickles.

        Raises:
            ValueError: there is a ``tokenizer_fn``, which cannot be written.
        """
        if self._tokenizer is not tokenizer:
            raise ValueError(f"{filename} cannot have the tokenizer_fn {self._tokenizer!r}")
        content = [self.max_document_length, self.min_frequency, list(self.vocabulary_._mapping)]
        files.write_atomically(Path(filename), json.dumps(content).encode())

    @classmethod
    def restore(cls, filename: str) -> "VocabularyProcessor":
        """Return what :meth:`save` has written."""
        length, min_frequency, words = json.loads(Path(filename).read_text(encoding="utf-8"))
        processor = cls(length, min_frequency)
        for word in words[1:]:
            processor.vocabulary_.get(word)
        processor.vocabulary_.freeze()
        return processor
