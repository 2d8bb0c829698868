// page.js - of report.html: curves that can be read, pictures through a run.
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const SVG = "http://www.w3.org/2000/svg";
// Ten colours that stay apart for the colour blind (after Paul Tol), and dashes.
const HUES = ["#2166ac", "#d6604d", "#1b7837", "#9a7d0a", "#33a1c9", "#aa3377",
  "#e08214", "#555555", "#8c510a", "#35208a"];
const DASHES = ["", "7 4", "2 3", "9 3 2 3"];
const H = 340, LEFT = 66, RIGHT = 14, TOP = 10, BOTTOM = 44;

function element(parent, name, attributes, text) {
  const e = name.startsWith("svg:")
    ? document.createElementNS(SVG, name.slice(4))
    : document.createElement(name);
  for (const key in attributes) e.setAttribute(key, attributes[key]);
  if (text !== undefined) e.textContent = text;
  parent.appendChild(e);
  return e;
}

function number(x) {
  if (x === 0) return "0";
  const size = Math.abs(x);
  if (size >= 1e6 || size < 1e-3) return x.toExponential(2).replace("e+", "e");
  return String(+x.toPrecision(5));
}

// About five ticks at 1, 2 or 5 times a power of ten.
function linearTicks(low, high) {
  const raw = (high - low) / 5, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map(x => x * power).find(x => x >= raw * .75);
  const ticks = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++)
    ticks.push(+(i * step).toPrecision(12));
  return ticks;
}

function logTicks(low, high) {
  const ticks = [], digits = high - low > 3 ? [1] : high - low > .7 ? [1, 2, 5]
    : [1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9];
  for (let e = Math.floor(low); e <= Math.ceil(high); e++)
    for (const d of digits)
      if (Math.log10(d * 10 ** e) >= low && Math.log10(d * 10 ** e) <= high)
        ticks.push(d * 10 ** e);
  return ticks.length > 2 ? ticks
    : linearTicks(10 ** low, 10 ** high).filter(x => x > 0);
}

// ---- Curves -----------------------------------------------------------------

function Chart(parent, spec) {
  this.spec = spec;
  this.hidden = new Set();
  this.log = spec.log && this.positive();
  this.box = element(parent, "figure", { class: "chart" });
  const head = element(this.box, "div", { class: "head" });
  element(head, "h3", {}, spec.title);
  this.button = element(head, "button", { type: "button" }, "log axis");
  this.button.disabled = !this.positive();
  this.button.title = this.positive() ? "switch between linear and logarithmic"
    : "values that are not positive have no logarithm";
  this.button.onclick = () => { this.log = !this.log; this.draw(); };
  this.svg = element(this.box, "svg:svg", { role: "img",
    "aria-label": `${spec.title}: ${spec.y} by ${spec.x}` });
  this.tip = element(this.box, "div", { class: "tip", hidden: "" });
  this.legend();
  element(this.box, "figcaption", {}, spec.about);
  this.svg.addEventListener("pointermove", e => this.hover(e));
  this.svg.addEventListener("pointerdown", e => this.hover(e));
  this.svg.addEventListener("pointerleave", () => this.leave());
  this.draw();
  addEventListener("resize", () => this.draw());
}

Chart.prototype.positive = function () {
  return this.spec.series.every(s => s.points.every(p => p[1] > 0));
};

Chart.prototype.legend = function () {
  const list = element(this.box, "div", { class: "legend" });
  this.spec.series.forEach((s, i) => {
    const label = element(list, "label");
    const box = element(label, "input", { type: "checkbox" });
    box.checked = true;
    box.onchange = () => {
      if (box.checked) this.hidden.delete(i); else this.hidden.add(i);
      this.draw();
    };
    const line = element(label, "svg:svg", { width: 30, height: 10,
      style: "width:30px" });
    element(line, "svg:path", { d: "M0 5H30", stroke: HUES[s.hue % 10],
      "stroke-width": 3, "stroke-dasharray": DASHES[Math.floor(s.hue / 3) % 4] });
    element(label, "span", {}, s.name);
  });
};

Chart.prototype.shown = function () {
  return this.spec.series.map((s, i) => ({ ...s, i }))
    .filter(s => !this.hidden.has(s.i) && s.points.length);
};

Chart.prototype.span = function () {
  const points = this.shown().flatMap(s => s.points);
  const scale = this.log ? Math.log10 : x => x;
  const xs = points.map(p => p[0]), ys = points.map(p => scale(p[1]));
  let [x0, x1] = [Math.min(...xs), Math.max(...xs)];
  let [y0, y1] = [Math.min(...ys), Math.max(...ys)];
  if (!points.length) [x0, x1, y0, y1] = [0, 1, 0, 1];
  if (x0 === x1) { x0 -= .5; x1 += .5; }
  const room = y1 > y0 ? .05 * (y1 - y0) : Math.abs(y0) * .1 || .5;
  this.x = x => LEFT + (this.width - LEFT - RIGHT) * (x - x0) / (x1 - x0);
  this.y = y => TOP + (H - TOP - BOTTOM) *
    (1 - (scale(y) - y0 + room) / (y1 - y0 + 2 * room));
  return [x0, x1, y0 - room, y1 + room];
};

