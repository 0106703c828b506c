"use strict";
/* The nest as a treemap of links. Tiles are elements of the page: the browser wraps their words,
   the keyboard reaches them, and each leads to an address. */
newsnest.treemap = (function () {
  const { data, make, number, count, size, theme } = newsnest;
  const { nodes, stories } = data;
  const box = document.getElementById("nest"), trail = document.getElementById("nest-path");
  const said = document.getElementById("nest-said");
  if (!box) return { start() {}, draw() {}, zoom() {}, node: -1 }; // one story needs no picture
  const HEADER = 22, LINE = 15, MOST = 400, MOST_NARROW = 150;

  /* ── every tile there can be: everything, clusters, stories, and what the page leaves out ── */
  const everything = { name: "Everything", node: -1, story: -1, theme: -1, depth: 0, value: data.independent,
    note: size(data.articles, data.independent), level: "", children: [] };
  const branches = nodes.name.map((name, i) => ({ name: name || "Unnamed", node: i, story: -1, theme: newsnest.top(i), level: nodes.level[i],
    value: nodes.independent[i], note: `${count(nodes.stories[i], data.finest)}, ${size(nodes.articles[i], nodes.independent[i])}`,
    href: `#${nodes.level[i]}-${nodes.label[i]}`, children: [] }));
  const under = (parent) => parent < 0 ? everything : branches[parent];
  const grow = (tile, parent) => {
    tile.parent = parent;
    tile.depth = parent.depth + 1;
    parent.children.push(tile);
  };
  branches.forEach((tile, i) => grow(tile, under(nodes.parent[i])));
  stories.name.forEach((name, i) => grow({ name: name || "Unnamed", node: -1, story: i, theme: theme[i], level: data.finest,
    value: stories.independent[i], note: size(stories.articles[i], stories.independent[i]),
    href: `#${data.finest}-${stories.label[i]}`, children: [] }, under(stories.parent[i])));
  // What the limits leave out, once per parent, so that every parent is the sum of its children.
  [everything, ...branches].forEach((tile) => {
    const held = (child) => child.story >= 0 ? 1 : nodes.stories[child.node];
    const all = tile === everything ? data.levels[data.levels.length - 1][1] : nodes.stories[tile.node];
    const left = all - tile.children.reduce((sum, child) => sum + held(child), 0);
    if (left > 0) grow({ name: `${number(left)} smaller ${newsnest.plural(data.finest, left)}`, node: -1, story: -1, theme: tile.theme,
      level: "", value: tile.value - tile.children.reduce((sum, child) => sum + child.value, 0),
      note: "not listed on this page", children: [] }, tile);
  });

  /* As many levels as stay readable (and quick), but always the next one. */
  function pruned(root) {
    const most = newsnest.narrow.matches ? MOST_NARROW : MOST;
    let rows = [root.children], tiles = root.children.length;
    for (;;) {
      const next = rows[rows.length - 1].flatMap((tile) => tile.children);
      if (!next.length || tiles + next.length > most) break;
      rows.push(next); tiles += next.length;
    }
    const deepest = root.depth + rows.length;
    const tree = d3.hierarchy(root, (tile) => tile.depth < deepest ? tile.children : null);
    return tree.sum((tile) => tile.depth === deepest || !tile.children.length ? tile.value : 0)
      .sort((a, b) => b.value - a.value);
  }
  function laidOut(root, width, height) {
    const room = (at) => at.depth > 0 && at.y1 - at.y0 > 2 * HEADER && at.x1 - at.x0 > 50;
    return d3.treemap().size([width, height]).tile(d3.treemapSquarify.ratio(1.4)).paddingInner(2)
      .paddingTop((at) => at.depth ? room(at) ? HEADER : 2 : 0)
      .paddingLeft((at) => at.depth ? 3 : 0).paddingRight((at) => at.depth ? 3 : 0).paddingBottom((at) => at.depth ? 3 : 0)(pruned(root));
  }

  let root = everything, tiles = [], matches = null, follow = () => {};
  function lit(tile) {
    if (!matches) return true;
    if (tile.story >= 0) return matches[tile.story] > 0;
    return tile.children.some(lit);
  }
  function paint() {
    const { ink, paper, dark } = newsnest.style();
    const fades = dark ? [0, 0.52, 0.68, 0.8] : [0, 0.25, 0.62, 0.78];
    tiles.forEach(([element, tile]) => {
      const shown = lit(tile);
      element.style.background = shown ? d3.interpolateRgb(newsnest.colour(tile.theme), paper)(
        tile.href ? fades[Math.min(tile.depth, 3)] : 0.88) : d3.interpolateRgb(paper, ink)(0.08);
      element.classList.toggle("faint", !shown);
    });
  }
  function draw() {
    const width = box.clientWidth, height = box.clientHeight;
    if (!width || !height) return;
    const before = document.activeElement && box.contains(document.activeElement) ? tiles.find(([e]) => e === document.activeElement) : null;
    const percent = (part, whole) => (100 * part / whole).toFixed(3) + "%";
    tiles = laidOut(root, width, height).descendants().slice(1).map((at) => {
      const tile = at.data, w = at.x1 - at.x0, h = at.y1 - at.y0;
      const element = make(tile.href ? "a" : "span", null, { class: "tile", href: tile.href, tabindex: "-1",
        "aria-label": [tile.level, tile.name].filter(Boolean).join(" ") + ", " + tile.note });
      // Percent, so that the picture also fits a printed page.
      Object.assign(element.style, { left: percent(at.x0, width), top: percent(at.y0, height), width: percent(w, width), height: percent(h, height) });
      const lines = at.children ? (h > 2 * HEADER && w > 50 ? 1 : 0) : w < 68 ? 0 : Math.floor((h - 4) / LINE);
      if (lines) {
        const words = make("span", tile.name, { dir: "auto", class: at.children ? "head" : "" });
        words.style.webkitLineClamp = words.style.lineClamp = String(lines);
        element.append(words);
      }
      return [element, tile];
    });
    paint();
    box.replaceChildren(...tiles.map(([element]) => element));
    const again = before && tiles.find(([, tile]) => tile === before[1]);
    rove(again ? again[0] : tiles.length ? tiles[0][0] : null, Boolean(before));
    box.dataset.level = root.href || "";
  }
  /* One tile is a stop of the Tab key; arrows move on from it. */
  function rove(element, focus) {
    if (!element) return;
    tiles.forEach(([one]) => { one.tabIndex = one === element ? 0 : -1; });
    if (focus) element.focus({ preventScroll: true });
  }
  function drawTrail() {
    const way = [];
    for (let at = root; at; at = at.parent) way.unshift(at);
    trail.replaceChildren(...way.map((tile, n) => {
      const item = make("li"), last = n === way.length - 1;
      const words = make(last ? "span" : "a", tile.name, { dir: "auto", href: last ? "" : tile.href || "#", "aria-current": last ? "true" : "" });
      item.append(words);
      if (!last) words.addEventListener("click", (event) => { event.preventDefault(); follow({ node: tile.node }); });
      return item;
    }));
  }
  function zoom(node, told) {
    const next = node >= 0 ? branches[node] : everything;
    if (next === root) return;
    const inside = box.contains(document.activeElement);
    root = next;
    drawTrail();
    draw();
    if (inside) rove(tiles[0] && tiles[0][0], true);
    if (told !== false) said.textContent = `${root.name}: ${root.note}.`;
  }

  const tileOf = (event) => {
    const element = event.target.closest(".tile");
    return element ? tiles.find(([one]) => one === element) : undefined;
  };
  const plainClick = (event) => !event.ctrlKey && !event.metaKey && !event.shiftKey;
  box.addEventListener("click", (event) => {
    const found = tileOf(event);
    if (!found || !plainClick(event)) return;
    event.preventDefault();
    newsnest.hideTip();
    if (found[1].href) follow(found[1].story >= 0 ? { story: found[1].story } : { node: found[1].node });
  });
  box.addEventListener("keydown", (event) => {
    const at = tiles.findIndex(([one]) => one === document.activeElement);
    if (at < 0) return;
    const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: tiles.length - 1 }[event.key];
    if (to !== undefined) rove(tiles[Math.max(0, Math.min(tiles.length - 1, to))][0], true);
    else if ((event.key === "Backspace" || event.key === "Escape") && root.parent) follow({ node: root.parent.node });
    else return;
    event.preventDefault();
  });
  box.addEventListener("pointermove", (event) => {
    const found = tileOf(event);
    if (found) newsnest.showTip([found[1].name, found[1].note], event.clientX, event.clientY);
    else newsnest.hideTip();
  });
  box.addEventListener("pointerleave", newsnest.hideTip);
  box.addEventListener("focusin", (event) => {
    const found = tileOf(event);
    if (!found || !event.target.matches(":focus-visible")) return;
    const edges = found[0].getBoundingClientRect();
    newsnest.showTip([found[1].name, found[1].note], edges.left, edges.bottom - 12);
  });
  box.addEventListener("focusout", newsnest.hideTip);

  return {
    start(how) { follow = how; drawTrail(); new ResizeObserver(draw).observe(box); },
    draw(found) { matches = found; if (tiles.length) paint(); else draw(); },
    zoom,
    get node() { return root.node; },
  };
})();
