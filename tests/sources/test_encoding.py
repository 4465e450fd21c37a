# ruff: noqa: RUF001  the characters that look like others are meant
import numpy as np
import pytest

from scoreline.sources._encoding import bom_encoding, detect, evidence_of, keeps_ascii, misread

WORDS = {
    "portuguese": "ação serviço não também até você é são já só avó pão mãe açúcar coração família público informação"
    " números água português país farmácia técnico médico próximo três possível José São Conceição Goiás Brasília",
    "spanish": "año niño señor mañana también más está aquí después corazón canción habitación teléfono música árbol"
    " García Rodríguez Martínez Pérez Muñoz España Málaga Cádiz León pequeño cumpleaños así fácil día compañía",
    "french": "été élève après très où déjà français garçon leçon reçu hôtel forêt château être même naïve Noël"
    " général première société équipe école étude année première François Hélène Éric santé qualité première",
    "german": "über für können möglich schön größer Straße groß weiß heiß Müller Köln München Düsseldorf Österreich"
    " Ärzte ähnlich später früher natürlich würde hätte Mädchen Käse Tür grün fünf zwölf Übung Öl",
}
ENCODINGS = ("cp1252", "latin-1", "mac_roman", "utf-8")
STYLES = (str.lower, str.capitalize, str.upper)


def found(text: str, encoding: str) -> str | None:
    return detect(evidence_of(text.encode(encoding))).encoding


def accented(language: str) -> list[str]:
    return sorted({word for word in WORDS[language].split() if not word.isascii()})


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("language", WORDS)
def test_a_text_of_twenty_words_is_told(language: str, encoding: str) -> None:
    draw = np.random.default_rng(1)
    wanted = "cp1252" if encoding == "latin-1" else encoding
    for style in STYLES:
        words = [style(word) for word in draw.choice(accented(language), 20, replace=False).tolist()]
        assert found(";".join(words).replace("SS", "ß"), encoding) == wanted


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("language", WORDS)
def test_three_words_are_told_or_asked_about_but_never_mistaken(language: str, encoding: str) -> None:
    draw = np.random.default_rng(2)
    wanted = "cp1252" if encoding == "latin-1" else encoding
    samples = [draw.choice(accented(language), 3, replace=False).tolist() for _ in range(40)]
    answers = [found("\n".join(map(STYLES[at % 3], words)), encoding) for at, words in enumerate(samples)]
    assert set(answers) <= {wanted, None}
    assert answers.count(wanted) >= 35


@pytest.mark.parametrize("word", ["SERVIÇO", "PEÇAS", "São Paulo", "Straße", "señor"])
def test_one_word_is_enough_for_the_commonest_encoding(word: str) -> None:
    assert found(word, "cp1252") == "cp1252"


@pytest.mark.parametrize("text", ["5 €", "25°C", "1\xa0234,50", "don’t", "“hello”", "¿Qué?", "nº 5"])
def test_signs_are_not_taken_for_letters(text: str) -> None:
    assert found(text, "cp1252") == "cp1252"


def test_words_that_read_alike_are_asked_about() -> None:
    answer = detect(evidence_of("ça".encode("mac_roman")))
    assert answer.encoding is None
    assert "mac_roman" in answer.candidates


@pytest.mark.parametrize("encoding", ["cp1251", "koi8-r", "cp866", "shift_jis"])
def test_text_of_other_parts_of_the_world_is_asked_about(encoding: str) -> None:
    text = {"shift_jis": "東京都 大阪府 日本語 会社 時間"}.get(
        encoding, "привет мир россия москва город улица дом книга"
    )
    assert detect(evidence_of(text.encode(encoding))).encoding is None


def test_a_damaged_character_in_utf_8_leaves_it_utf_8() -> None:
    evidence = evidence_of("ação ".encode() * 50 + b"a\xe7\xe3o")
    assert detect(evidence).encoding == "utf-8"
    assert misread(evidence, "utf-8") == (2, 102)


def test_ascii_is_utf_8() -> None:
    assert detect(evidence_of(b"plain")).encoding == "utf-8"


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [("utf-8-sig", "utf-8"), ("utf-16", "utf-16"), ("utf-16-be", "utf-16-be"), ("utf-32", "utf-32")],
)
def test_unicode_shows_itself(encoding: str, mark: str) -> None:
    assert bom_encoding("id;São Paulo\n".encode(encoding)) == mark


def test_control_characters_above_ascii_mean_nothing() -> None:
    evidence = evidence_of("SERVIÇO".encode("mac_roman"))
    assert misread(evidence, "iso8859-1") == (1, 1)


@pytest.mark.parametrize(
    ("encoding", "kept"), [("cp1250", True), ("utf-8", True), ("gb18030", False), ("utf-16", False)]
)
def test_only_encodings_that_keep_ascii_can_be_cut(encoding: str, kept: bool) -> None:
    assert keeps_ascii(encoding) is kept
