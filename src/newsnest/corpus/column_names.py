"""The usual names of columns: crawlers, archives, databases, data sets and many languages.

One table. Case, accents, spaces and punctuation do not count: `date_publish`, `datePublish` and
`Date Publish` are one name, and so are `source.title` and `source_title`.
"""

USUAL: dict[str, str] = {
    "id": "id _id idstr guid uid uuid uniqueid articleid docid documentid newsid storiesid postid "
    "itemid entryid nid gkgrecordid resourceid resultid storeid accessionnumber identifier "
    "identifiant identifikator идентификатор 뉴스식별자",
    "title": "title headline heading articletitle newstitle newsheadline headlinetext "
    "headlinemain titlerendered webtitle posttitle itemtitle entrytitle ogtitle doctitle "
    "documenttitle storytitle articleheadline mainheadline fieldsheadline titles headlines "
    "titletext titlepage titlerss pagetitle titre titredelarticle intitulé titel überschrift "
    "schlagzeile título titular encabezado titolo titoloarticolo manchete kop rubrik overskrift "
    "tittel otsikko tytuł tytul nagłówek naglowek nadpis titulek název názov naslov titlu cím "
    "főcím τίτλος başlık haberbaşlığı заголовок заглавие название назва عنوان العنوان عنوانالخبر "
    "تیتر כותרת शीर्षक 标题 標題 题目 題目 新闻标题 新聞標題 タイトル 見出し 記事見出し 件名 제목 "
    "기사제목 tiêuđề judul tajuk หัวข้อ",
    "text": "text body content fulltext articletext articlebody articlecontent maintext plaintext "
    "cleanedtext cleantext bodytext contenttext textcontent fieldsbodytext newscontent newstext "
    "newsbody storytext storybody postcontent contentrendered contentencoded documentcontent "
    "pagetext selftext rawtext article document doc contenthtml bodyhtml fieldsbody articlehtml "
    "texte textecomplet texteintégral corps corpsdutexte contenu inhalt volltext artikeltext "
    "texto cuerpo contenido textocompleto testo testoarticolo contenuto conteúdo corpo tekst "
    "inhoud artikel brödtext innehåll brødtekst indhold innhold teksti leipäteksti sisältö treść "
    "tresc obsah sadržaj conținut szöveg tartalom κείμενο περιεχόμενο metin içerik haber текст "
    "текстстатьи содержание зміст текстстатті نص النص محتوى المحتوى متن متنخبر טקסט תוכן पाठ "
    "सामग्री लेख 正文 内容 內容 全文 新闻内容 新聞內容 本文 記事本文 記事 본문 내용 기사본문 "
    "nộidung vănbản isi isiberita teks konten เนื้อหา sentence message news",
    "summary": "summary description abstract lead leadparagraph teaser excerpt snippet standfirst "
    "dek subtitle shortdescription metadescription descriptiontext ogdescription trailtext "
    "fieldstrailtext excerptrendered postexcerpt abstractnote openingtext hitsentence highlights "
    "deck subheadline subheading subhead intro firstparagraph résumé chapo chapô chapeau accroche "
    "soustitre sommaire zusammenfassung beschreibung vorspann untertitel anleser resumen "
    "entradilla bajada copete resumo sumario linhafina lide sommario riassunto occhiello "
    "sottotitolo samenvatting ingress manchet ingressi tiivistelmä streszczenie perex souhrn "
    "shrnutí sažetak rezumat összefoglaló περίληψη özet аннотация анонс анотація ملخص الملخص "
    "خلاصه תקציר सारांश 摘要 简介 簡介 要約 概要 요약 tómtắt ringkasan",
    "lang": "lang language languagecode langcode locale inlanguage metalang articlelanguage "
    "newslanguage detectedlanguage languagename langue idioma língua lengua lingua sprache taal "
    "sprog språk kieli język jezyk jazyk limba nyelv γλώσσα dil язык мова لغة اللغة زبان שפה भाषा "
    "语言 語言 言語 언어 ngônngữ bahasa",
    "date": "datetimepub date published publishedat pubdate publishdate publicationdate "
    "publishedtime publishtime publicationtime datepublished datepublish publisheddate "
    "publishedon publishedutc publishedatutc firstpublished firstpublishedat firstpublicationdate "
    "dateofpublication webpublicationdate articlepublishedtime articledate newsdate storydate "
    "postdate postdategmt dategmt publishdatetimeutc datefirstpublished issuedate dateissued "
    "issued datetime timestamp timestampusec time v21date v1date seendate mentiontimedate "
    "releasedate postedat postedon dateposted posted postcreated datepublication "
    "datedepublication datedeparution dateparution datedediffusion datum erscheinungsdatum "
    "veröffentlichungsdatum veröffentlicht veröffentlichtam erschienen fecha fechapublicación "
    "fechadepublicación datapublicação datadepublicação datadipubblicazione datapubblicazione "
    "data publicatiedatum publiceringsdatum publicerad dato udgivelsesdato publiseringsdato "
    "publisert päivämäärä julkaisupäivä julkaistu datapublikacji datumvydání datumobjavljivanja "
    "datapublicării dátum megjelenés ημερομηνία ημερομηνίαδημοσίευσης tarih yayıntarihi дата "
    "датапубликации датапублікації تاريخ التاريخ تاريخالنشر تاریخ تاریخانتشار תאריך תאריךפרסום "
    "दिनांक तारीख तिथि प्रकाशनतिथि 日期 时间 時間 发布时间 發布時間 发布日期 發布日期 发表时间 "
    "出版日期 日付 日時 掲載日 公開日 公開日時 配信日時 発行日 날짜 일자 작성일 게재일 발행일 "
    "등록일 ngày ngàyđăng ngàyxuấtbản tanggal tanggalterbit tarikh วันที่ created createdat "
    "createdtime createdutc createddate datecreated firstcreated versioncreated updated updatedat "
    "updateddate dateupdated lastupdated modified modifiedat modifieddate datemodified datemodify "
    "lastmodified postmodified isodate day",
    "source": "source outlet publisher publication newspaper sourcename sourcetitle "
    "sourcecommonname v2sourcecommonname outletname publishername publicationname "
    "publicationtitle pubtitle newspapername medianame mentionsourcename newssource newsoutlet "
    "sitename sourcehostname metasitename ogsitename feedtitle feedname origintitle channelname "
    "journaltitle journalname namesource site journal feed agency newsagency provider pagename "
    "support éditeur quelle zeitung zeitungsname medium fuente medio periódico diario fonte "
    "jornal veículo testata giornale quotidiano bron krant källa tidning kilde medie avis lähde "
    "lehti źródło zrodlo gazeta zdroj deník izvor sursă sursa publicație ziar forrás újság πηγή "
    "εφημερίδα kaynak gazete источник издание сми джерело видання змі مصدر المصدر الصحيفة صحيفة "
    "منبع روزنامه خبرگزاری מקור עיתון स्रोत अख़बार समाचारपत्र 来源 來源 媒体 媒體 报纸 報紙 "
    "新闻来源 媒体名 出典 情報源 新聞 新聞名 掲載紙 メディア 출처 언론사 매체 매체명 신문사 nguồn "
    "báo sumber koran sourcedomain domain domainname hostname host cleanurl fulldomain website",
    "url": "url link permalink href canonicalurl canonicallink weburl articleurl newsurl storyurl "
    "pageurl articlelink newslink documentidentifier v2documentidentifier mentionidentifier "
    "documenturl respondedurl requestedurl finalurl originalurl ogurl itemurl sourceurl lien "
    "enlace collegamento länk lenke linkki odkaz σύνδεσμος bağlantı ссылка посилання رابط الرابط "
    "لینک קישור लिंक 链接 鏈接 連結 网址 網址 リンク 링크 liênkết đườngdẫn tautan",
}
"""Our name → the names it goes by, the more telling first; the next ones fill gaps."""

