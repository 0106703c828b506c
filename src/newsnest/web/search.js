"use strict";
/* The hits under the search box: a combobox with a list, after the pattern of ARIA. */
newsnest.search = (function () {
  const { data, make, number, count, fold } = newsnest;
  const { nodes, stories } = data;
  const input = document.getElementById("q"), panel = document.getElementById("hits-panel");
  const list = document.getElementById("hits"), more = document.getElementById("hits-more");
  const MOST = 8, MOST_ABOVE = 4; // hits shown; those of them that are not stories
  let haystacks = null, hits = [], active = -1, choose = () => {};

  const words = (text) => fold(text).split(/\s+/).filter(Boolean);
  const holds = (text, wanted) => wanted.every((word) => text.includes(word));
  function story(i) {
    if (!haystacks) haystacks = stories.name.map((name, at) => fold([name, ...stories.keywords[at],
      ...data.items[at].map((item) => item[0])].join("\n")));
    return haystacks[i];
  }

  /* Themes and topics by name, then stories by name, by a headline, by a keyword. */
  function find(wanted, matches) {
    const alive = new Set();
    stories.parent.forEach((parent, i) => {
      if (matches[i] > 0) for (let at = parent; at >= 0; at = nodes.parent[at]) alive.add(at);
    });
    const above = nodes.name.map((name, at) => at).filter((at) => holds(fold(nodes.name[at]), wanted))
      .map((at) => ({ node: at, level: nodes.level[at], name: nodes.name[at], note: count(nodes.stories[at], data.finest) }));
    const ranks = [[], [], []];
    stories.name.forEach((name, i) => {
      if (!(matches[i] > 0)) return;
      const hit = { story: i, level: data.finest, name: name || "Unnamed", note: count(stories.articles[i], "article") };
      if (holds(fold(name), wanted)) return ranks[0].push(hit);
      const item = data.items[i].find((one) => holds(fold(one[0]), wanted));
      if (item) return ranks[1].push(Object.assign(hit, { level: "headline", name: item[0], note: `in: ${hit.name}` }));
      ranks[2].push(hit);
    });
    return above.slice(0, MOST_ABOVE).concat(...ranks);
  }
  function show(matches) {
    const wanted = words(input.value);
    hits = wanted.length ? find(wanted, matches) : [];
    const left = hits.length - MOST;
    hits = hits.slice(0, MOST);
    list.replaceChildren(...hits.map((hit, n) => {
      const option = make("li", null, { role: "option", id: `hit-${n}`, "aria-selected": "false" });
      option.append(make("span", hit.level, { class: "tag" }), make("span", hit.name, { dir: "auto", class: "hit" }), make("span", hit.note, { dir: "auto", class: "from" }));
      return option;
    }));
    more.textContent = !hits.length ? `Nothing found for “${input.value.trim()}”.` : left > 0 ? `${number(left)} more in the list below` : "";
    more.hidden = !more.textContent;
    list.hidden = !hits.length;
    active = -1;
    open(wanted.length > 0);
  }
  function open(shown) {
    panel.hidden = !shown;
    input.setAttribute("aria-expanded", String(shown && hits.length > 0));
    if (!shown) mark(-1);
  }
  function mark(next) {
    active = next;
    [...list.children].forEach((option, n) => option.setAttribute("aria-selected", String(n === active)));
    if (active < 0) input.removeAttribute("aria-activedescendant");
    else {
      input.setAttribute("aria-activedescendant", `hit-${active}`);
      list.children[active].scrollIntoView({ block: "nearest" });
    }
  }
  function take(n) {
    open(false);
    choose(hits[n]);
  }

  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const shown = !panel.hidden, last = hits.length - 1;
    if (event.key === "ArrowDown" && !shown && hits.length) { open(true); mark(0); }
    else if (event.key === "ArrowDown" && shown && hits.length) mark(active >= last ? 0 : active + 1);
    else if (event.key === "ArrowUp" && shown && hits.length) mark(active <= 0 ? last : active - 1);
    else if (event.key === "Enter" && shown && active >= 0) take(active);
    else if (event.key === "Escape" && shown) open(false);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  input.addEventListener("blur", () => open(false));
  panel.addEventListener("pointerdown", (event) => event.preventDefault()); // the box keeps the focus
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) take([...list.children].indexOf(option));
  });

  return { words, holds: (i, wanted) => holds(story(i), wanted), show, close: () => open(false),
    start(how) { choose = how; } };
})();
