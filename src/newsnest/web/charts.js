"use strict";
/* The map and the days, drawn by D3 as SVG. Names reach them as text. */
newsnest.charts = (function () {
  const { data, theme, slot, number, count, size, make } = newsnest;
  const { stories } = data;

  /* ── the map ──────────────────────────────────────────────────────────────────────────── */
  const placed = stories.x.map((x, i) => i).filter((i) => stories.x[i] !== null);
  const map = (function () {
    const box = document.getElementById("map");
    if (!box) return null;
    const svg = d3.select(box).append("svg").attr("aria-hidden", "true");
    const largest = Math.max(1, ...stories.independent);
    let matches = null, chosen = -1, choose = () => {}, view = d3.zoomIdentity;
    const radius = (i) => Math.max(2.5, Math.sqrt(stories.independent[i] / largest) * (newsnest.narrow.matches ? 17 : 24));
    // Large circles first, so that small ones lie on top.
    const order = [...placed].sort((a, b) => stories.independent[b] - stories.independent[a]);
    const dots = svg.append("g").selectAll("circle").data(order).join("circle").attr("class", "dot-of-map");
    const ring = svg.append("circle").attr("class", "ring").attr("fill", "none").attr("stroke-width", 3);
    function place() {
      const w = box.clientWidth, h = box.clientHeight, room = 30;
      svg.attr("viewBox", `0 0 ${w} ${h}`);
      const scale = (values, length) => {
        const [low, high] = d3.extent(placed, (i) => values[i]);
        return d3.scaleLinear(low === high ? [low - 1, high + 1] : [low, high], [room, Math.max(room, length - room)]);
      };
      const x = view.rescaleX(scale(stories.x, w)), y = view.rescaleY(scale(stories.y, h));
      dots.attr("cx", (i) => x(stories.x[i])).attr("cy", (i) => y(stories.y[i])).attr("r", radius);
      const ringed = chosen >= 0 && stories.x[chosen] !== null;
      ring.attr("visibility", ringed ? "visible" : "hidden");
      if (ringed) ring.attr("cx", x(stories.x[chosen])).attr("cy", y(stories.y[chosen])).attr("r", radius(chosen) + 1.5);
    }
    function paint() {
      const { ink, paper } = newsnest.style();
      dots.attr("fill", (i) => newsnest.colour(theme[i])).attr("stroke", paper).attr("stroke-width", 0.5)
        .attr("opacity", (i) => !matches ? 0.75 : matches[i] > 0 ? 0.9 : 0.07);
      ring.attr("stroke", ink);
    }
    const zooming = d3.zoom().scaleExtent([1, 24])
      // The wheel and one finger scroll the page; Ctrl and the wheel, or two fingers, zoom.
      .filter((event) => event.type === "wheel" ? event.ctrlKey : event.touches ? event.touches.length > 1 : !event.button)
      .on("zoom", (event) => { view = event.transform; place(); newsnest.hideTip(); });
    svg.call(zooming).on("dblclick.zoom", null);
    const resize = () => { zooming.extent([[0, 0], [box.clientWidth, box.clientHeight]]).translateExtent([[0, 0], [box.clientWidth, box.clientHeight]]); place(); };
    const buttons = { "map-in": () => svg.call(zooming.scaleBy, 1.6), "map-out": () => svg.call(zooming.scaleBy, 1 / 1.6),
      "map-all": () => svg.call(zooming.transform, d3.zoomIdentity) };
    Object.entries(buttons).forEach(([id, act]) => document.getElementById(id).addEventListener("click", act));
    dots.on("click", (event, i) => choose(i))
      .on("pointermove", (event, i) => newsnest.showTip([stories.name[i] || "Unnamed", size(stories.articles[i], stories.independent[i])], event.clientX, event.clientY))
      .on("pointerleave", newsnest.hideTip);
    const key = document.getElementById("map-key");
    const groups = [...new Set(placed.map((i) => slot(theme[i])))].sort((a, b) => a - b);
    function legend() {
      if (groups.length > 1) key.replaceChildren(...groups.map((g) => {
        const item = make("li"), dot = make("span", null, { class: "dot" });
        dot.style.setProperty("--own", newsnest.colour(g));
        item.append(dot, make("span", newsnest.groupName(g), { dir: "auto" }));
        return item;
      }));
    }
    new ResizeObserver(resize).observe(box);
    return { draw(found, which, how) { matches = found; chosen = which; choose = how; legend(); paint(); place(); } };
  })();

  /* ── the days ─────────────────────────────────────────────────────────────────────────── */
  const DAY = 86400;
  const steps = {
    hour: [d3.utcHour, "%-d %B %Y, %H:%M"], day: [d3.utcDay, "%A, %-d %B %Y"], week: [d3.utcMonday, "week of %-d %B %Y"],
    month: [d3.utcMonth, "%B %Y"], year: [d3.utcYear, "%Y"],
  };
  function chooseStep(first, last, bins) {
    const span = last - first;
    if (data.bin === 3600 && span <= 4 * DAY && bins.some((bin) => bin % DAY)) return "hour";
    if (span <= 120 * DAY) return "day";
    if (span <= 800 * DAY) return "week";
    return span <= 12 * 365 * DAY ? "month" : "year";
  }
  const tick = (step, date) => d3.utcFormat(step === "hour" ? (date.getUTCHours() ? "%H:%M" : "%-d %b") :
    step === "year" || !(date.getUTCMonth() + date.getUTCDate() - 1) ? "%Y" : step === "month" ? "%b" : "%-d %b")(date);

  /* rows: per colour slot, bin, number, …. Returns the articles outside the range: before, after. */
  function binned(rows) {
    const flat = rows.flatMap((row, g) => Array.from({ length: row.length / 2 }, (_, n) => [row[2 * n] * data.bin, row[2 * n + 1], g]));
    const [low, high] = data.range || [-Infinity, Infinity];
    const inside = flat.filter(([at]) => at >= low && at < high);
    const sum = (list) => d3.sum(list, (row) => row[1]);
    if (!inside.length) return { shown: flat, before: 0, after: 0 };
    return { shown: inside, before: sum(flat.filter(([at]) => at < low)), after: sum(flat.filter(([at]) => at >= high)) };
  }
  const time = (function () {
    const box = document.getElementById("time");
    if (!box) return null;
    const svg = d3.select(box).append("svg").attr("aria-hidden", "true");
    let latest = [];
    function draw(rows) {
      latest = rows;
      const { shown, before, after } = binned(rows);
      const w = box.clientWidth, h = box.clientHeight, left = 40, bottom = h - 24;
      svg.attr("viewBox", `0 0 ${w} ${h}`).selectAll("*").remove();
      if (!shown.length) { box.setAttribute("aria-label", "No article with a date matches."); return { step: "day", before, after, none: true }; }
      const seconds = shown.map((row) => row[0]);
      const [first, last] = d3.extent(seconds);
      const step = chooseStep(first, last, seconds), [interval, words] = steps[step];
      const floor = (at) => interval.floor(new Date(at * 1000));
      const bins = d3.rollups(shown, (list) => d3.rollups(list, (some) => d3.sum(some, (row) => row[1]), (row) => row[2]).sort((a, b) => a[0] - b[0]), (row) => +floor(row[0]))
        .map(([at, parts]) => ({ at: new Date(at), parts, all: d3.sum(parts, (part) => part[1]) })).sort((a, b) => a.at - b.at);
      // A lone day or hour stands in the middle of the days beside it.
      const lone = bins.length === 1 ? 2 : 0;
      const x = d3.scaleUtc([interval.offset(floor(first), -lone), interval.offset(floor(last), 1 + lone)], [left, w - 6]);
      const most = d3.max(bins, (bin) => bin.all);
      const y = d3.scaleLinear([0, most], [bottom, 8]).nice(Math.min(5, most));
      const { soft, line } = newsnest.style();
      const axis = (g) => { g.selectAll("text").attr("fill", soft); g.selectAll("line,path").attr("stroke", line); };
      svg.append("g").attr("transform", `translate(${left},0)`).call(d3.axisLeft(y).ticks(Math.min(5, most)).tickFormat(d3.format(",d")).tickSize(-(w - 6 - left)).tickSizeOuter(0)).call(axis);
      const wide = x(interval.offset(floor(first), 1)) - x(floor(first));
      // Never finer than the bars.
      const every = Math.ceil(80 / wide);
      // D3 begins weeks on Sundays, and its ticks may be finer than the bars.
      const ticks = lone ? [bins[0].at] : step === "week" || every === 1 ? interval.range(...x.domain()).filter((_, n) => n % every === 0) :
        x.ticks(Math.max(2, Math.floor((w - left) / 80))).filter((date) => date < x.domain()[1]);
      svg.append("g").attr("transform", `translate(${lone || step !== "hour" ? wide / 2 : 0},${bottom})`).call(d3.axisBottom(x).tickValues(ticks).tickFormat((date) => tick(step, date)).tickSizeOuter(0)).call(axis);
      const gap = Math.min(2, wide * 0.15);
      bins.forEach((bin) => {
        const from = x(bin.at) + gap / 2, to = x(interval.offset(bin.at, 1)) - gap / 2;
        const g = svg.append("g").attr("class", "bin");
        let below = 0;
        bin.parts.forEach(([group, n]) => {
          g.append("rect").attr("x", from).attr("width", Math.max(1, to - from)).attr("y", y(below + n)).attr("height", Math.max(0.5, y(below) - y(below + n))).attr("fill", newsnest.colour(group));
          below += n;
        });
        g.append("rect").attr("x", from - gap / 2).attr("width", Math.max(2, to - from + gap)).attr("y", 0).attr("height", bottom).attr("fill", "transparent");
        const parts = [...bin.parts].sort((a, b) => b[1] - a[1]).map(([group, n]) => `${number(n)} · ${newsnest.groupName(group)}`);
        g.on("pointermove", (event) => newsnest.showTip([`${d3.utcFormat(words)(bin.at)}: ${count(bin.all, "article")}`, ...parts], event.clientX, event.clientY))
          .on("pointerleave", newsnest.hideTip);
      });
      const peak = bins.reduce((a, b) => b.all > a.all ? b : a);
      box.setAttribute("aria-label", `Articles per ${step}; most, ${number(peak.all)}, ${d3.utcFormat(words)(peak.at)}.`);
      return { step, before, after };
    }
    new ResizeObserver(() => draw(latest)).observe(box);
    return { draw };
  })();

  return {
    drawMap(...given) { if (map) map.draw(...given); },
    drawTime(rows) { return time ? time.draw(rows) : null; },
  };
})();
