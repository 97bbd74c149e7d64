#include "report/headline.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include <fmt/format.h>

#include "base/text.h"
#include "report/figures.h"
#include "report/html_parts.h"
#include "report/palette.h"
#include "report/result_rows.h"

namespace windlass::report {
namespace {

using sim::RunResult;
using sim::ScenarioResult;

struct Card {
  std::string title;
  bool more_is_better = false;
  bool is_share = false;  // changes in points, bars up to 100 %
  std::function<double(const RunResult&)> read;
  std::string (*text)(double);
};

std::vector<Card> cards(const ScenarioResult& result) {
  const std::string slo = common_slo(result);
  return {{"Cost", false, false, [](const RunResult& r) { return r.cost_usd; }, dollars},
          {slo.empty() ? "SLO attainment" : "Within the SLO of " + slo, true, true,
           [](const RunResult& r) { return r.slo_attainment; }, percent},
          {"Latency P95", false, false, [](const RunResult& r) { return r.latency_ms.p95; },
           millis_text},
          {"GPU utilisation", true, true, [](const RunResult& r) { return r.gpu_utilization; },
           percent},
          {"Claim to first token, P50", false, false,
           [](const RunResult& r) { return r.provisioning_s.first_token.p50; }, seconds_text}};
}

// "▼ 71 % vs static". The arrow carries the direction; the colour says whether that is welcome.
std::string change(const Card& card, const RunResult& hero, const RunResult& against) {
  if (&hero == &against) return "";
  // Even a percentile of the first three hours says nothing beside one of the whole day.
  if (!comparable(hero, against)) return "<p class=\"change\">lengths differ, not compared</p>";
  const double to = card.read(hero);
  const double from = card.read(against);
  const double difference = card.is_share ? (to - from) * 100 : change_percent(to, from);
  if (!std::isfinite(difference)) return "";
  const std::string size = decimal(std::abs(difference), std::abs(difference) < 10 ? 1 : 0);
  const std::string versus = " vs " + html_escape(printable(against.policy));
  if (size == "0.0") return "<p class=\"change\">unchanged" + versus + "</p>";
  const bool more = difference > 0;
  return fmt::format("<p class=\"change {}\">{} {}{}{}</p>",
                     more == card.more_is_better ? "good" : "bad", more ? "▲" : "▼", size,
                     card.is_share ? " points" : " %", versus);
}

// The first policy that has the figure: a static fleet launches nothing, so it has no clocks.
const RunResult& baseline(const Card& card, const ScenarioResult& result) {
  for (const RunResult& run : result.policies) {
    if (std::isfinite(card.read(run))) return run;
  }
  return result.policies.front();
}

std::string bars(const Card& card, const ScenarioResult& result, size_t hero,
                 const std::vector<std::string>& classes) {
  double max = card.is_share ? 1 : 0;
  for (const RunResult& run : result.policies) {
    if (std::isfinite(card.read(run))) max = std::max(max, card.read(run));
  }
  std::string out = "<ul class=\"compare\">";
  for (size_t i = 0; i < result.policies.size(); ++i) {
    const double value = card.read(result.policies[i]);
    const double share = std::isfinite(value) && max > 0 ? std::max(value / max, 0.0) : 0;
    out += fmt::format(
        "<li{0}><span class=\"who\" title=\"{1}\">{1}</span><span class=\"track\"><i class=\"{2}\" "
        "style=\"width:{3:.1f}%\"></i></span><span class=\"much\">{4}</span></li>",
        i == hero ? " class=\"hero\"" : "", html_escape(printable(result.policies[i].policy)),
        classes[i], share * 100, card.text(value));
  }
  return out + "</ul>";
}

}  // namespace

std::string headline(const ScenarioResult& result) {
  if (result.policies.empty()) return "";
  size_t hero = result.policies.size() - 1;
  for (size_t i = 0; i < result.policies.size(); ++i) {
    if (result.policies[i].policy == "windlass") hero = i;
  }
  const std::vector<std::string> classes = policy_classes(result);
  const RunResult& run = result.policies[hero];
  std::string out = "<section class=\"headline\" aria-label=\"Headline figures\">\n";
  for (const Card& card : cards(result)) {
    out += fmt::format("<article><h2>{}</h2><p class=\"figure\">{}</p>{}", html_escape(card.title),
                       card.text(card.read(run)), change(card, run, baseline(card, result)));
    if (result.policies.size() > 1) out += bars(card, result, hero, classes);
    out += "</article>\n";
  }
  return out + "</section>\n";
}

}  // namespace windlass::report
