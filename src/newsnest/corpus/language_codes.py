"""Language codes made one kind: of one length, one for each written language."""

import re

_UNSPECIFIED = frozenset(
    ("und", "unk", "unknown", "none", "null", "nan", "mul", "zxx", "n/a", "-", "xx")
)
_CODE = re.compile(r"([a-z]{2,3})(?:[-_][a-z0-9]+)*")

# ISO 639-2 and 639-3 → 639-1, for the languages news is commonly labelled with; withdrawn codes;
# and what is written alike, of which the detector takes one for the other: the Chinese and Arabic
# of places, both written norms of Norwegian.
_SHORT_CODES = (
    "acm:ar acq:ar aeb:ar afb:ar afr:af ajp:ar alb:sq als:sq amh:am apc:ar apd:ar ara:ar arb:ar "
    "arm:hy arq:ar ars:ar ary:ar arz:ar asm:as ayl:ar aze:az azj:az baq:eu bel:be ben:bn bod:bo "
    "bos:bs bre:br bul:bg bur:my cat:ca ces:cs chi:zh cjy:zh cmn:zh cos:co cym:cy cze:cs dan:da "
    "deu:de dut:nl ekk:et ell:el eng:en epo:eo est:et eus:eu fao:fo fas:fa fil:tl fin:fi fra:fr "
    "fre:fr fry:fy gan:zh gaz:om geo:ka ger:de gla:gd gle:ga glg:gl gre:el guj:gu hau:ha hbs:hr "
    "heb:he hin:hi hrv:hr hsn:zh hun:hu hye:hy ibo:ig ice:is in:id ind:id isl:is ita:it iw:he "
    "jav:jv ji:yi jpn:ja jw:jv kan:kn kat:ka kaz:kk khk:mn khm:km kin:rw kir:ky kmr:ku kor:ko "
    "kur:ku lao:lo lat:la lav:lv lin:ln lit:lt ltz:lb lug:lg lvs:lv lzh:zh mac:mk mal:ml mar:mr "
    "may:ms mkd:mk mlg:mg mlt:mt mo:ro mol:ro mon:mn msa:ms mya:my nb:no nep:ne nld:nl nn:no "
    "nno:no nob:no nor:no npi:ne oci:oc ori:or orm:om ory:or pan:pa pbt:ps pbu:ps per:fa pes:fa "
    "plt:mg pol:pl por:pt prs:fa pus:ps ron:ro rum:ro run:rn rus:ru san:sa scc:sr scr:hr "
    "sdh:ckb sh:hr sin:si slk:sk slo:sk slv:sl sna:sn snd:sd som:so spa:es sqi:sq srp:sr sun:su "
    "swa:sw swe:sv swh:sw tam:ta tat:tt tel:te tgk:tg tgl:tl tha:th tib:bo tir:ti tuk:tk tur:tr "
    "uig:ug ukr:uk urd:ur uzb:uz uzn:uz vie:vi wel:cy wuu:zh xho:xh ydd:yi yid:yi yor:yo yue:zh "
    "zho:zh zsm:ms zul:zu"
)
_SHORT = dict(pair.split(":") for pair in _SHORT_CODES.split())
_NAMES = (
    "english:en anglais:en inglés:en french:fr français:fr francés:fr spanish:es español:es "
    "espagnol:es german:de deutsch:de allemand:de italian:it italiano:it italien:it "
    "portuguese:pt português:pt portugais:pt dutch:nl nederlands:nl russian:ru русский:ru "
    "arabic:ar العربية:ar chinese:zh 中文:zh japanese:ja 日本語:ja korean:ko turkish:tr "
    "polish:pl swedish:sv hindi:hi ukrainian:uk greek:el"
)
_NAMED = dict(pair.split(":") for pair in _NAMES.split())


_TOGETHER = {"bs": "hr", "cnr": "hr", "ms": "id"}


def normalise_language(given: str) -> str | None:
    """Return the ISO 639-1 code ("EN-us" → "en"), "" if unspecified, None if it is not a code.

    Codes of three letters stay as they are where there is no shorter one. Chinese, Arabic and
    Norwegian have one code each, whichever of theirs is given ("yue", "zh-TW", "nb").

    Examples
    --------
    >>> normalise_language("EN-us"), normalise_language("wuu"), normalise_language("und")
    ('en', 'zh', '')
    """
    code = given.strip().lower()
    if not code or code in _UNSPECIFIED:
        return ""
    if code in _NAMED:
        return _NAMED[code]
    found = _CODE.fullmatch(code)
    if found is None:
        return None
    return _SHORT.get(found[1], found[1]) if found[1] not in _UNSPECIFIED else ""


def language_group(code: str) -> str:
    """Return the language under which texts are centred: another for those a detector confuses.

    These are Bosnian and Montenegrin, grouped with Croatian, and Malay, with Indonesian.

    Examples
    --------
    >>> language_group("bs"), language_group("fr")
    ('hr', 'fr')
    """
    return _TOGETHER.get(code, code)
