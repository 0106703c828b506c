"use strict";
/* One story with its sources, for the reading pane. */
newsnest.fillStory = (function () {
  const { data, make, number, count, day, moment } = newsnest;
  const { nodes, stories } = data;

  /* An outlet may be written from right to left, and must not turn the date beside it around. */
  function source(item) {
    const from = make("span", null, { class: "from" }), date = item[3] === null ? "" : moment(item[3]);
    if (item[1] >= 0) from.append(make("bdi", data.outlets[item[1]]), date ? " · " : "");
    from.append(date);
    return from;
  }
  function headline(item) {
    const settings = { dir: "auto", lang: item[2] >= 0 ? data.languages[item[2]] : "" };
    const text = item[0] || "Untitled";
    return /^https?:\/\//i.test(item[4]) ? make("a", text, Object.assign(settings,
      { href: item[4], rel: "noopener noreferrer", target: "_blank" })) : make("span", text, settings);
  }
  function articleEntry(item, place, copies) {
    const entry = make("li", null, { class: "article", id: `article-${place}`, tabindex: "-1" });
    entry.append(headline(item));
    const from = source(item);
    if (item[5] === -2 || item[5] >= 0) from.prepend(make("span", "copy", { class: "tag" }), " ");
    entry.append(from);
    if (item[6]) {
      const more = make("details", null, { class: "copies" });
      const unseen = item[6] - copies.length;
      more.append(make("summary", `${number(item[6])} cop${item[6] === 1 ? "y" : "ies"}`));
      if (copies.length) {
        const inner = make("ul");
        copies.forEach(([copy, at]) => inner.append(articleEntry(copy, at, [])));
        more.append(inner);
      }
      if (unseen > 0) more.append(make("p", `${number(unseen)} not listed on this page.`, { class: "from" }));
      entry.append(more);
    }
    return entry;
  }
  function showArticle(place) {
    const entry = document.getElementById(`article-${place}`);
    for (let at = entry.closest("details"); at; at = at.parentElement.closest("details")) at.open = true;
    entry.scrollIntoView({ block: "center", behavior: newsnest.reduced.matches ? "auto" : "smooth" });
    entry.focus({ preventScroll: true });
  }
  function summaryList(i) {
    const box = make("ul", null, { class: "summary" });
    stories.summary[i].forEach(([text, id]) => {
      const place = data.items[i].findIndex((item) => item[7] === id);
      const item = data.items[i][place];
      const line = make("li", null, { dir: "auto", lang: item && item[2] >= 0 ? data.languages[item[2]] : "" });
      line.append(text + " ");
      if (item) {
        const link = make("a", null,
          { href: `#article-${place}`, class: "quoted", lang: "en", "aria-label": `Source: ${item[0]}` });
        link.append(make("bdi", item[1] >= 0 ? data.outlets[item[1]] : "source"), " ↓");
        link.addEventListener("click", (event) => { event.preventDefault(); showArticle(place); });
        line.append(link);
      }
      box.append(line);
    });
    return box;
  }
  function path(i) {
    const names = [];
    for (let at = stories.parent[i]; at >= 0; at = nodes.parent[at]) names.unshift(at);
    const line = make("p", null, { class: "path" });
    // A topic of one story has its name, which is not repeated.
    names.filter((at, n) => nodes.name[at] !== (n + 1 < names.length ? nodes.name[names[n + 1]] : stories.name[i])).forEach((at, n) => {
      if (n) line.append(" › ");
      line.append(make("a", nodes.name[at] || "Unnamed", { href: `#${nodes.level[at]}-${nodes.label[at]}`, dir: "auto" }));
    });
    return line;
  }
  return function fillStory(section, i, lang) {
    const items = data.items[i];
    const dates = stories.first[i] === null ? "" : day(stories.first[i]) === day(stories.last[i]) ?
      day(stories.first[i]) : `${day(stories.first[i])} – ${day(stories.last[i])}`;
    section.id = `${data.finest}-${stories.label[i]}`;
    section.style.setProperty("--own", newsnest.colour(newsnest.theme[i]));
    const title = make("h2", stories.name[i] || "Unnamed", { dir: "auto", id: "story-title", lang });
    const facts = make("p", newsnest.size(stories.articles[i], stories.independent[i]) + (dates ? ` · ${dates}` : ""), { class: "facts" });
    section.replaceChildren(path(i), title, facts);
    if (stories.keywords[i].length) {
      const words = make("ul", null, { class: "keywords", "aria-label": "Keywords" });
      stories.keywords[i].forEach((word) => words.append(make("li", word, { dir: "auto" })));
      section.append(words);
    }
    if (stories.summary[i].length) section.append(make("h3", "In short"), summaryList(i));
    section.append(make("h3", "Articles"));
    const copies = items.map(() => []);
    items.forEach((item, at) => { if (item[5] >= 0) copies[item[5]].push([item, at]); });
    const entries = make("ol", null, { class: "articles" });
    items.forEach((item, at) => { if (item[5] < 0) entries.append(articleEntry(item, at, copies[at])); });
    section.append(entries);
    if (items.length < stories.articles[i]) section.append(make("p",
      `${number(items.length)} of ${count(stories.articles[i], "article")} ${items.length === 1 ? "is" : "are"} listed.`, { class: "hint" }));
  };
})();
