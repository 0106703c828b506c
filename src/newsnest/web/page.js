"use strict";
/* What happens on the page: the story chosen, the address and its history, and the start. */
(function () {
  const { data, total, number, plural, make, treemap, charts, search } = newsnest;
  const { form, list, rows, branches, value, set } = newsnest.filters;
  const { nodes, stories } = data;
  const one = (selector, within) => (within || document).querySelector(selector);
  const pane = one(".pane"), section = one("#story"), notice = one("#notice");
  const wide = matchMedia("(min-width: 1080px)");
  let chosen = -1, matches = null, sums = data.timeline;

  const addressOf = { story: (i) => `${data.finest}-${stories.label[i]}`, node: (i) => i < 0 ? "" : `${nodes.level[i]}-${nodes.label[i]}` };
  function placeOf(name) {
    const cut = name.lastIndexOf("-"), level = name.slice(0, cut);
    const label = /^\d+$/.test(name.slice(cut + 1)) ? +name.slice(cut + 1) : -1;
    return level === data.finest ? { story: stories.label.indexOf(label) } :
      { node: nodes.label.findIndex((n, at) => n === label && nodes.level[at] === level) };
  }

  /* ── the story chosen ─────────────────────────────────────────────────────────────────── */
  function openStory(i, focus) {
    if (chosen >= 0) rows[chosen].classList.remove("chosen");
    chosen = i;
    newsnest.fillStory(section, i, one("a", rows[i]).lang);
    rows[i].classList.add("chosen");
    pane.classList.add("open");
    pane.scrollTop = 0;
    document.body.classList.toggle("reading", focus && !wide.matches);
    if (focus) section.focus({ preventScroll: wide.matches });
    drawMap();
  }
  function shut() {
    const reading = document.body.classList.contains("reading");
    pane.classList.remove("open");
    document.body.classList.remove("reading");
    if (!reading || chosen < 0) return;
    for (let at = stories.parent[chosen]; at >= 0; at = nodes.parent[at]) branches[at].open = true;
    one("a", rows[chosen]).focus({ preventScroll: true });
  }
  function closeStory() {
    // Back to the entry before the story, so that Back and the cross do the same.
    if (history.state && history.state.over) history.back();
    else { write("", true); shut(); }
  }
  function reveal(node) {
    for (let at = node; at >= 0; at = nodes.parent[at]) branches[at].open = true;
  }
  /* Chosen on this page: a new entry of the history. */
  function choose(pick) {
    say("");
    if (pick.story !== undefined) {
      write(addressOf.story(pick.story), true);
      openStory(pick.story, true);
      return;
    }
    treemap.zoom(pick.node);
    write(addressOf.node(pick.node), true);
    reveal(pick.node);
    shut();
  }
  function showBranch(node) {
    branches[node].scrollIntoView({ block: "start" });
    one("summary", branches[node]).focus({ preventScroll: true });
  }
  function say(text) {
    notice.textContent = text;
    notice.hidden = !text;
  }

  /* ── filters and pictures ─────────────────────────────────────────────────────────────── */
  let words = "";
  function apply(typed) {
    sums = Array.from({ length: data.colours + 1 }, () => []);
    matches = newsnest.filters.match(sums);
    if (!matches) sums = data.timeline;
    newsnest.filters.showList(matches);
    const changed = value("q").trim() !== words;
    words = value("q").trim();
    if (typed) {
      say("");
      // A search is of everything: it leaves the part of the nest one looked into.
      const leaves = changed && words && treemap.node >= 0;
      if (leaves) treemap.zoom(-1);
      write(leaves && placeOf(place).node >= 0 ? "" : undefined, false);
      if (changed && document.activeElement === form.elements.q) search.show(matches || []);
    }
    draw();
  }
  function drawMap() { charts.drawMap(matches, chosen, (i) => choose({ story: i })); }
  function drawTime() {
    const drawn = charts.drawTime(sums), hint = one("#time-hint"), undated = data.articles - data.dated;
    if (!drawn) return;
    hint.textContent = drawn.none ? "No article with a date matches." : `Articles per ${drawn.step}` + (matches ? ", of those that match" : "") + ", times in UTC.";
    const [low, high] = data.range, iso = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 10);
    const are = (n) => `${number(n)} article${n === 1 ? " is" : "s are"}`;
    const link = (text, filter) => {
      const button = make("button", text, { type: "button", class: "inline" });
      button.addEventListener("click", () => {
        ["from", "to", "undated"].forEach((name) => set(name, filter[name] || ""));
        apply(true);
        list.scrollIntoView({ block: "start" });
      });
      hint.append(" ", button);
    };
    if (drawn.before) link(`${are(drawn.before)} dated before ${newsnest.day(low)}`, { to: iso(low - 86400) });
    if (drawn.after) link(`${are(drawn.after)} dated after ${newsnest.day(high - 86400)}`, { from: iso(high) });
    if (undated && !matches) link(`${number(undated)} ${undated === 1 ? "article has" : "articles have"} no date`, { undated: "1" });
  }
  let queued = 0;
  function draw() {
    cancelAnimationFrame(queued);
    // One picture a frame: the list and the page stay usable between them.
    const jobs = [() => treemap.draw(matches), drawMap, drawTime];
    const next = () => {
      jobs.shift()();
      if (jobs.length) queued = requestAnimationFrame(next);
      else if (!document.documentElement.dataset.ready) {
        document.documentElement.dataset.ready = "yes";
        performance.mark("ready"); // benchmarks/page.py reads it
      }
    };
    queued = requestAnimationFrame(next);
  }

  /* ── the address: #story-12&q=…&outlet=…; a story or a look inside is an entry of the history ── */
  let place = "", seen = null;
  function write(next, entry) {
    const before = place;
    if (next !== undefined) place = next;
    const parts = (place ? [place] : []).concat(newsnest.filters.toAddress());
    const url = parts.length ? "#" + parts.join("&") : location.pathname + location.search;
    if (entry && place !== before) history.pushState({ over: placeOf(before).story === undefined, inside: treemap.node }, "", url);
    else history.replaceState(Object.assign({}, history.state, { inside: treemap.node }), "", url);
    seen = location.hash;
  }
  function arrive(first) {
    if (location.hash === seen) return;
    seen = location.hash;
    const typed = history.state === null; // an address typed or followed, no step back or forward
    const got = {};
    let name = "";
    location.hash.slice(1).split("&").forEach((part) => {
      const cut = part.indexOf("=");
      try {
        if (cut < 0) name = decodeURIComponent(part);
        else got[decodeURIComponent(part.slice(0, cut))] = decodeURIComponent(part.slice(cut + 1));
      } catch { name = part; /* an address cut in the middle of a letter is not known */ }
    });
    // A part of the page that the browser itself goes to, such as #about, leaves all as it is.
    if (!first && name && !Object.keys(got).length && placeOf(name).story === undefined && placeOf(name).node < 0 && document.getElementById(name)) return;
    const unknown = newsnest.filters.fromAddress(got);
    go(name, typed, first);
    if (unknown.length) say([notice.textContent, `This page knows no filter ${unknown.map((part) => `“${part}”`).join(", ")}; it is left out.`].filter(Boolean).join(" "));
    if (typed && !notice.hidden) notice.scrollIntoView({ block: "nearest" });
    if (history.state === null) history.replaceState({}, "");
    apply(false);
  }
  function go(name, typed, first) {
    const at = placeOf(name);
    place = "";
    say("");
    if (at.story >= 0) {
      place = name;
      if (!typed && history.state.inside !== undefined) treemap.zoom(history.state.inside, false);
      openStory(at.story, true);
      return;
    }
    shut();
    if (at.node >= 0) {
      place = name;
      reveal(at.node);
      if (typed) showBranch(at.node);
    } else if (at.story === -1) {
      say(`${name} is not among the ${number(total)} ${plural(data.finest, total)} shown here.`);
    } else if (name && !document.getElementById(name)) {
      say(`This page has no part called “${name}”.`);
    }
    treemap.zoom(at.node >= 0 ? at.node : -1, !first);
    if (wide.matches) openStory(place && chosen >= 0 ? chosen : 0, false);
  }

  /* ── start ────────────────────────────────────────────────────────────────────────────── */
  const tint = () => branches.forEach((branch, at) => branch.style.setProperty("--own", newsnest.colour(newsnest.top(at))));
  tint();
  document.querySelectorAll(".needs-script").forEach((element) => { element.hidden = false; });
  treemap.start(choose);
  search.start(choose);

  let typing = 0;
  form.addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(() => apply(true), 150); });
  form.addEventListener("submit", (event) => { event.preventDefault(); search.close(); apply(true); });
  form.addEventListener("reset", () => setTimeout(() => { search.close(); apply(true); }));
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]');
    if (!link || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const pick = placeOf(link.getAttribute("href").slice(1));
    if (!(pick.story >= 0 || pick.node >= 0)) return;
    event.preventDefault();
    choose(pick);
    if (pick.node >= 0) showBranch(pick.node);
  });
  one(".close", pane).addEventListener("click", closeStory);
  addEventListener("keydown", (event) => { if (event.key === "Escape" && document.body.classList.contains("reading")) closeStory(); });
  one("#open-all").addEventListener("click", () => branches.forEach((branch) => { branch.open = true; }));
  one("#close-all").addEventListener("click", () => branches.forEach((branch) => { branch.open = false; }));
  addEventListener("popstate", () => arrive(false));
  addEventListener("hashchange", () => arrive(false));
  newsnest.darkness.addEventListener("change", () => { tint(); draw(); });
  newsnest.narrow.addEventListener("change", draw);
  wide.addEventListener("change", () => {
    document.body.classList.remove("reading");
    if (wide.matches) openStory(Math.max(0, chosen), false);
    else if (placeOf(place).story >= 0) openStory(chosen, true);
    else pane.classList.remove("open");
  });
  arrive(true);
})();