Chart.prototype.axes = function (x0, x1, y0, y1) {
  const svg = this.svg, bottom = H - BOTTOM;
  for (const y of this.log ? logTicks(y0, y1) : linearTicks(y0, y1)) {
    element(svg, "svg:path", { d: `M${LEFT} ${this.y(y)}H${this.width - RIGHT}`,
      stroke: "#e4e9ef" });
    element(svg, "svg:text", { x: LEFT - 7, y: this.y(y) + 4,
      "text-anchor": "end" }, number(y));
  }
  for (const x of linearTicks(x0, x1).filter(x => Number.isInteger(x))) {
    element(svg, "svg:path", { d: `M${this.x(x)} ${bottom}v5`,
      stroke: "#8894a3" });
    element(svg, "svg:text", { x: this.x(x), y: bottom + 19,
      "text-anchor": "middle" }, number(x));
  }
  element(svg, "svg:path", { fill: "none", stroke: "#8894a3",
    d: `M${LEFT} ${TOP}V${bottom}H${this.width - RIGHT}` });
  element(svg, "svg:text", { x: (LEFT + this.width - RIGHT) / 2, y: H - 6,
    "text-anchor": "middle" }, this.spec.x);
  element(svg, "svg:text", { x: 13, y: (TOP + bottom) / 2,
    "text-anchor": "middle",
    transform: `rotate(-90 13 ${(TOP + bottom) / 2})` }, this.spec.y);
};

Chart.prototype.draw = function () {
  this.width = Math.max(280, Math.min(900, this.box.clientWidth));
  this.svg.setAttribute("viewBox", `0 0 ${this.width} ${H}`);
  this.svg.replaceChildren();
  this.button.setAttribute("aria-pressed", this.log);
  this.axes(...this.span());
  for (const s of this.shown()) {
    const at = s.points.map(p => `${this.x(p[0])} ${this.y(p[1])}`);
    element(this.svg, "svg:path", { d: "M" + at.join("L"), fill: "none",
      stroke: HUES[s.hue % 10], "stroke-width": 2.5, "stroke-linejoin": "round",
      "stroke-dasharray": DASHES[Math.floor(s.hue / 3) % 4] });
    if (s.points.length <= 40)
      for (const p of s.points)
        element(this.svg, "svg:circle", { cx: this.x(p[0]), cy: this.y(p[1]),
          r: 3, fill: HUES[s.hue % 10] });
  }
  this.cross = element(this.svg, "svg:path", { stroke: "#8894a3",
    "stroke-dasharray": "3 3", d: "" });
};

Chart.prototype.hover = function (event) {
  const box = this.svg.getBoundingClientRect();
  const at = (event.clientX - box.left) * this.width / box.width;
  const xs = [...new Set(this.shown().flatMap(s => s.points.map(p => p[0])))];
  if (!xs.length) return;
  const x = xs.reduce((a, b) =>
    Math.abs(this.x(b) - at) < Math.abs(this.x(a) - at) ? b : a);
  this.cross.setAttribute("d", `M${this.x(x)} ${TOP}V${H - BOTTOM}`);
  this.tip.replaceChildren();
  element(this.tip, "b", {}, `${this.spec.x} ${number(x)}`);
  for (const s of this.shown()) {
    const p = s.points.find(p => p[0] === x);
    if (!p) continue;
    const row = element(this.tip, "div");
    element(row, "span", { style: `color:${HUES[s.hue % 10]}` }, "\u25cf ");
    element(row, "span", {}, `${s.name} ${number(p[1])}`);
  }
  this.tip.hidden = false;
  const right = this.x(x) > this.width / 2;
  const share = this.x(x) / this.width * box.width;
  this.tip.style.top =
    box.top - this.box.getBoundingClientRect().top + 12 + "px";
  this.tip.style.left = right ? "" : share + 12 + "px";
  this.tip.style.right = right ? box.width - share + 12 + "px" : "";
};

Chart.prototype.leave = function () {
  this.tip.hidden = true;
  this.cross.setAttribute("d", "");
};

// ---- Pictures through the run ------------------------------------------------

function slides(figure) {
  const spec = data.slides[+figure.dataset.slides];
  if (!spec || spec.frames.length < 2) return;
  const image = figure.querySelector("img");
  const row = element(figure, "div", { class: "slider" });
  figure.insertBefore(row, image);
  const play = element(row, "button", { type: "button" }, "play");
  const input = element(row, "input", { type: "range", min: 0, step: 1,
    max: spec.frames.length - 1, "aria-label": "epoch" });
  const text = element(row, "span");
  let timer = 0;
  const show = i => {
    input.value = i;
    image.src = spec.frames[i].src;
    text.textContent = `epoch ${spec.frames[i].epoch}`;
  };
  const stop = () => {
    clearInterval(timer);
    timer = 0;
    play.textContent = "play";
  };
  input.oninput = () => { stop(); show(+input.value); };
  play.onclick = () => {
    if (timer) return stop();
    if (+input.value === spec.frames.length - 1) show(0);
    play.textContent = "stop";
    timer = setInterval(() => {
      if (+input.value === spec.frames.length - 1) return stop();
      show(+input.value + 1);
    }, 400);
  };
  show(spec.frames.length - 1);
}

const charts = document.getElementById("charts");
for (const spec of data.charts) new Chart(charts, spec);
document.querySelectorAll("[data-slides]").forEach(slides);
document.documentElement.dataset.ready = data.charts.length;
