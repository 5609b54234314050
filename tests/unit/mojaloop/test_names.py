"""A payee whose name differs is for a person; one whose name is only written otherwise is not."""

import unicodedata

import pytest

from odoo.addons.g2p_mojaloop_connector.client import names
from odoo.addons.g2p_mojaloop_connector.client.names import DIFFERENT, REORDERED, SAME, score

# Two people of each script whose names differ by a vowel sign, a mark, or a letter.
DIFFERENT_PEOPLE = {
    "devanagari": ("सीमा देवी", "सोमा देवी"),
    "devanagari, three words": ("रीता कुमारी शर्मा", "राता कुमारी शर्मा"),
    "devanagari, virama": ("कमल", "कम्ल"),
    "devanagari, anusvara": ("चपा", "चंपा"),
    "devanagari, nukta": ("राजा", "राज़ा"),
    "bengali": ("রিনা বেগম", "রানা বেগম"),
    "gurmukhi": ("ਹਰਜੀਤ ਕੌਰ", "ਹਰਜੋਤ ਕੌਰ"),
    "gujarati": ("મીના પટેલ", "મોના પટેલ"),
    "odia": ("ମିନା ଦାସ", "ମୀରା ଦାସ"),
    "tamil": ("குமார்", "குமரி"),
    "tamil, one sign": ("ராமன் செல்வி", "ராமன் செல்வா"),
    "telugu": ("రాము రెడ్డి", "రామ రెడ్డి"),
    "kannada": ("ಮೀನಾ ಗೌಡ", "ಮೋನಾ ಗೌಡ"),
    "malayalam": ("മീന നായർ", "മോന നായർ"),
    "sinhala": ("නිමල් පෙරේරා", "නමල් පෙරේරා"),
    "burmese": ("မောင်မောင်", "မိုင်မောင်"),
    "burmese, tone": ("အောင်", "အောင့်"),
    "khmer": ("សុខ ចាន់", "សិខ ចាន់"),
    "thai, vowel": ("สมชาย ใจดี", "สมชัย ใจดี"),
    "thai, tone": ("แก้ว", "แกว"),
    "lao": ("ບຸນມີ", "ບຸນມາ"),
    "tibetan": ("བསོད་ནམས", "བསད་ནམས"),
    "ethiopic": ("አበበ ከበደ", "አበባ ከበደ"),
    "ethiopic, gemination": ("አለ", "አለ\u135f"),
    "thaana": ("އަލީ", "އިލީ"),
    "javanese": ("ꦱꦶꦠ", "ꦱꦸꦠ"),
    "balinese": ("ᬮᬶᬩ", "ᬮᬸᬩ"),
    "n'ko": ("ߡߊߘߌ", "ߡߊߘߎ"),
    "arabic": ("محمد حسن", "محمود حسن"),
    "arabic, short": ("حسن علي", "حسين علي"),
    "urdu": ("نادیہ خان", "نادرہ خان"),
    "hebrew": ("דן כהן", "דנה כהן"),
    "latin": ("Mario Garcia Fernandez", "Maria Garcia Fernandez"),
    "latin, long": ("Francisco Rodriguez", "Francisca Rodriguez"),
    "cyrillic": ("Александр Петров", "Александра Петров"),
    "greek": ("Μαρία Παππά", "Μαρίνα Παππά"),
    "georgian": ("ნინო", "ნანო"),
    "armenian": ("Արամ", "Արման"),
    "han": ("王伟", "王玮"),
    "hangul": ("김민수", "김민서"),
    "kana": ("かとう はな", "がとう はな"),
    "cherokee": ("ᏣᎳᎩ", "ᏣᎵᎩ"),
    "titles of a couple": ("Mr Imran Khan", "Mrs Imran Khan"),
    "another script": ("राम कुमार", "রাম কুমার"),
    "another script, another name": ("Иван Петров", "Anna Schmidt"),
    "a word more": ("Juan Garcia", "Juan Pedro Garcia"),
    "an initial": ("J. Doe", "John Doe"),
}
SAME_PERSON = {
    "case": ("JOHN DOE", "John Doe"),
    "accents": ("José Muñoz", "JOSE MUNOZ"),
    "vietnamese": ("Nguyễn Văn Hà", "NGUYEN VAN HA"),
    "letters without a plain form": ("Łukasz Sørensen Yıldız", "LUKASZ SORENSEN YILDIZ"),
    "sharp s": ("Strauß", "STRAUSS"),
    "turkish capital": ("İbrahim", "Ibrahim"),
    "full width": ("Ｊｏｈｎ　Ｄｏｅ", "John Doe"),
    "half width": ("ｶﾞﾄｳ", "ガトウ"),
    "apostrophe": ("N’Golo O'Brien", "NGolo O Brien"),
    "hyphen": ("Marie-Claire Diop", "Marie Claire Diop"),
    "spaces": ("Abdul Rahman", "Abdulrahman"),
    "title": ("Dr. Amina Diallo", "Amina Diallo"),
    "title in hindi": ("श्रीमती सीमा देवी", "सीमा देवी"),
    "cyrillic": ("Алёна Йовович", "Алена Иовович"),
    "greek": ("Γιώργος ΜΑΡΊΑ", "ΓΙΩΡΓΟΣ Μαρία"),
    "arabic, harakat": ("مُحَمَّد", "محمد"),
    "arabic, tatweel": ("محـــمد", "محمد"),
    "arabic, hamza": ("أحمد إبراهيم آدم", "احمد ابراهيم ادم"),
    "arabic, persian letters": ("کریم علی", "كريم علي"),
    "arabic, ta marbuta": ("فاطمة", "فاطمه"),
    "arabic, alef maksura": ("مصطفى", "مصطفي"),
    "arabic, presentation forms": ("ﻣﺤﻤﺪ ﻋﻠﻲ", "محمد علي"),
    "arabic, ligature": ("عبد ﷲ", "عبد الله"),
    "persian, joiner": ("علی\u200cرضا", "علی رضا"),
    "hebrew, niqqud": ("שָׂרָה", "שרה"),
    "direction": ("\u200fمحمد\u200e", "محمد"),
    "devanagari, joiner": ("क्\u200dष", "क्ष"),
    "devanagari, nukta": ("\u0958मर", "\u0915\u093cमर"),
    "bengali, khanda ta": ("উৎপল", "উত্\u200dপল"),
    "malayalam, chillu": ("അനിൽ", "അനില്\u200d"),
    "sinhala, joiner": ("ශ්\u200dරී", "ශ්රී"),
    "thai, order of marks": ("น้ำ", "น\u0e4d้า"),
    "khmer, invisible space": ("សុខ\u200bចាន់", "សុខ ចាន់"),
    "variation selector": ("葛\U000e0100城", "葛城"),
    "hangul, jamo": ("김민수", unicodedata.normalize("NFD", "김민수")),
}
UNREADABLE = ["", " ", "-", "????", "\ufffd\ufffd", "12345", "\u0301", "\u200b", "...", "\x00", "٠", "\ue000"]


