"""Compare two names of a person, for somebody who decides whether they are the same."""

import unicodedata

import regex
from anyascii import anyascii
from rapidfuzz.distance import Levenshtein

SAME = 100
# The same words in another order: José María is not María José.
REORDERED = 95
# The best that names with a different or missing word can get; the threshold of a new gateway is above it.
DIFFERENT = 79
# An initial, or a word in another script, may stand for the word, and for others.
_INITIAL = 0.7
_OTHER_SCRIPT = 0.9
# Longer names than any institution's: comparing each word with each other takes its time.
_MOST_WORDS = 24
_MOST_LETTERS = 512

# Elsewhere a vowel or a tone is such a mark: without it the name is another.
_MARKS_TO_IGNORE = regex.compile(r"(?<=[\p{Latin}\p{Greek}\p{Cyrillic}\p{Arabic}\p{Hebrew}])\p{M}+")
# What is not seen (joiners, direction, variation selectors), lengthens a line (tatweel), or is an apostrophe.
_INVISIBLE = regex.compile(r"[\p{Default_Ignorable_Code_Point}\p{Cf}\u0640'’‘`´ʼʻʹʽʾʿ״׳]")
_WORDS = regex.compile(r"[\p{L}\p{M}\p{N}]+")
_CLUSTERS = regex.compile(r"\X")
_MARKS = regex.compile(r"\p{M}{2,}")
# A letter that a program could not show stands for any letter.
_UNREADABLE = regex.compile(r"[?\ufffd\p{Co}\p{Cn}\p{Cs}]")
# Letters that Unicode writes in two ways without calling them equal, and those that have no plain form.
_LETTERS = str.maketrans(
    {
        # Arabic: of the same sound, or of another language's keyboard
        "ٱ": "ا",
        "ى": "ي",
        "ی": "ي",
        "ې": "ي",
        "ک": "ك",
        "ڪ": "ك",
        "ة": "ه",
        "ۃ": "ه",
        "ہ": "ه",
        "ە": "ه",
        # Malayalam and Bengali: a letter of its own, or consonant and virama
        "ൺ": "ണ്",
        "ൻ": "ന്",
        "ർ": "ര്",
        "ൽ": "ല്",
        "ൾ": "ള്",
        "ൿ": "ക്",
        "ৎ": "ত্",
        # Latin
        "ł": "l",
        "ø": "o",
        "đ": "d",
        "ı": "i",
        "æ": "ae",
        "œ": "oe",
        "ð": "d",
        "þ": "th",
    }
)


def score(ours: str, theirs: str) -> int:
    """Compare two names.

    Return 100 for the same name (whatever case, accents, spaces, punctuation and titles), 95 for its words in
    another order, and from 0 to 79, by how much of them is alike, for names of which a word differs or is
    missing. Empty and unreadable names are never the same.
    """
    words, others = _words(ours), _words(theirs)
    if not words or not others or max(len(words), len(others)) > _MOST_WORDS:
        return 0
    words, others = _without_titles(words, others)
    unreadable = _UNREADABLE.search(ours) or _UNREADABLE.search(theirs)
    if not unreadable and "".join(words) == "".join(others):
        return SAME
    if not unreadable and sorted(words) == sorted(others):
        return REORDERED
    return int(DIFFERENT * _likeness(words, others))


def _words(name):
    """Return the words of a name in a form in which equal words are equal; none unless one has a letter."""
    if len(name) > _MOST_LETTERS:
        return []
    name = unicodedata.normalize("NFKD", _INVISIBLE.sub("", name).casefold())
    name = _MARKS_TO_IGNORE.sub("", _INVISIBLE.sub("", name).translate(_LETTERS))
    # Thai and Burmese keyboards leave the order of two marks on one letter to who writes.
    name = _MARKS.sub(lambda marks: "".join(sorted(marks[0])), name)
    words = _WORDS.findall(unicodedata.normalize("NFC", name))
    return words if regex.search(r"\p{L}", name) else []


# In that form. "Sri" and "Kumari" are names as well.
_TITLES = frozenset(
    _words(
        "mr mrs ms miss mx dr prof sir madam sr sra srta señor señora mme mlle monsieur madame herr frau "
        "shri smt श्री श्रीमती डॉ জনাব السيد السيدة الدكتور الدكتورة นาย นาง นางสาว"
    )
)


def _without_titles(words, others):
    """Drop titles, unless each name has one and they differ: Mr and Mrs Khan are two people."""
    titles, other_titles = _TITLES.intersection(words), _TITLES.intersection(others)
    if titles and other_titles and titles != other_titles:
        return words, others
    return (
        [word for word in words if word not in titles] or words,
        [word for word in others if word not in other_titles] or others,
    )


def _likeness(words, others):
    """Return from 0 to 1 the part of both names that is alike; each word counts by its letters."""
    mine, theirs = [[_CLUSTERS.findall(word) for word in name] for name in (words, others)]
    total = sum(map(len, mine + theirs))
    pairs = [
        (_word_likeness(one, other), at, other_at)
        for at, one in enumerate(mine)
        for other_at, other in enumerate(theirs)
    ]
    alike, taken, other_taken = 0, set(), set()
    for likeness, at, other_at in sorted(pairs, reverse=True):
        if at not in taken and other_at not in other_taken:
            taken.add(at)
            other_taken.add(other_at)
            alike += likeness * (len(mine[at]) + len(theirs[other_at]))
    return alike / total


def _word_likeness(word, other):
    if word == other:
        return 1
    if 1 in (len(word), len(other)) and word[0] == other[0]:
        return _INITIAL
    if _script(word[0]) != _script(other[0]):
        latin, other_latin = (anyascii("".join(letters)).casefold() for letters in (word, other))
        return _OTHER_SCRIPT * Levenshtein.normalized_similarity(latin, other_latin)
    return Levenshtein.normalized_similarity(word, other)


def _script(cluster):
    """Return the first word of the letter's name in Unicode, which is its script."""
    return unicodedata.name(cluster[0], "").partition(" ")[0]
