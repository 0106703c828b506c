"use strict";
/* The filters: what the form says, what matches it, and the list that shows it. */
newsnest.filters = (function () {
  const { data, make, total, number, count, plural, slot, theme } = newsnest;
  const { nodes, stories } = data;
  const one = (selector, within) => (within || document).querySelector(selector);
  const form = one(".filters"), list = one("#list");
  const rows = [], branches = [];
  list.querySelectorAll(".story").forEach((row) => { rows[+row.dataset.s] = row; });
  list.querySelectorAll(".branch").forEach((branch) => { branches[+branch.dataset.n] = branch; });
  const branchSizes = branches.map((branch) => one(".size", branch).textContent);

  let languageNames = null;
  try { languageNames = new Intl.DisplayNames(["en"], { type: "language" }); } catch { languageNames = null; }
  function language(code) {
    try { return languageNames ? languageNames.of(code) : code; } catch { return code; }
  }
  const option = (select, text, which) => select && select.append(make("option", text, { value: String(which) }));
  data.outlets.slice(0, data.filterable).forEach((name, i) => option(form.elements.outlet, name, i));
  if (data.cells.some((cells) => cells.some((v, at) => at % 4 === 0 && v === -1))) {
    option(form.elements.outlet, "other outlets, or none named", -1);
  }
  data.languages.forEach((code, i) => option(form.elements.lang, language(code), i));

  const value = (name) => {
    const field = form.elements[name];
    return !field ? "" : field.type === "checkbox" ? (field.checked ? "1" : "") : field.value;
  };
  function set(name, text) {
    const field = form.elements[name];
    if (field && field.type === "checkbox") field.checked = text === "1";
    else if (field) field.value = text;
  }
  function read() {
    const from = value("from"), to = value("to");
    return {
      words: newsnest.search.words(value("q")), outlet: value("outlet"), lang: value("lang"), undated: value("undated") === "1",
      from: from ? Date.parse(from + "T00:00:00Z") / 1000 : null,
      to: to ? Date.parse(to + "T00:00:00Z") / 1000 + 86400 : null,
    };
  }
  /* Returns the number of matching articles per story, or null where nothing is filtered; their
     dates go into sums, a row per colour. */
  function match(sums) {
    const f = read(), dated = f.from !== null || f.to !== null;
    if (!f.words.length && !f.outlet && !f.lang && !f.undated && !dated) return null;
    const outlet = f.outlet === "" ? null : +f.outlet, tongue = f.lang === "" ? null : +f.lang;
    return stories.name.map((_, i) => {
      if (f.words.length && !newsnest.search.holds(i, f.words)) return 0;
      let found = 0;
      const cells = data.cells[i], row = sums[slot(theme[i])];
      for (let at = 0; at < cells.length; at += 4) {
        const time = cells[at + 2];
        if (outlet !== null && cells[at] !== outlet) continue;
        if (tongue !== null && cells[at + 1] !== tongue) continue;
        if (f.undated && time !== null) continue;
        if (dated && (time === null || (f.from !== null && time * data.bin < f.from) ||
            (f.to !== null && time * data.bin >= f.to))) continue;
        found += cells[at + 3];
        if (time !== null) row.push(time, cells[at + 3]);
      }
      return found;
    });
  }
  function showList(matches) {
    const found = nodes.name.map(() => [0, 0]);
    let shown = 0, articles = 0;
    stories.name.forEach((_, i) => {
      const n = matches ? matches[i] : stories.articles[i];
      rows[i].hidden = n === 0;
      const note = one(".size", rows[i]);
      note.textContent = matches && n < stories.articles[i] ? `${number(n)} of ${note.dataset.size}` : note.dataset.size;
      if (!n) return;
      shown += 1; articles += n;
      for (let at = stories.parent[i]; at >= 0; at = nodes.parent[at]) { found[at][0] += 1; found[at][1] += n; }
    });
    branches.forEach((branch, at) => {
      branch.hidden = found[at][0] === 0;
      one(".size", branch).textContent = matches ? `${count(found[at][0], data.finest)}, ${count(found[at][1], "article")}` : branchSizes[at];
      if (matches && shown <= 40) branch.open = true;
    });
    one(".nothing", list).hidden = shown > 0;
    form.classList.toggle("active", Boolean(matches));
    one(".found", form).textContent = !shown ? "Nothing found" : matches ?
      `${number(shown)} of ${number(total)} ${plural(data.finest, total)} ${shown === 1 ? "matches" : "match"}, ${count(articles, "article")}` :
      `${count(total, data.finest)}, ${count(articles, "article")}`;
  }

  /* ── in the address: q=…&outlet=…&lang=…&from=…&to=…&undated=1 ────────────────────────── */
  function toAddress() {
    const outlet = value("outlet"), lang = value("lang");
    const parts = { q: value("q").trim(), outlet: outlet === "" ? "" : outlet === "-1" ? "(other)" : data.outlets[+outlet],
      lang: lang === "" ? "" : data.languages[+lang], from: value("from"), to: value("to"), undated: value("undated") };
    return Object.entries(parts).filter(([, text]) => text).map(([name, text]) => `${name}=${encodeURIComponent(text)}`);
  }
  /* Sets the form; returns what this page does not know of it. */
  function fromAddress(got) {
    const unknown = [];
    const index = (name, names) => {
      const at = got[name] ? names.indexOf(got[name]) : -1;
      if (got[name] && at < 0) unknown.push(`${name}=${got[name]}`);
      return at < 0 ? "" : String(at);
    };
    set("q", got.q || "");
    set("outlet", got.outlet === "(other)" ? "-1" : index("outlet", data.outlets.slice(0, data.filterable)));
    set("lang", index("lang", data.languages));
    ["from", "to", "undated"].forEach((name) => {
      set(name, got[name] || "");
      if (got[name] && value(name) !== got[name]) unknown.push(`${name}=${got[name]}`);
    });
    Object.keys(got).forEach((name) => { if (!form.elements[name]) unknown.push(`${name}=${got[name]}`); });
    return [...new Set(unknown)];
  }
  return { form, list, rows, branches, value, set, match, showList, toAddress, fromAddress };
})();