WHEN_READ = (
    "datedownload downloaddate downloadedat datedownloaded crawldate crawledat crawltime "
    "crawled datecrawled fetchdate fetchedat fetchtime fetched scrapedate scrapedat scrapetime "
    "scraped datescraped retrieved retrievedat retrievaldate dateretrieved accessed accessedat "
    "accessdate indexedat indexdate indexeddate collectedat collectedon collectdate"
)
"""When a program read an article."""

WHEN_CHANGED = (
    "updated updatedat updatedate updateddate dateupdated modified modifiedat modifieddate "
    "modificationdate datemodified datemodify lastmodified lastupdated lastupdate"
)
"""When its outlet changed it."""

LAST_RESORT: dict[str, str] = {
    # GDELT keeps titles in there.
    "title": "extras v2extrasxml v21extrasxml extrasxml",
    "text": "html rawhtml",
    # When something was fetched or kept, not when it appeared.
    "date": f"{WHEN_READ} downloaded scrapingdate dateofscraping crawltimemsec dateaccessed added "
    "addedat dateadded timeadded inserted insertedat indexed loaddate collected collectiondate "
    "collectionutc datecollected filedate parsedate entrydate firstseen lastseen archived "
    "archivedat warcdate ingestedat",
    "source": "media",  # an outlet, as in French, or a picture
    "url": "uri source address adresse адрес 주소",  # an address, or the name of something else
}
"""Our name → names that are used only in rows that have no usual one, with a notice."""

CODES: dict[str, str] = {
    "an": "id",
    "hd": "title",
    "ti": "title",
    "td": "text",
    "lp": "summary",
    "ab": "summary",
    "la": "lang",
    "pd": "date",
    "sn": "source",
    "so": "source",
    "ur": "url",
}
"""The codes of Factiva and its like, which are names only where three or more stand together."""
