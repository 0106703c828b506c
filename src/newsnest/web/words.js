"use strict";
/* The data of the page, and its words, numbers and colours; the scripts after this one share them. */
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
  const plural = (level, n) => n === 1 ? level : level === "story" ? "stories" : level + "s";
  const number = (n) => n.toLocaleString("en-US");
  const count = (n, noun) => `${number(n)} ${plural(noun, n)}`;
  const size = (articles, independent) => `${count(articles, "article")}, ${number(independent)} independent`;
  const top = (node) => {
    while (node >= 0 && nodes.parent[node] >= 0) node = nodes.parent[node];
    return node;
  };
  const theme = stories.parent.map(top);
  const slot = (place) => (place >= 0 && place < data.colours ? place : data.colours);
  const groupName = (g) => g < data.colours ? nodes.name[g] || "Unnamed" :
    data.levels.length > 1 && nodes.name.length ? `Other ${plural(data.levels[0][0], 2)}` : plural(data.finest, 2);

  function style() {
    const read = getComputedStyle(document.documentElement);
    const value = (name) => read.getPropertyValue(name).trim();
    return { dark: darkness.matches, ink: value("--ink"), soft: value("--soft"), line: value("--line"), paper: value("--paper") };
  }
  function colour(place) {
    const list = darkness.matches ? darks : lights;
    return slot(place) < data.colours ? list[slot(place)] : darkness.matches ? "#8d8a83" : "#8a867c";
  }

  /* Words of articles become text here, never markup. */
  function make(tag, text, settings) {
    const element = document.createElement(tag);
    if (text !== undefined && text !== null) element.textContent = text;
    Object.entries(settings || {}).forEach(([name, value]) => { if (value) element.setAttribute(name, value); });
    return element;
  }
  const dayFormat = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
  const timeFormat = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: "UTC" });
  const day = (seconds) => dayFormat.format(new Date(seconds * 1000));
  const moment = (seconds) => day(seconds) + (seconds % 86400 ? ", " + timeFormat.format(new Date(seconds * 1000)) : "");
  const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

  /* One small box beside the pointer, or beside what has the focus. */
  const tip = make("div", null, { class: "tip", hidden: "hidden", "aria-hidden": "true" });
  document.body.append(tip);
  function showTip(lines, x, y) {
    tip.replaceChildren(...lines.map((line, n) => make(n ? "span" : "strong", line, { dir: "auto" })));
    tip.hidden = false;
    const { offsetWidth: w, offsetHeight: h } = tip;
    tip.style.left = Math.max(4, Math.min(x + 14, innerWidth - w - 6)) + "px";
    tip.style.top = (y + 18 + h > innerHeight ? Math.max(4, y - h - 12) : y + 18) + "px";
  }
  const hideTip = () => { tip.hidden = true; };
  addEventListener("scroll", hideTip, { passive: true, capture: true });

  return { data, total, theme, top, slot, groupName, style, colour, plural, number, count, size, make, day, moment,
    fold, showTip, hideTip, darkness, narrow, reduced };
})();
