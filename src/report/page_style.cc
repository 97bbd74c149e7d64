// The page's style sheet. Colours are variables: a light set, and a dark one for readers whose
// system is dark. Policy and node hues were checked for contrast and for the common colour-vision
// deficiencies on both grounds.
#include <string>

#include "report/page_assets.h"

namespace windlass::report {
namespace {

constexpr std::string_view kColours = R"css(
:root {
  color-scheme: light dark;
  --page: #f6f5f2; --card: #ffffff; --rule: #e3e1db; --grid: #ecebe6; --base: #bdbab2;
  --ink: #1a1a18; --ink2: #5a5852; --ink3: #6f6d66;
  --good: #13703f; --bad: #b3261e; --slo: #b3261e;
  --p0: #77756f; --p1: #d9581c; --p2: #1f6fd6; --p3: #b58900; --p4: #8e2f86; --p5: #0b6b50;
  --n0: #0a8a72; --n1: #5b43b5; --n2: #e3a712; --n3: #a3261e; --n4: #e07fae; --n5: #3f6212;
  --nx: #9b9890;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #121211; --card: #1b1b1a; --rule: #32312f; --grid: #2a2928; --base: #5c5a55;
    --ink: #f2f1ed; --ink2: #b9b7b0; --ink3: #98968f;
    --good: #55c98a; --bad: #ff8a7a; --slo: #ff8a7a;
    --p0: #a3a29b; --p1: #f0793d; --p2: #4f9bf5; --p3: #e3c04a; --p4: #d17fd0; --p5: #3fae86;
    --n0: #1fa487; --n1: #9a86f2; --n2: #e0b13a; --n3: #d6604f; --n4: #b8578a; --n5: #9bcf6a;
    --nx: #75736c;
  }
}
.p0 { --c: var(--p0); } .p1 { --c: var(--p1); } .p2 { --c: var(--p2); }
.p3 { --c: var(--p3); } .p4 { --c: var(--p4); } .p5 { --c: var(--p5); }
.n0 { --c: var(--n0); } .n1 { --c: var(--n1); } .n2 { --c: var(--n2); }
.n3 { --c: var(--n3); } .n4 { --c: var(--n4); } .n5 { --c: var(--n5); }
.nx { --c: var(--nx); } .ink { --c: var(--ink); }
.slo { --c: var(--slo); }
)css";

constexpr std::string_view kLayout = R"css(
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
main { max-width: 1320px; margin: 0 auto; padding: 32px 24px 64px; }
h1, h2, p, ul, dl, dd, figure { margin: 0; padding: 0; }
ul { list-style: none; }
h1 { font-size: 32px; line-height: 1.2; letter-spacing: -.015em; overflow-wrap: anywhere; }
h2 { font-size: 16px; line-height: 1.35; }
.kind { color: var(--ink3); font-size: 13px; margin-bottom: 4px; }
.facts { display: flex; flex-wrap: wrap; gap: 4px 24px; margin-top: 12px; color: var(--ink2); }
.facts div { display: flex; gap: 6px; }
.facts dt { color: var(--ink3); }
.facts dd { color: var(--ink); font-variant-numeric: tabular-nums; }
.policies { display: flex; flex-wrap: wrap; gap: 4px 28px; margin-top: 12px; }
.policies span { color: var(--ink2); }
.partial { margin-top: 12px; padding: 8px 12px; border-left: 3px solid var(--bad);
  background: var(--card); width: fit-content; }
.swatch { display: inline-block; width: 12px; height: 12px; border-radius: 3px; flex: none;
  margin-right: 7px; background: var(--c); vertical-align: -1px; }
.swatch.line { height: 0; width: 16px; border-radius: 0; background: none;
  border-top: 2.5px solid var(--c); vertical-align: 4px; }
.swatch.spot, .swatch.pale { background: color-mix(in srgb, var(--c) 48%, var(--card)); }
.swatch.dashed.line, .swatch.slo.line { border-top-style: dashed; }

.several .swatch { margin-right: 2px; }
.several .swatch:last-of-type { margin-right: 7px; }

