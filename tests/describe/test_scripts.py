"""Keywords in languages whose words are not what stands between spaces; all texts are invented."""

from __future__ import annotations

import importlib.metadata

import numpy as np
import pytest

from newsnest.describe import segment
from newsnest.describe.keywords import keywords
from newsnest.describe.outlets import without_outlets
from newsnest.describe.proclitics import arabic_key, without_proclitics
from newsnest.describe.sentences import is_quotable, word_count
from newsnest.describe.stopwords import stop_words
from newsnest.describe.terms import count_terms
from newsnest.describe.tokens import bare, spellings, word_key
from newsnest.types import Article

FERRY = {
    "zh": [
        "渡轮工人在海港举行罢工，要求提高工资",
        "海港渡轮停运，罢工进入第三天",
        "工会说渡轮罢工将持续到周末",
    ],
    "ja": [
        "フェリーの船員が港湾でストライキを始めた",
        "ストライキでフェリー会社は全便を欠航した",
        "船員の労働組合はフェリー会社と交渉している",
    ],
    "ko": [
        "항구에서 여객선 선원들이 파업을 시작했다",
        "여객선은 파업으로 사흘째 항구를 떠나지 못했다",
        "노동조합은 여객선 파업을 주말까지 이어간다고 밝혔다",
    ],
    "th": [
        "พนักงานเรือข้ามฟากนัดหยุดงานที่ท่าเรือ",
        "เรือข้ามฟากหยุดเดินเรือเพราะการนัดหยุดงานของพนักงาน",
        "สหภาพแรงงานของพนักงานเรือข้ามฟากประกาศนัดหยุดงานต่อ",
    ],
    "ar": [
        "بدأ بحارة العبارات إضرابا في الميناء",
        "والإضراب في الميناء أوقف العبارات ثلاثة أيام",
        "النقابة: الإضراب بالميناء مستمر وللعبارات موعد جديد",
    ],
    "hi": [
        "बंदरगाह पर नौका कर्मचारियों ने हड़ताल शुरू की",
        "हड़ताल के कारण नौका सेवा तीसरे दिन भी बंद रही",
        "यूनियन ने कहा कि नौका की हड़ताल जारी रहेगी",
    ],
}
BANK = {
    "zh": [
        "中央银行宣布利率不变",
        "银行行长谈利率和通货膨胀",
        "市场预期中央银行下调利率",
    ],
    "ja": [
        "中央銀行が金利を据え置いた",
        "銀行の総裁は金利とインフレを語った",
        "市場は金利の低下を見込む",
    ],
    "ko": [
        "중앙은행이 금리를 동결했다",
        "은행 총재는 금리와 물가를 말했다",
        "시장은 금리가 내린다고 본다",
    ],
    "th": [
        "ธนาคารกลางคงอัตราดอกเบี้ย",
        "ผู้ว่าการธนาคารพูดถึงดอกเบี้ยและเงินเฟ้อ",
        "ตลาดคาดว่าธนาคารจะลดดอกเบี้ย",
    ],
    "ar": [
        "البنك المركزي يثبت الفائدة",
        "محافظ البنك تحدث عن الفائدة والتضخم",
        "الأسواق تتوقع خفض الفائدة",
    ],
    "hi": [
        "केंद्रीय बैंक ने ब्याज दर नहीं बदली",
        "बैंक के गवर्नर ने ब्याज पर बात की",
        "बाज़ार को ब्याज दर घटने की उम्मीद",
    ],
}
WANTED = {
    "zh": {"渡轮", "罢工"},
    "ja": {"フェリー", "ストライキ"},
    "ko": {"여객선", "파업"},
    "th": {"เรือ", "พนักงาน"},
    "ar": {"العبارات", "الميناء"},
    "hi": {"नौका", "हड़ताल"},
}
FUNCTION = {
    "zh": "的 在 将 到 说 和",
    "ja": "の が で を は と した している 始めた",
    "ko": "은 는 이 가 을 를 에서 여객선은 파업을 항구에서 밝혔다",
    "th": "ที่ ของ เพราะ และ จะ",
    "ar": "في عن و وللعبارات بالميناء والإضراب",
    "hi": "पर ने की के कि भी में",
}