@pytest.mark.parametrize(("one", "other"), DIFFERENT_PEOPLE.values(), ids=DIFFERENT_PEOPLE)
def test_different_names_are_below_the_threshold(one, other):
    assert 0 <= score(one, other) <= DIFFERENT
    assert score(one, other) == score(other, one)


@pytest.mark.parametrize(("one", "other"), SAME_PERSON.values(), ids=SAME_PERSON)
def test_one_name_written_in_two_ways_is_the_same(one, other):
    assert score(one, other) == score(other, one) == SAME


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
@pytest.mark.parametrize("name", [name for pair in DIFFERENT_PEOPLE.values() for name in pair])
def test_a_name_equals_itself_in_each_normal_form(name, form):
    assert score(name, unicodedata.normalize(form, name)) == SAME


@pytest.mark.parametrize("name", UNREADABLE)
def test_an_empty_or_unreadable_name_equals_nothing(name):
    assert score(name, name) == 0
    assert score(name, "John Doe") == score("John Doe", name) == 0


@pytest.mark.parametrize("name", ["Jos\ufffd Doe", "Jos? Doe"])
def test_a_name_that_is_partly_unreadable_is_in_doubt(name):
    assert 50 < score(name, name) <= DIFFERENT
    assert score(name, "Jos Doe") <= DIFFERENT


def test_another_order_is_told_from_the_same():
    assert score("DOE, JOHN", "John Doe") == REORDERED
    assert score("सीमा देवी", "देवी सीमा") == REORDERED


def test_what_is_more_alike_scores_more():
    assert score("John Doe", "J. Doe") > score("John Doe", "Jane Doe") > score("John Doe", "Mary Doe")
    assert score("Mohammed Hassan", "Mohamed Hassan") > score("Mohammed Hassan", "Mahmoud Hassan")
    assert score("John Doe", "Xiu Wang") < 20


@pytest.mark.parametrize(
    ("one", "other"),
    [("Иван Петров", "Ivan Petrov"), ("राम कुमार", "Ram Kumar"), ("Γιώργος", "Giorgos")],
)
def test_a_transliterated_name_scores_high_but_in_doubt(one, other):
    assert 55 <= score(one, other) <= DIFFERENT


def test_a_name_of_thousands_of_words_takes_no_time():
    assert score("a b " * 5000, "c d " * 5000) == 0
    assert score("a " * 200, "b " * 200) == 0


def test_the_best_of_different_names_is_below_the_default():
    assert DIFFERENT < 80 < REORDERED < SAME == names.SAME
