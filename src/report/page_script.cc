// The page's script: a crosshair through all plots at one time, and a box with the values at that
// time. Nothing else depends on it; without it the page is complete but silent. It is a module, so
// its names are its own.
#include "report/page_assets.h"

namespace windlass::report {
namespace {

constexpr std::string_view kScript = R"js(
const data = JSON.parse(document.getElementById("samples").textContent);
const plots = [...document.querySelectorAll("[data-plot]")];
const crosses = plots.map((plot) => plot.querySelector(".cross"));
const tip = document.createElement("div");
tip.className = "tip";
tip.hidden = true;
document.body.append(tip);

const fixed = (value, digits) =>
  value.toLocaleString("en-US", {minimumFractionDigits: digits, maximumFractionDigits: digits});
const text = {
  n: (v) => v.toLocaleString("en-US", {maximumFractionDigits: 1}),
  rate: (v) => fixed(v, v < 10 ? 2 : 1),
  s: (v) => fixed(v, v < 10 ? 1 : 0) + " s",
  ms: (v) => v < 1000 ? fixed(v, v < 100 ? 1 : 0) + " ms" : fixed(v / 1000, 2) + " s",
  share: (v) => fixed(v * 100, 1) + " %",
  usd: (v) => "$" + fixed(v, 2),
};
const clock = (t) => {
  const two = (n) => String(Math.floor(n)).padStart(2, "0");
  const hm = Math.floor(t / 3600) + ":" + two(t / 60 % 60);
  return data.end < 3600 ? hm + ":" + two(t % 60) : hm;
};

// The sample nearest to a time; -1 beyond the end of a run that stopped early.
const nearest = (times, t) => {
  let low = 0, high = times.length - 1;
  if (high < 0) return -1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] < t) low = middle + 1; else high = middle;
  }
  if (low > 0 && t - times[low - 1] < times[low] - t) low -= 1;
  const period = times.length > 1 ? times[1] - times[0] : data.end;
  return Math.abs(times[low] - t) > 2 * period ? -1 : low;
};

const line = (series, at) => {
  const row = document.createElement("div");
  const mark = document.createElement("i");
  mark.className = "swatch fill " + series.c;
  const label = document.createElement("span");
  label.textContent = series.l;
  const value = document.createElement("em");
  const number = at < 0 ? null : data.policies[series.p][series.f]?.[at];
  value.textContent = number == null ? "-" : text[series.u](number);
  row.append(mark, label, value);
  return row;
};

const hide = () => {
  tip.hidden = true;
  for (const cross of crosses) cross.style.visibility = "hidden";
};

const show = (plot, share, y) => {
  const series = data.plots[plot.dataset.plot];
  const t = Math.min(Math.max(share, 0), 1) * data.end;
  const first = data.policies[series[0]?.p ?? 0].t;
  const at = nearest(first, t);
  const shown = at < 0 ? t : first[at];
  const x = 100 * shown / data.end + "%";
  for (const cross of crosses) {
    cross.setAttribute("x1", x);
    cross.setAttribute("x2", x);
    cross.style.visibility = "visible";
  }
  const time = document.createElement("b");
  time.textContent = clock(shown);
  // A stack of ten types is mostly zeros; those are not read out.
  const rows = series
    .map((s) => [s, nearest(data.policies[s.p].t, shown)])
    .filter(([s, i]) => !(/^n\d/.test(s.f) && !(data.policies[s.p][s.f]?.[i] > 0)))
    .map(([s, i]) => line(s, i));
  tip.replaceChildren(time, ...rows);
  tip.hidden = false;
  const frame = plot.querySelector(".frame").getBoundingClientRect();
  const left = frame.left + frame.width * shown / data.end;
  tip.style.left = "0";  // at an edge the box would be squeezed, and measured so
  const box = tip.getBoundingClientRect();
  const fits = left + 16 + box.width < document.documentElement.clientWidth;
  tip.style.left = Math.max(4, fits ? left + 14 : left - 14 - box.width) + "px";
  tip.style.top = Math.max(4, Math.min(y + 14, innerHeight - box.height - 4)) + "px";
};

for (const plot of plots) {
  const frame = plot.querySelector(".frame");
  let share = 0.5;
  plot.tabIndex = 0;
  const point = (event) => {
    const box = frame.getBoundingClientRect();
    share = (event.clientX - box.left) / box.width;
    show(plot, share, event.clientY);
  };
  plot.addEventListener("pointermove", point);
  plot.addEventListener("pointerdown", point);
  plot.addEventListener("pointerleave", hide);
  plot.addEventListener("blur", hide);
  plot.addEventListener("keydown", (event) => {
    const step = {ArrowLeft: -1, ArrowRight: 1}[event.key];
    if (event.key === "Escape") hide();
    if (!step) return;
    event.preventDefault();
    share = Math.min(Math.max(share + step * (event.shiftKey ? 0.05 : 0.005), 0), 1);
    show(plot, share, frame.getBoundingClientRect().top);
  });
}
)js";

}  // namespace

std::string_view page_script() { return kScript; }

}  // namespace windlass::report
