"use strict";
/* Pictures of a nest: Plotly traces made from the page's data. Names are escaped for Plotly's
   small markup; nothing here touches the page outside its three charts. */
var newsnest = (function () {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { nodes, stories } = data;
  const total = stories.name.length;
  const lights = ["#3b6ea8", "#c8643c", "#3f8f6b", "#a4506f", "#8a7a2e", "#6b5ca5", "#2f8f9d",
    "#b5523b", "#5f7d34", "#8d6748"];
  const darks = ["#7fb0e6", "#ee9a72", "#74c7a0", "#dd8fae", "#cdbb5f", "#ab9be0", "#6cc7d3",
    "#ee8f78", "#a3c46f", "#c9a283"];
  const reduced = matchMedia("(prefers-reduced-motion: reduce)");
  const darkness = matchMedia("(prefers-color-scheme: dark)");
  const narrow = matchMedia("(max-width: 640px)");
  const config = { displaylogo: false, responsive: true, displayModeBar: false };
  const plural = (level, n) => n === 1 ? level : level === "story" ? "stories" : level + "s";
  const number = (n) => n.toLocaleString("en-US");
  const size = (articles, independent) =>
    `${number(articles)} article${articles === 1 ? "" : "s"}, ${number(independent)} independent`;
  const top = (node) => {
    while (node >= 0 && nodes.parent[node] >= 0) node = nodes.parent[node];
    return node;
  };
  const theme = stories.parent.map(top);
  const slot = (place) => (place >= 0 && place < data.colours ? place : data.colours);

  function style() {
    const read = getComputedStyle(document.documentElement);
    const value = (name) => read.getPropertyValue(name).trim();
    return {
      dark: darkness.matches, ink: value("--ink"), soft: value("--soft"), line: value("--line"),
      paper: value("--paper"), font: getComputedStyle(document.body).fontFamily,
    };
  }
  function colour(place) {
    const list = darkness.matches ? darks : lights;
    return slot(place) < data.colours ? list[slot(place)] : darkness.matches ? "#8d8a83" : "#8a867c";
  }
  function mix(from, to, part) {
    const read = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
    const [a, b] = [read(from), read(to)];
    return "#" + a.map((v, i) => Math.round(v + (b[i] - v) * part).toString(16).padStart(2, "0"))
      .join("");
  }
  const plain = (text) =>
    (text || "Unnamed").replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  function wrapped(text, width, lines) {
    const rows = [""];
    for (const word of (text || "Unnamed").split(/\s+/)) {
      const piece = word.length > width ? word.slice(0, width - 1) + "…" : word;
      if (!rows[rows.length - 1]) rows[rows.length - 1] = piece;
      else if ((rows[rows.length - 1] + " " + piece).length <= width) rows[rows.length - 1] += " " + piece;
      else rows.push(piece);
    }
    if (rows.length > lines) { rows.length = lines; rows[lines - 1] += " …"; }
    return rows.map(plain).join("<br>");
  }
  const layout = (more) => {
    const s = style();
    return Object.assign({
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      margin: { l: 0, r: 0, t: 0, b: 0 }, font: { family: s.font, size: 12, color: s.ink },
      hoverlabel: { bgcolor: s.paper, bordercolor: s.line, align: "left",
        font: { family: s.font, size: 13, color: s.ink } },
    }, more);
  };

  /* ── the nest ─────────────────────────────────────────────────────────────────────────── */
  const tree = (function () {
    const ids = ["all"], names = ["Everything"], parents = [""], values = [data.independent];
    const owner = [-1], story = [-1], depth = [0], notes = [size(data.articles, data.independent)];
    const shown = new Array(nodes.name.length).fill(0);
    const counted = new Array(nodes.name.length).fill(0);
    let shownAll = 0, countedAll = 0;
    stories.parent.forEach((parent, i) => {
      shownAll += stories.independent[i]; countedAll += 1;
      for (let at = parent; at >= 0; at = nodes.parent[at]) {
        shown[at] += stories.independent[i]; counted[at] += 1;
      }
    });
    const level = (at) => { let d = 1; while (nodes.parent[at] >= 0) { at = nodes.parent[at]; d += 1; } return d; };
    const add = (id, name, parent, value, note, from, which, deep) => {
      ids.push(id); names.push(name); parents.push(parent); values.push(value);
      notes.push(note); owner.push(from); story.push(which); depth.push(deep);
    };
    nodes.name.forEach((name, i) => add("n" + i, name, nodes.parent[i] < 0 ? "all" : "n" + nodes.parent[i],
      nodes.independent[i], `${number(nodes.stories[i])} ${plural(data.finest, nodes.stories[i])}, ` +
      size(nodes.articles[i], nodes.independent[i]), i, -1, level(i)));
    stories.name.forEach((name, i) => add("s" + i, name, stories.parent[i] < 0 ? "all" : "n" + stories.parent[i],
      stories.independent[i], size(stories.articles[i], stories.independent[i]), stories.parent[i], i,
      data.levels.length));
    // What the limits leave out, once per parent, so that every parent is the sum of its children.
    const under = new Map(), many = new Map();
    const less = (map, key, n) => map.set(key, (map.get(key) || 0) + n);
    nodes.name.forEach((_, i) => {
      less(under, nodes.parent[i], nodes.independent[i]); less(many, nodes.parent[i], nodes.stories[i]);
    });
    stories.parent.forEach((parent, i) => { less(under, parent, stories.independent[i]); less(many, parent, 1); });
    const rest = (id, at, value, count, deep) => {
      const left = count - (many.get(at) || 0);
      if (left > 0) add("r" + id, `${number(left)} smaller ${plural(data.finest, left)}`, id,
        value - (under.get(at) || 0), "not listed on this page", at, -1, deep);
    };
    rest("all", -1, data.independent, data.levels[data.levels.length - 1][1], 1);
    nodes.name.forEach((_, i) => rest("n" + i, i, nodes.independent[i], nodes.stories[i], level(i) + 1));
    return { ids, names, parents, values, owner, story, depth, notes };
  })();

  function treeColours(matches) {
    const s = style(), paper = s.paper;
    const alive = new Set();
    if (matches) stories.parent.forEach((parent, i) => {
      if (matches[i] > 0) for (let at = parent; at >= 0; at = nodes.parent[at]) alive.add(at);
    });
    return tree.ids.map((id, i) => {
      if (i === 0) return mix(paper, s.ink, 0.06);
      const at = tree.owner[i];
      const own = at >= 0 ? colour(top(at)) : colour(data.colours);
      const lit = !matches || (tree.story[i] >= 0 ? matches[tree.story[i]] > 0 : id[0] === "n" && alive.has(at));
      if (!lit) return mix(paper, s.ink, 0.08);
      const fade = id[0] === "r" ? 0.88 : (s.dark ? [0, 0.52, 0.68, 0.8] : [0, 0.25, 0.62, 0.78])[Math.min(tree.depth[i], 3)];
      return mix(own, paper, fade);
    });
  }
  /* Words for every tile, wrapped to the room it gets when `level` fills the picture. */
  function tileWords(box, level, depths) {
    const at = Math.max(0, tree.ids.indexOf(level));
    const room = Math.max(1, box.clientWidth * (box.clientHeight - 30)) / Math.max(1, tree.values[at]);
    const parents = new Set(tree.parents);
    return tree.names.map((name, i) => {
      const side = Math.sqrt(tree.values[i] * room);
      const header = parents.has(tree.ids[i]) && tree.depth[i] - tree.depth[at] < depths - 1;
      // A tile is up to twice as long as wide: words must fit its shorter side, whichever it is.
      // A blank where there is no room: for an empty text Plotly would write the label.
      const letters = tree.values[i] >= tree.values[at] ? (narrow.matches ? 18 : 40) : Math.floor(side * 0.68 / 6.4);
      return letters < 7 ? " " : wrapped(name, letters, header ? 1 : Math.max(1, Math.floor((side * 0.68 - 4) / 15)));
    });
  }
  /* As many levels as stay readable (and quick): at most 400 tiles, but always the next level. */
  function depthsBelow(level) {
    const at = Math.max(0, tree.ids.indexOf(level)), place = new Map(tree.ids.map((id, i) => [id, i]));
    const counts = [];
    const below = tree.ids.map((_, i) => {
      let up = i, steps = 0;
      while (up !== undefined && up !== at) { up = place.get(tree.parents[up]); steps += 1; }
      if (up !== at) return -1;
      counts[steps] = (counts[steps] || 0) + 1;
      return steps;
    });
    let depths = 2, tiles = counts[1] || 0;
    while (depths < counts.length && tiles + counts[depths] <= 400) { tiles += counts[depths]; depths += 1; }
    // Plotly gets what it shows, and the way up for its path bar: thousands more would take seconds.
    const way = new Set();
    for (let up = at; up !== undefined; up = place.get(tree.parents[up])) way.add(up);
    const visible = tree.ids.map((_, i) => i).filter((i) => way.has(i) || (below[i] >= 0 && below[i] < depths));
    return { depths, visible };
  }
  function drawNest(matches, onTree) {
    const box = document.getElementById("nest"), s = style();
    const level = box.level || "all";
    const { depths, visible } = depthsBelow(level), pick = (list) => visible.map((i) => list[i]);
    box.redraw = () => drawNest(matches, onTree);
    const words = tileWords(box, level, depths);
    const trace = {
      type: "treemap", ids: pick(tree.ids), parents: pick(tree.parents), values: pick(tree.values),
      // Plotly writes a label over a tile that holds others, and the text into one that does not.
      labels: pick(words), branchvalues: "total", text: pick(words), texttemplate: "%{text}",
      customdata: visible.map((i) => [wrapped(tree.names[i], 48, 4), tree.notes[i]]),
      hovertemplate: "<b>%{customdata[0]}</b><br>%{customdata[1]}<extra></extra>",
      maxdepth: depths, sort: true,
      marker: { colors: pick(treeColours(matches)), line: { width: 1, color: s.paper }, pad: { t: 22, l: 3, r: 3, b: 3 } },
      textfont: { color: s.ink, size: 12 }, textposition: "top left",
      pathbar: { thickness: 26, textfont: { size: 12, color: s.ink } },
      tiling: { packing: "squarify", pad: 2 }, level,
    };
    return Plotly.react(box, [trace], layout({}), config).then(() => {
      if (box.wired) return;
      box.wired = true;
      box.on("plotly_treemapclick", (event) => {
        const at = tree.ids.indexOf(event.points[0].id);
        if (tree.story[at] >= 0) onTree({ story: tree.story[at] });
        else if (tree.ids[at][0] !== "r") {
          const id = tree.ids[at]; // the tile that fills the picture leads back up
          box.level = (id === (box.level || "all") ? tree.parents[at] : id) || "all";
          onTree({ node: box.level[0] === "n" ? +box.level.slice(1) : -1 });
          setTimeout(box.redraw); // words are wrapped anew for the new room, so no animation
        }
        return false;
      });
    });
  }
  function zoomNest(node) {
    const box = document.getElementById("nest");
    box.level = node >= 0 ? "n" + node : "all";
    if (box.wired) box.redraw();
  }

  /* ── the map ──────────────────────────────────────────────────────────────────────────── */
  const groups = [];
  for (let g = 0; g <= data.colours; g += 1) {
    const members = [];
    for (let i = 0; i < total; i += 1) if (stories.x[i] !== null && slot(theme[i]) === g) members.push(i);
    if (members.length) groups.push({ slot: g, members });
  }
  const groupName = (g) => g < data.colours ? nodes.name[g] : data.levels.length > 1 && nodes.name.length ?
    `Other ${plural(data.levels[0][0], 2)}` : plural(data.finest, 2);
  function drawMap(matches, chosen, onStory) {
    const box = document.getElementById("map"), s = style();
    const largest = Math.max(1, ...stories.independent);
    const unit = (2 * largest) / Math.pow(narrow.matches ? 34 : 48, 2);
    const traces = groups.map((group) => ({
      type: "scatter", mode: "markers", name: wrapped(groupName(group.slot), 26, 1),
      x: group.members.map((i) => stories.x[i]), y: group.members.map((i) => stories.y[i]),
      customdata: group.members.map((i) => [i, wrapped(stories.name[i], 48, 4),
        size(stories.articles[i], stories.independent[i])]),
      hovertemplate: "<b>%{customdata[1]}</b><br>%{customdata[2]}<extra></extra>",
      marker: {
        color: colour(group.slot), size: group.members.map((i) => stories.independent[i]),
        sizemode: "area", sizeref: unit, sizemin: 2.5,
        opacity: group.members.map((i) => !matches ? 0.72 : matches[i] > 0 ? 0.9 : 0.06),
        line: { color: s.paper, width: 0.5 },
      },
    }));
    const ringed = chosen >= 0 && stories.x[chosen] !== null ? [chosen] : [];
    traces.push({
      type: "scatter", mode: "markers", showlegend: false, hoverinfo: "skip",
      x: ringed.map((i) => stories.x[i]), y: ringed.map((i) => stories.y[i]),
      marker: { color: "rgba(0,0,0,0)", size: ringed.map((i) => stories.independent[i]),
        sizemode: "area", sizeref: unit, sizemin: 5, opacity: 1, line: { color: s.ink, width: 3 } },
    });
    const axis = { visible: false, zeroline: false };
    return Plotly.react(box, traces, layout({
      xaxis: axis, yaxis: axis, dragmode: narrow.matches ? false : "pan", hovermode: "closest",
      margin: { l: 4, r: 4, t: 4, b: 4 }, uirevision: "map", modebar: { bgcolor: "rgba(0,0,0,0)", color: s.soft, activecolor: s.ink }, showlegend: groups.length > 1,
      legend: { orientation: "h", y: -0.02, yanchor: "top", x: 0, itemsizing: "constant",
        font: { size: 12, color: s.ink } },
    }), Object.assign({}, config, { displayModeBar: !narrow.matches,
      modeBarButtons: [["zoomIn2d", "zoomOut2d", "resetScale2d"]] })).then(() => {
      if (box.wired) return;
      box.wired = true;
      box.on("plotly_click", (event) => onStory(event.points[0].customdata[0]));
    });
  }

  /* ── the days ─────────────────────────────────────────────────────────────────────────── */
  function chooseStep(first, last) {
    const span = last - first;
    if (data.bin === 3600 && span <= 4 * 86400) return "hour";
    if (span <= 120 * 86400) return "day";
    if (span <= 800 * 86400) return "week";
    return span <= 12 * 365 * 86400 ? "month" : "year";
  }
  function floorTo(step, seconds) {
    const date = new Date(seconds * 1000);
    if (step === "week") return seconds - ((((Math.floor(seconds / 86400) + 3) % 7) + 7) % 7) * 86400;
    if (step === "month") date.setUTCDate(1);
    if (step === "year") date.setUTCMonth(0, 1);
    if (step === "month" || step === "year") return date.setUTCHours(0, 0, 0, 0) / 1000;
    const unit = step === "hour" ? 3600 : 86400;
    return Math.floor(seconds / unit) * unit;
  }
  /* rows: per colour slot, bin, number, … */
  function drawTime(rows, filtered) {
    const box = document.getElementById("time"), s = style();
    if (!box) return Promise.resolve();
    let first = Infinity, last = -Infinity;
    for (const row of rows) for (let at = 0; at < row.length; at += 2) {
      first = Math.min(first, row[at] * data.bin); last = Math.max(last, row[at] * data.bin);
    }
    const step = first > last ? "day" : chooseStep(first, last);
    const traces = [];
    rows.forEach((row, g) => {
      const sums = new Map();
      for (let at = 0; at < row.length; at += 2) {
        const bin = floorTo(step, row[at] * data.bin);
        sums.set(bin, (sums.get(bin) || 0) + row[at + 1]);
      }
      const bins = [...sums.keys()].sort((a, b) => a - b);
      if (bins.length) traces.push({
        type: "bar", name: wrapped(groupName(g), 26, 1), marker: { color: colour(g) },
        x: bins.map((bin) => new Date(bin * 1000).toISOString().slice(0, 19)), y: bins.map((bin) => sums.get(bin)),
        hovertemplate: "%{y:,} · %{fullData.name}<extra></extra>",
        xperiod: { month: "M1", year: "M12", week: 604800000 }[step], xperiodalignment: "start",
      });
    });
    document.getElementById("time-hint").textContent =
      `Articles per ${step}` + (filtered ? ", of those that match" : "") + ", times in UTC." +
      (data.dated < data.articles ? ` ${data.articles - data.dated === 1 ? "1 article has" : number(data.articles - data.dated) + " articles have"} no date.` : "");
    return Plotly.react(box, traces, layout({
      barmode: "stack", bargap: 0.08, showlegend: false, margin: { l: 36, r: 4, t: 6, b: 44 },
      hovermode: "x unified", dragmode: false,
      xaxis: { type: "date", gridcolor: s.line, linecolor: s.line, fixedrange: true, color: s.soft },
      yaxis: { gridcolor: s.line, fixedrange: true, color: s.soft, rangemode: "tozero", zeroline: false, automargin: true, nticks: 5, tickformat: ",d" },
    }), config);
  }

  return { data, total, theme, slot, colour, size, number, plural, darkness, narrow, reduced, tree,
    drawNest, zoomNest, drawMap, drawTime };
})();
