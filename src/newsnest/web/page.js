"use strict";
/* Filters, the list, the reading pane and the address. Words are set as text, never as markup. */
(function () {
  const { data, total, number, plural } = newsnest;
  const { nodes, stories } = data;
  const one = (selector, within) => (within || document).querySelector(selector);
  const all = (selector, within) => [...(within || document).querySelectorAll(selector)];
  const form = one(".filters"), pane = one(".pane"), section = one("#story"), list = one("#list");
  const rows = [], branches = [];
  all(".story", list).forEach((row) => { rows[+row.dataset.s] = row; });
  all(".branch", list).forEach((branch) => { branches[+branch.dataset.n] = branch; });
  const branchSizes = branches.map((branch) => one(".size", branch).textContent);
  const wide = matchMedia("(min-width: 1080px)");
  let chosen = -1, matches = null, opener = null, haystacks = null, writing = false;

  const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  function make(tag, text, settings) {
    const element = document.createElement(tag);
    if (text !== undefined && text !== null) element.textContent = text;
    Object.entries(settings || {}).forEach(([name, value]) => { if (value) element.setAttribute(name, value); });
    return element;
  }

  /* ── dates and languages in words ─────────────────────────────────────────────────────── */
  const dayFormat = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
  const timeFormat = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: "UTC" });
  const day = (seconds) => dayFormat.format(new Date(seconds * 1000));
  const moment = (seconds) => day(seconds) + (seconds % 86400 ? ", " + timeFormat.format(new Date(seconds * 1000)) : "");
  let languageNames = null;
  try { languageNames = new Intl.DisplayNames(["en"], { type: "language" }); } catch { languageNames = null; }
  function language(code) {
    try { return languageNames ? languageNames.of(code) : code; } catch { return code; }
  }

  /* ── the story chosen ─────────────────────────────────────────────────────────────────── */
  function source(item) {
    return [item[1] >= 0 ? data.outlets[item[1]] : "", item[3] === null ? "" : moment(item[3])]
      .filter(Boolean).join(" · ");
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
    const from = make("span", source(item), { class: "from" });
    if (item[5] === -2 || item[5] >= 0) from.prepend(make("span", "copy", { class: "tag" }), " ");
    entry.append(from);
    if (item[6]) {
      const fold = make("details", null, { class: "copies" });
      const unseen = item[6] - copies.length;
      fold.append(make("summary", `${number(item[6])} cop${item[6] === 1 ? "y" : "ies"}`));
      if (copies.length) {
        const inner = make("ul");
        copies.forEach(([copy, at]) => inner.append(articleEntry(copy, at, [])));
        fold.append(inner);
      }
      if (unseen > 0) fold.append(make("p", `${number(unseen)} not listed on this page.`, { class: "from" }));
      entry.append(fold);
    }
    return entry;
  }
  function summaryList(i) {
    const box = make("ul", null, { class: "summary" });
    stories.summary[i].forEach(([text, id]) => {
      const place = data.items[i].findIndex((item) => item[7] === id);
      const item = data.items[i][place];
      const line = make("li", null, { dir: "auto", lang: item && item[2] >= 0 ? data.languages[item[2]] : "" });
      line.append(text + " ");
      if (item) {
        const link = make("a", (item[1] >= 0 ? data.outlets[item[1]] : "source") + " ↓",
          { href: `#article-${place}`, class: "quoted", lang: "en", "aria-label": `Source: ${item[0]}` });
        link.addEventListener("click", (event) => { event.preventDefault(); showArticle(place); });
        line.append(link);
      }
      box.append(line);
    });
    return box;
  }
  function showArticle(place) {
    const entry = document.getElementById(`article-${place}`);
    for (let at = entry.closest("details"); at; at = at.parentElement.closest("details")) at.open = true;
    entry.scrollIntoView({ block: "center", behavior: newsnest.reduced.matches ? "auto" : "smooth" });
    entry.focus({ preventScroll: true });
  }
  function path(i) {
    const names = [];
    for (let at = stories.parent[i]; at >= 0; at = nodes.parent[at]) names.unshift(at);
    const line = make("p", null, { class: "path" });
    names.forEach((at, n) => {
      if (n) line.append(" › ");
      line.append(make("a", nodes.name[at] || "Unnamed", { href: `#${nodes.level[at]}-${nodes.label[at]}`, dir: "auto" }));
    });
    return line;
  }
  function fill(i) {
    const items = data.items[i];
    const dates = stories.first[i] === null ? "" : day(stories.first[i]) === day(stories.last[i]) ?
      day(stories.first[i]) : `${day(stories.first[i])} – ${day(stories.last[i])}`;
    section.id = `${data.finest}-${stories.label[i]}`;
    section.style.setProperty("--own", newsnest.colour(newsnest.theme[i]));
    const title = make("h2", stories.name[i] || "Unnamed", { dir: "auto", id: "story-title", lang: rows[i].querySelector("a").lang });
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
      `${number(items.length)} of ${number(stories.articles[i])} articles ${items.length === 1 ? "is" : "are"} listed.`, { class: "hint" }));
  }
  function openStory(i, focus) {
    if (i < 0 || i >= total) return;
    if (chosen >= 0) rows[chosen].classList.remove("chosen");
    chosen = i;
    fill(i);
    rows[i].classList.add("chosen");
    pane.classList.add("open");
    pane.scrollTop = 0;
    document.body.classList.toggle("reading", !wide.matches);
    if (focus) section.focus({ preventScroll: wide.matches });
    drawMap();
  }
  function closeStory() {
    pane.classList.remove("open");
    document.body.classList.remove("reading");
    writeAddress("");
    if (opener && opener.isConnected) opener.focus();
  }
  function reveal(node) {
    for (let at = node; at >= 0; at = nodes.parent[at]) branches[at].open = true;
  }

  /* ── filters ──────────────────────────────────────────────────────────────────────────── */
  const value = (name) => form.elements[name] ? form.elements[name].value : "";
  function readFilters() {
    const from = value("from"), to = value("to");
    return {
      words: fold(value("q")).split(/\s+/).filter(Boolean), outlet: value("outlet"), lang: value("lang"),
      from: from ? Date.parse(from + "T00:00:00Z") / 1000 : null,
      to: to ? Date.parse(to + "T00:00:00Z") / 1000 + 86400 : null,
    };
  }
  function search(i) {
    if (!haystacks) haystacks = stories.name.map((name, at) => fold([name, ...stories.keywords[at],
      ...data.items[at].map((item) => item[0])].join("\n")));
    return haystacks[i];
  }
  function match(filters, sums) {
    const outlet = filters.outlet === "" ? null : +filters.outlet;
    const tongue = filters.lang === "" ? null : +filters.lang;
    const dated = filters.from !== null || filters.to !== null;
    return stories.name.map((_, i) => {
      if (filters.words.length) {
        const text = search(i);
        if (!filters.words.every((word) => text.includes(word))) return 0;
      }
      let count = 0;
      const cells = data.cells[i], row = sums[newsnest.slot(newsnest.theme[i])];
      for (let at = 0; at < cells.length; at += 4) {
        const time = cells[at + 2];
        if (outlet !== null && cells[at] !== outlet) continue;
        if (tongue !== null && cells[at + 1] !== tongue) continue;
        if (dated && (time === null || (filters.from !== null && time * data.bin < filters.from) ||
            (filters.to !== null && time * data.bin >= filters.to))) continue;
        count += cells[at + 3];
        if (time !== null) row.push(time, cells[at + 3]);
      }
      return count;
    });
  }
  function apply(moved) {
    const filters = readFilters();
    const active = filters.words.length || filters.outlet || filters.lang || filters.from !== null || filters.to !== null;
    const sums = Array.from({ length: data.colours + 1 }, () => []);
    matches = active ? match(filters, sums) : null;
    showList();
    form.classList.toggle("active", Boolean(active));
    if (moved) writeAddress();
    draw(matches ? sums : data.timeline);
  }
  function showList() {
    const found = nodes.name.map(() => [0, 0]);
    let number_of = 0, articles = 0;
    stories.name.forEach((_, i) => {
      const n = matches ? matches[i] : stories.articles[i];
      rows[i].hidden = n === 0;
      const note = one(".size", rows[i]);
      note.textContent = matches && n < stories.articles[i] ? `${number(n)} of ${note.dataset.size}` : note.dataset.size;
      if (!n) return;
      number_of += 1; articles += n;
      for (let at = stories.parent[i]; at >= 0; at = nodes.parent[at]) { found[at][0] += 1; found[at][1] += n; }
    });
    branches.forEach((branch, at) => {
      branch.hidden = found[at][0] === 0;
      one(".size", branch).textContent = matches ? `${number(found[at][0])} ${plural(data.finest, found[at][0])}, ` +
        `${number(found[at][1])} article${found[at][1] === 1 ? "" : "s"}` : branchSizes[at];
      if (matches && number_of <= 40) branch.open = true;
    });
    one(".nothing", list).hidden = number_of > 0;
    one(".found", form).textContent = matches ? `${number(number_of)} of ${number(total)} ${plural(data.finest, total)} ${number_of === 1 ? "matches" : "match"}, ` +
      `${number(articles)} article${articles === 1 ? "" : "s"}` :
      `${number(total)} ${plural(data.finest, total)}, ${number(articles)} article${articles === 1 ? "" : "s"}`;
  }

  /* ── pictures ─────────────────────────────────────────────────────────────────────────── */
  let latest = data.timeline, queued = 0;
  function choose(i) { opener = rows[i].querySelector("a"); writeAddress(`${data.finest}-${stories.label[i]}`); openStory(i, true); }
  function fromTree(pick) {
    if (pick.story !== undefined) return choose(pick.story);
    if (pick.node >= 0) reveal(pick.node);
    return writeAddress(pick.node >= 0 ? `${nodes.level[pick.node]}-${nodes.label[pick.node]}` : "");
  }
  function drawMap() {
    if (one("#map").wired) newsnest.drawMap(matches, chosen, choose);
  }
  function draw(time) {
    latest = time;
    cancelAnimationFrame(queued);
    // One picture a frame: the list and the page stay usable between them.
    const jobs = [() => newsnest.drawNest(matches, fromTree), () => newsnest.drawMap(matches, chosen, choose),
      () => newsnest.drawTime(latest, Boolean(matches))];
    const next = () => {
      const job = jobs.shift();
      if (job) job();
      if (jobs.length) queued = requestAnimationFrame(next);
      else document.documentElement.dataset.ready = "yes";
    };
    queued = requestAnimationFrame(next);
  }

  /* ── the address: #story-12&q=…&outlet=…&lang=…&from=…&to=… ───────────────────────────── */
  let target = "";
  function writeAddress(place) {
    if (place !== undefined) target = place;
    const parts = target ? [target] : [];
    const put = (name, text) => { if (text) parts.push(`${name}=${encodeURIComponent(text)}`); };
    put("q", value("q").trim());
    put("outlet", value("outlet") === "" ? "" : value("outlet") === "-1" ? "(other)" : data.outlets[+value("outlet")]);
    put("lang", value("lang") === "" ? "" : data.languages[+value("lang")]);
    put("from", value("from"));
    put("to", value("to"));
    writing = true;
    history.replaceState(null, "", parts.length ? "#" + parts.join("&") : location.pathname + location.search);
    writing = false;
  }
  function readAddress(focus) {
    const got = {};
    let place = "";
    location.hash.slice(1).split("&").forEach((part) => {
      const cut = part.indexOf("=");
      try {
        if (cut < 0) place = decodeURIComponent(part);
        else got[part.slice(0, cut)] = decodeURIComponent(part.slice(cut + 1));
      } catch { /* an address cut in the middle of a letter says nothing */ }
    });
    form.elements.q.value = got.q || "";
    const index = (names, name, limit) => { const at = name ? names.indexOf(name) : -1; return at < 0 || at >= limit ? "" : String(at); };
    form.elements.outlet.value = got.outlet === "(other)" ? "-1" : index(data.outlets, got.outlet, data.filterable);
    form.elements.lang.value = index(data.languages, got.lang, data.languages.length);
    if (form.elements.from) { form.elements.from.value = got.from || ""; form.elements.to.value = got.to || ""; }
    go(place, focus);
  }
  function go(place, focus) {
    const cut = place.lastIndexOf("-");
    const level = place.slice(0, cut), label = +place.slice(cut + 1);
    target = "";
    if (level === data.finest) {
      const i = stories.label.indexOf(label);
      if (i >= 0) { target = place; openStory(i, focus); }
      else {
        section.replaceChildren(make("h2", `Not on this page`), make("p", `${place} is not among the ` +
          `${number(total)} ${plural(data.finest, total)} shown here.`));
        pane.classList.add("open");
      }
      return;
    }
    const node = nodes.label.findIndex((n, at) => n === label && nodes.level[at] === level);
    if (node < 0) return;
    target = place;
    reveal(node);
    newsnest.zoomNest(node);
    document.body.classList.remove("reading");
    pane.classList.toggle("open", wide.matches);
    branches[node].scrollIntoView({ block: "start" });
    one("summary", branches[node]).focus({ preventScroll: true });
  }

  /* ── start ────────────────────────────────────────────────────────────────────────────── */
  function option(select, text, which) { select.append(make("option", text, { value: String(which) })); }
  data.outlets.slice(0, data.filterable).forEach((name, i) => option(form.elements.outlet, name, i));
  if (data.cells.some((cells) => cells.some((v, at) => at % 4 === 0 && v === -1))) {
    option(form.elements.outlet, "other outlets, or none named", -1);
  }
  data.languages.forEach((code, i) => option(form.elements.lang, `${language(code)}`, i));
  branches.forEach((branch, at) => branch.style.setProperty("--own", newsnest.colour(newsnestTop(at))));
  function newsnestTop(at) { while (nodes.parent[at] >= 0) at = nodes.parent[at]; return at; }
  all(".needs-script").forEach((element) => { element.hidden = false; });

  let typing = 0;
  form.addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(() => apply(true), 150); });
  form.addEventListener("submit", (event) => { event.preventDefault(); apply(true); });
  form.addEventListener("reset", () => setTimeout(() => apply(true)));
  list.addEventListener("click", (event) => {
    const link = event.target.closest(".story a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    choose(+link.parentElement.dataset.s);
  });
  one(".close", pane).addEventListener("click", closeStory);
  addEventListener("keydown", (event) => { if (event.key === "Escape" && document.body.classList.contains("reading")) closeStory(); });
  one("#open-all").addEventListener("click", () => branches.forEach((branch) => { branch.open = true; }));
  one("#close-all").addEventListener("click", () => branches.forEach((branch) => { branch.open = false; }));
  addEventListener("hashchange", () => { if (!writing) { readAddress(true); apply(false); } });
  const redraw = () => {
    branches.forEach((branch, at) => branch.style.setProperty("--own", newsnest.colour(newsnestTop(at))));
    draw(latest);
  };
  newsnest.darkness.addEventListener("change", redraw);
  newsnest.narrow.addEventListener("change", redraw);
  wide.addEventListener("change", () => document.body.classList.toggle("reading", false));
  readAddress(false);
  if (chosen < 0 && !section.hasChildNodes() && wide.matches) openStory(0, false);
  apply(false);
})();
