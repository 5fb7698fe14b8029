"""Records what the Python package `tokenizers` makes of sentences in many scripts.

    python make_wordpiece_fixture.py VOCAB      VOCAB is vocab.txt of an uncased BERT

Writes wordpiece.json: a vocabulary cut down to what the sentences need, with neighbours that the
longest match must prefer or pass over, and the ids of each sentence under that vocabulary. Recorded
with tokenizers 0.23.3.
"""

import json
import random
import sys

from tokenizers import BertWordPieceTokenizer

TEXTS = [
    "Hello, world!",
    "The quick brown fox jumps over the lazy dog.",
    "  spaces\t\tand\nlines\r\nare   one  ",
    "",
    " \n\t ",
    "CAPITALS Become small",
    "naïve café, El Niño, Ångström, Škoda, Łódź, façade",
    "cafe\u0301 decomposed, e\u0302\u0301 twice",
    "İstanbul'da ılık bir ırmak",
    "Straße, STRASSE, ẞ",
    "Καλημέρα κόσμε, ΠΟΛΥΤΟΝΙΚΟ ἐν ἀρχῇ ἦν ὁ λόγος, ΌΔΟΣ",
    "Съешь же ещё этих мягких французских булок",
    "Їжак і ґанок",
    "我能吞下玻璃而不伤身体。",
    "日本語のテキストとカタカナ、ガギグ",
    "ﾊﾝｶｸ ｶﾅ and ｆｕｌｌ ｗｉｄｔｈ",
    "안녕하세요 세계",
    "مَرْحَبًا بالعالم، كيف حالك؟",
    "שָׁלוֹם עוֹלָם",
    "नमस्ते दुनिया, क्षत्रिय",
    "สวัสดีชาวโลก",
    "xin chào thế giới, Việt Nam",
    "emoji 😀 and 👩\u200d👩\u200d👧 and flags 🇨🇭",
    "prices: $5.00, 10€, £3, ¥7 + 1 = 8; a<b>c ^ d | e ~ f ` g",
    "don't re-enter_the@house #tag 100% (sic) [ok] {x}",
    "dashes – — ― and quotes “ ” ‘ ’ « » „ and … ‽",
    "zero\u200bwidth, soft\u00adhyphen, bom\ufeff, null\x00byte, bad\ufffdbyte, bell\x07",
    "no\u00a0break\u2003em\u3000ideographic\u2028line\u0085next",
    "unassigned \u0378 private \ue000 and \U000e0041 tags",
    "CJK 㐀 extension 𠀀 𪜀 𫝀 𫠠 𬺰 compatibility 豈 and 丽",
    "ﬁne ligatures ǆ Ǆ and ½ ² Ⅷ ™",
    "embeddings unaffable supercalifragilisticexpialidocious",
    "a" * 100 + " " + "b" * 101 + " " + "ä" * 100 + " " + "é" * 101,
    "[CLS] spelt out [SEP] and [MASK] or [UNK]x[PAD] but not [cls] or [ MASK ] nor [[SEP]",
    "##already ##cut # # ## #",
    "qqqzzzxxy ☃ ♠ 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 ⠃⠗ 𐍈",
    "1234567890 3.14159 1,000,000 0x1F 2024-02-30T12:00Z",
    "Dž ǅ ŉ ΐ ᾳ ᾼ İ",
]


def main() -> None:
    full = BertWordPieceTokenizer(sys.argv[1], lowercase=True)
    names = full.get_vocab()
    needed = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}
    for text in TEXTS:
        needed.update(full.encode(text).tokens)
    ordered = sorted(names, key=lambda name: names[name])
    # Beginnings and endings of what is needed: candidates that are shorter, or that lead astray.
    chosen = random.Random(1)
    near = [name for name in ordered if 2 < len(name) < 6 and any(name in each for each in needed)]
    needed.update(chosen.sample(near, min(300, len(near))))
    vocabulary = [name for name in ordered if name in needed]
    small = BertWordPieceTokenizer({name: index for index, name in enumerate(vocabulary)})
    # BertWordPieceTokenizer makes a token special only if told so.
    small.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    cases = [{"text": text, "ids": small.encode(text).ids} for text in TEXTS]
    with open("wordpiece.json", "w", encoding="utf-8") as file:
        file.write('{"vocabulary": ' + json.dumps(vocabulary) + ',\n"cases": [\n')
        file.write(",\n".join(json.dumps(case) for case in cases))
        file.write("\n]}\n")


main()