.headline { display: grid; grid-template-columns: repeat(auto-fit, minmax(220px, 1fr)); gap: 16px;
  margin-top: 28px; }
article, .panel, .results, .notes, details { background: var(--card); border: 1px solid var(--rule);
  border-radius: 10px; }
article { padding: 16px 18px 14px; display: flex; flex-direction: column; }
article h2 { font-size: 13px; font-weight: 500; color: var(--ink2); }
.figure { font-size: 34px; line-height: 1.25; font-weight: 600; letter-spacing: -.02em; }
.change { font-size: 13px; color: var(--ink2); }
.change.good { color: var(--good); } .change.bad { color: var(--bad); }
.compare { display: grid; grid-template-columns: fit-content(46%) minmax(24px, 1fr) auto;
  column-gap: 8px; align-items: center; line-height: 1.7; margin-top: auto; padding-top: 14px;
  font-size: 12.5px; color: var(--ink2); }
.compare li { display: contents; }
.compare .hero { color: var(--ink); font-weight: 600; }
.who { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.track { height: 7px; background: var(--grid); border-radius: 3px; overflow: hidden; }
.track i { display: block; height: 100%; background: var(--c); border-radius: 3px; }
.much { font-variant-numeric: tabular-nums; min-width: 58px; text-align: right; }

.read { display: grid; grid-template-columns: minmax(0, 1.45fr) minmax(0, 1fr); gap: 16px;
  margin-top: 16px; align-items: start; }
.beside { display: grid; gap: 16px; align-items: start; }
.read.many { grid-template-columns: minmax(0, 1fr); }
.read.many .beside { grid-template-columns: repeat(2, minmax(0, 1fr)); }
.read.many .notes { grid-column: 1 / -1; }
.results, .notes { padding: 18px 20px; }
.notes li { margin-top: 10px; padding-left: 14px; border-left: 2px solid var(--rule);
  color: var(--ink2); font-size: 14px; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; margin-top: 8px; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th { font-weight: 400; text-align: left; }
td, th { padding: 3px 10px; white-space: nowrap; }
.num, thead th { text-align: right; font-variant-numeric: tabular-nums; }
.results thead th { font-weight: 600; border-bottom: 1px solid var(--rule); }
.results thead td { border-bottom: 1px solid var(--rule); }
.results tbody th { color: var(--ink2); padding-left: 0; }
.results td:last-child, .results thead th:last-child { padding-right: 0; }
.results .group th { color: var(--ink); font-weight: 600; font-size: 13px; padding-top: 12px; }
.results tr:not(.group):hover td, .results tr:not(.group):hover th { background: var(--grid); }
.empty { color: var(--ink3); padding: 24px 0; }
)css";

constexpr std::string_view kCharts = R"css(
.part { font-size: 22px; margin-top: 40px; }
.why { color: var(--ink2); font-size: 13.5px; }
.panels { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 16px;
  margin-top: 16px; }
.panel { padding: 18px 20px 14px; min-width: 0; }
.panel.full { grid-column: 1 / -1; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 18px; font-size: 13px; color: var(--ink2);
  margin-top: 8px; min-height: 20px; }
.multiples { display: grid; grid-template-columns: repeat(auto-fit, minmax(290px, 1fr));
  gap: 8px 20px; margin-top: 10px; }
figcaption { font-size: 13px; font-weight: 600; }
.plot { container: plot / inline-size; padding: 12px 20px 28px 56px; }
.plot:focus-visible { outline: 2px solid var(--p2); outline-offset: -2px; border-radius: 6px; }
.frame { display: block; width: 100%; height: 180px; overflow: visible; }
.wide .frame { height: 220px; }
.beside .frame { height: 210px; }
.data { overflow: visible; }
.axis line { stroke: var(--grid); stroke-width: 1; shape-rendering: crispEdges; }
.axis .base { stroke: var(--base); }
.axis .tick { fill: var(--base); }
svg text { font-size: 11.5px; fill: var(--ink3); font-variant-numeric: tabular-nums; }
svg text.y { text-anchor: end; }
svg text.x { text-anchor: middle; }
.area { fill: var(--c); fill-opacity: .26; stroke: none; }
.line { fill: none; stroke: var(--c); stroke-width: 2; stroke-linejoin: round;
  stroke-linecap: round; vector-effect: non-scaling-stroke; }
.area + .line { stroke-width: 1.1; }
.line.thin { stroke-width: 1.4; }
.line.dashed { stroke-dasharray: 6 4; }
.layer { fill: var(--c); stroke: var(--card); stroke-width: .75;
  vector-effect: non-scaling-stroke; }
.layer.spot { fill: color-mix(in srgb, var(--c) 48%, var(--card)); }
line.reference { stroke: var(--slo); stroke-width: 1.25; stroke-dasharray: 5 4; }
svg text.reference { fill: var(--slo); text-anchor: end; paint-order: stroke; stroke: var(--card);
  stroke-width: 3px; }
.plot.bars { container-name: bars; padding: 4px 118px 28px 0; }
.bar { fill: var(--c); }
.bar.high { fill: color-mix(in srgb, var(--c) 42%, var(--card)); }
svg text.group { font-weight: 600; fill: var(--ink); font-size: 12.5px; }
svg text.value { fill: var(--ink2); font-size: 12px; }
.cross { stroke: var(--ink3); stroke-width: 1; visibility: hidden; pointer-events: none; }
.tip { position: fixed; z-index: 2; pointer-events: none; background: var(--card);
  color: var(--ink); border: 1px solid var(--rule); border-radius: 8px;
  box-shadow: 0 4px 18px rgb(0 0 0 / .18);
  padding: 8px 12px; font-size: 12.5px; line-height: 1.55; width: max-content;
  max-width: min(300px, 92vw); }
.tip b { display: block; font-variant-numeric: tabular-nums; }
.tip div { display: flex; align-items: center; }
.tip span { margin-right: 16px; overflow-wrap: break-word; min-width: 0; }
.tip em { margin-left: auto; font-style: normal; font-weight: 600; white-space: nowrap;
  font-variant-numeric: tabular-nums; }

.node-tables { margin-top: 40px; }
.node-tables h2 { font-size: 22px; margin-bottom: 12px; }
details { margin-top: 8px; padding: 0 18px; }
summary { padding: 12px 0; cursor: pointer; font-weight: 600; }
summary .count { font-weight: 400; color: var(--ink2); margin-left: 6px; }
details .scroll { margin: 0 0 16px; max-height: 460px; overflow: auto; }
.nodes { font-size: 13px; }
.nodes th { position: sticky; top: 0; background: var(--card); color: var(--ink2);
  border-bottom: 1px solid var(--rule); text-align: left; }
.nodes th.num { text-align: right; }
.nodes tbody tr:nth-child(even) { background: var(--page); }

@container plot (max-width: 350px) { svg text.odd { display: none; } }
@container bars (max-width: 200px) { svg text.odd { display: none; } }
@media (max-width: 900px) {
  .panels, .read, .read.many .beside { grid-template-columns: minmax(0, 1fr); }
}
@media (max-width: 560px) {
  main { padding: 20px 12px 40px; }
  h1 { font-size: 25px; }
  .headline { gap: 10px; margin-top: 20px; }
  .panel, .results, .notes { padding: 14px 14px 10px; }
  .multiples { grid-template-columns: minmax(0, 1fr); }
  .plot { padding: 10px 14px 26px 50px; }
  .plot.bars { padding: 4px 102px 26px 0; }
  table { font-size: 12.5px; }
  td, th { padding: 3px 4px; }
  .results tbody th { white-space: normal; }
  .results thead .swatch { display: none; }
  .results tbody:last-child tr:last-child td { overflow-wrap: anywhere; white-space: normal;
    font-size: 11px; }
}
@media print {
  body { background: none; }
  article, .panel, details, .results, .notes { break-inside: avoid; }
}
)css";

}  // namespace

std::string_view page_style() {
  static const std::string style =
      std::string(kColours) + std::string(kLayout) + std::string(kCharts);
  return style;
}

}  // namespace windlass::report