def found(language: str) -> list[str]:
    texts = FERRY[language] + BANK[language]
    terms = count_terms(texts, [language] * len(texts))
    return list(keywords(terms, np.array([0, 0, 0, 1, 1, 1], np.int32))[0])


@pytest.mark.parametrize("language", sorted(FERRY))
def test_keywords_are_words_without_function_words_and_endings(language):
    words = found(language)
    for wanted in WANTED[language]:
        assert any(wanted in word for word in words), (wanted, words)
    assert not set(FUNCTION[language].split()) & set(words)
    assert all(len(word) > 1 for word in words)


def test_every_tokenizer_is_installed_where_the_tests_run():
    packages = {name for names in segment._PACKAGES.values() for name in names}
    assert set(segment.tokenizer_versions()) == packages
    assert segment.tokenizer("ja").startswith("sudachipy ")


@pytest.fixture
def nothing_installed(monkeypatch):
    def version(package):
        raise importlib.metadata.PackageNotFoundError(package)

    monkeypatch.setattr(segment.importlib.metadata, "version", version)
    segment._versions.cache_clear()
    yield
    segment._versions.cache_clear()


def test_a_tokenizer_without_its_dictionary_is_none(monkeypatch, nothing_installed):
    def version(package):
        if package == "sudachidict-small":
            raise importlib.metadata.PackageNotFoundError(package)
        return "1.0"

    monkeypatch.setattr(segment.importlib.metadata, "version", version)
    assert (segment.tokenizer("ja"), segment.tokenizer("zh")) == ("", "rjieba 1.0")
    assert "sudachipy" not in segment.tokenizer_versions()


def test_outlets_name_no_cluster_in_scripts_without_spaces():
    articles = [
        Article(str(n), f"{title} 海港晚报", lang="zh", source="海港晚报")
        for n, title in enumerate(["渡轮罢工", "渡轮停运", "工会继续罢工"])
    ] + [Article("x", "中央银行利率", lang="zh", source="另一家")]
    terms = count_terms([a.title for a in articles], ["zh"] * 4)
    assert {"海港晚报", "海港", "晚报"} & set(terms.shown)
    left = without_outlets(terms, articles).shown
    assert not {"海港晚报", "海港", "晚报"} & set(left)
    assert "渡轮" in left


@pytest.mark.usefixtures("nothing_installed")
def test_without_tokenizers_there_are_keywords_and_the_result_says_of_what():
    assert "渡轮" in found("zh")
    assert "フェリー" in found("ja")
    assert any(word.startswith("여객선") for word in found("ko"))
    assert found("th")
    assert segment.words_found_by({"zh": 3, "ko": 1, "en": 6, "km": 1}) == {
        "km": "pairs of characters", "ko": "words with their endings", "zh": "pairs of characters"
    }  # fmt: skip
    sentence = segment.missing_in_words({"zh": 30, "ko": 10, "en": 60})
    assert sentence == (
        "40 of 100 texts are in Korean, Chinese: keywords are pairs of characters and words with "
        "their endings. For words: pip install 'newsnest[asian]'"
    )
    assert segment.missing_in_words({"zh": 1, "en": 199}) == ""
    assert segment.tokenizer_versions() == {}


def test_nothing_is_missing_that_is_installed():
    assert segment.missing_in_words({"zh": 30, "ko": 10, "ja": 60, "th": 3}) == ""


def test_phrases_are_joined_as_their_script_is_written():
    texts = ["大型货轮搁浅", "大型货轮获救", "港口下雨，渔民修理渔网", "市长访问学校和医院"]
    assert "大型货轮" in count_terms(texts, ["zh"] * 4).shown
    texts = [
        "서울 지하철이 멈췄다",
        "서울 지하철은 달린다",
        "어부와 학생, 시장과 병원",
        "부산 날씨와 구름",
    ]
    assert "서울 지하철" in count_terms(texts, ["ko"] * 4).shown


