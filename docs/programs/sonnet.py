"""Write a sonnet: ten syllables a line, and rhymes.

The words are those of the plays, and each line ends with one that rhymes::

    ROMEO:
    It is a king that cannot say they say.
    If the man of his senate shall be plead.
    Our traitors chamber thee, and this my fray
    Whose warm being lay upon the love of head.
    How now, good night, be gone, I shall not stand.
    Who can do this, for this doth weep with sound?
    And yet I shall be all to me age and
    To make me prove the watch with me, and bound
    Against my subjects, stay, and to his grace
    Was not been proud, and make my son are not.
    Came of your sir, a state of mercy place!
    But I will promise it a grave to plot;
    Here comes the people from the book of hear
    The friends of breath and stand upon your dear.
"""

import re
from collections import Counter, defaultdict

from charrnn import open_model
from charrnn.text.corpus import read


def syllables(text):  # by spelling: groups of vowels, without a silent e
    count = 0
    for word in re.findall("[a-z']+", text.lower()):
        spoken = re.sub("(?<=[^aeiouyl])e(?=[sd]?$)|'.*", "", word)
        count += max(1, len(re.findall("[aeiouy]+", spoken)))
    return count


def sound(word):  # its last vowels and what follows
    return re.search("[aeiouy]+[^aeiouy]*e?$|$", word).group()


plays = read("tiny-shakespeare").text
counts = Counter(re.findall(r"(?<=[a-z,] )[A-Za-z]+(?=[ ,;.!?\n])", plays))
words = {word: syllables(word) for word, count in counts.items() if count > 2}
longer = defaultdict(set)  # words by each of their beginnings
rhymes = defaultdict(set)  # frequent words by their sound
for word in words:
    for length in range(len(word) + 1):
        longer[word[:length]].add(word)
    if word.islower() and counts[word] > 4 and len(word) > 2 and not word.endswith("ed"):
        rhymes[sound(word)].add(word)


def allowed(line, last):  # what may follow in a line that ends with one of these words
    if line.endswith(","):
        return " "
    if line.endswith((".", ";", "!", "?")):
        return "\n"
    before, space, part = line.rpartition(" ")
    if not space:
        part = part.lower()  # the first letter of a line is a capital
    left = 10 - syllables(before)
    fitting = {word for word in longer[part] if words[word] < left}
    fitting |= {word for word in longer[part] & last if words[word] == left}
    following = {word[len(part)] for word in fitting if word != part}
    if part in fitting:
        following |= set(" ," if words[part] < left else ".;!?\n")
    return following if line else {char.upper() for char in following}


shakespeare = open_model("tiny-shakespeare")
common = {word for group in rhymes.values() if len(group) > 7 for word in group}


def write_line(poem, last, seed):  # empty, or without an end, where no word fits
    text = shakespeare.write(
        poem,
        70,
        temperature=0.7,
        top_p=0.95,
        seed=seed,
        stop="\n",
        allow=lambda text: allowed(text[len(poem) :], last),
    )
    return text[len(poem) :]


ends = {}  # words that rhyme, by the letter of the line
poem = "ROMEO:\n"
seed = 0
for letter in "ababcdcdefefgg":
    last = ends.get(letter, common)
    line = ""
    while not line.endswith("\n"):
        seed += 1
        line = write_line(poem, last, seed)
    poem += line
    word = re.findall("[a-z]+", line)[-1]
    ends[letter] = rhymes[sound(word)] - {word}
    common = common - rhymes[sound(word)]
print(poem, end="")