def test_no_phrase_goes_on_behind_a_korean_particle():
    texts = ["부두에서 어부가 웃었다", "부두에서 어부는 울었다", "날씨는 맑다"]
    assert not [term for term in count_terms(texts, ["ko"] * 3).shown if " " in term]


def test_a_text_of_one_language_within_another_is_cut_by_its_own():
    words = spellings("北京大学 AI 研究", segment.splitter("zh"))
    assert [word for word in words if word != segment.BREAK] == ["北京大学", "AI", "研究"]


@pytest.mark.parametrize(
    ("spelling", "language", "word"),
    [
        ("Türkiye’de", "tr", "Türkiye"),
        ("Ankara'nın", "tr", "Ankara"),
        ("EU:ssa", "fi", "EU"),
        ("USA:n", "fi", "USA"),
        ("EU:s", "sv", "EU"),
        ("NATO-hoz", "hu", "NATO"),
        ("co-pilot", "en", "co-pilot"),
        ("Rock'n'roll", "en", "Rock'n'roll"),
    ],
)
def test_endings_that_are_set_off_are_no_words(spelling, language, word):
    assert spellings(f"{spelling} x")[0] == spelling
    assert bare(spelling, language) == word


def test_a_colon_within_prose_is_no_part_of_a_word():
    assert spellings("Fire: three hurt at Bay:gate") == ["Fire", "\n", "three", "hurt", "at", "Bay",
                                                         "\n", "gate"]  # fmt: skip


@pytest.mark.parametrize(
    ("spelling", "known", "word"),
    [
        ("والحكومة", {"الحكومة": 1, "والحكومة": 9}, "الحكومة"),
        ("وبالحكومة", {"حكومة": 1, "بالحكومة": 1}, "الحكومة"),
        ("للحكومة", {"الحكومة": 1}, "الحكومة"),
        ("كاليفورنيا", {"كاليفورنيا": 3}, "كاليفورنيا"),
        ("وقال", {"قال": 3, "وقال": 1}, "قال"),
        ("وزير", {"وزير": 5}, "وزير"),
        ("والد", {"والد": 2}, "والد"),
        ("لبنان", {"لبنان": 4}, "لبنان"),
    ],
)
def test_arabic_letters_that_are_words_go_and_those_of_a_word_stay(spelling, known, word):
    assert without_proclitics(spelling, "ar", known) == word


def test_hebrew_letters_that_are_words_go_where_the_rest_is_known():
    assert without_proclitics("בממשלה", "he", {"ממשלה": 2, "בממשלה": 1}) == "ממשלה"
    assert without_proclitics("בחירות", "he", {"בחירות": 2}) == "בחירות"


def test_arabic_words_count_as_one_with_and_without_article_and_signs():
    assert {arabic_key(word) for word in ("الإنتخابات", "انتخابات", "الانتخابات", "إِنتخابات")} == {
        "انتخابات"
    }


def test_a_persian_word_is_one_with_and_without_its_non_joiner():
    assert word_key("می\u200cشود") == word_key("میشود")
    assert word_key("می\u200cشود") in stop_words("fa")


def test_serbian_has_the_stop_words_of_croatian_in_both_scripts():
    assert {"je", "је", "nije", "није"} <= stop_words("sr")
    assert stop_words("bs") == stop_words("hr")


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("हिन्दी में ख़बर", 3),
        ("ธนาคารกลางคงอัตราดอกเบี้ยนโยบาย", 7),
        ("渡轮工人在海港举行罢工", 6),
        ("フェリーの船員", 3),
        ("বন্দরে ফেরি বন্ধ", 3),
    ],
)
def test_marks_make_no_words_of_their_own(sentence, words):
    assert word_count(sentence) == words


def test_a_hindi_and_a_thai_sentence_may_be_quoted():
    assert is_quotable("बंदरगाह पर नौका कर्मचारियों ने हड़ताल शुरू की और कहा कि काम बंद रहेगा।")
    assert is_quotable("พนักงานเรือข้ามฟากนัดหยุดงานที่ท่าเรือและบอกว่าจะไม่กลับไปทำงาน")
