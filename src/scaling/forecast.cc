// forecast_demand: a weighted straight line through the recent arrival rates, a trend that has to
// prove itself, and a margin for chance taken from the traffic's own scatter (formulas and reasons
// in docs/designs/joint-policy.md).
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "scaling/demand.h"

namespace windlass::scaling {
namespace {

// One-sided 95 % of the normal distribution.
constexpr double kZ95 = 1.645;
// Periods over which old rates fade at least, so that a line has points to rest on.
constexpr double kFadePeriodsMin = 6;
// Periods whose mean stands for "now" when it is above the line: a step up must not wait.
constexpr size_t kRecentPeriods = 2;

std::vector<double> rates_of(const DemandHistory& history) {
  std::vector<double> rates;
  for (const double count : history.requests) {
    // A count that is no count is none; one bad sample must not decide over GPUs.
    rates.push_back(std::isfinite(count) && count > 0 ? count / history.period.seconds() : 0);
  }
  return rates;
}

// A line over time, 0 at the end of the history, in periods.
struct Line {
  double level = 0;  // at the end of the last period
  double slope = 0;  // a period
  double slope_error = 0;
  double scatter = 0;  // variance of a period's rate around the line
};

// Weighted least squares; a period's say falls by 1/e over every `fade` periods of age. `period` in
// seconds.
Line fit(const std::vector<double>& rates, double fade, double period) {
  double w = 0, wx = 0, wy = 0, wxx = 0, wxy = 0, ww = 0;
  const auto each = [&](auto use) {
    for (size_t i = 0; i < rates.size(); ++i) {
      // A period's rate stands for its middle.
      const double x = static_cast<double>(i) - static_cast<double>(rates.size()) + 0.5;
      use(x, rates[i], std::exp(x / fade));
    }
  };
  each([&](double x, double y, double weight) {
    w += weight;
    ww += weight * weight;
    wx += weight * x;
    wy += weight * y;
    wxx += weight * x * x;
    wxy += weight * x * y;
  });
  Line line;
  const double spread = wxx - wx * wx / w;
  // Two points always lie on a line; only from the third on does the fit say something.
  if (rates.size() >= 3) line.slope = (wxy - wx * wy / w) / spread;
  line.level = (wy - line.slope * wx) / w;
  // Poisson arrivals alone make a period's rate vary by rate/period; no scatter may claim less.
  const double poisson = std::max(line.level, 0.0) / period;
  double squares = 0;
  double slope_squares = 0;
  each([&](double x, double y, double weight) {
    const double miss = y - line.level - line.slope * x;
    squares += weight * miss * miss;
    const double pull = weight * (x - wx / w);
    slope_squares += pull * pull * std::max(miss * miss, poisson);
  });
  // Two parameters were taken from the data, so of n effective points n - 2 are left to scatter.
  const double points = w * w / ww;
  const double left = rates.size() >= 3 ? std::max(points - 2, 1.0) / points : 1;
  line.scatter = std::max(squares / w / left, poisson);
  if (rates.size() >= 3) line.slope_error = std::sqrt(slope_squares / left) / spread;
  return line;
}

// A slope within its own error is chance: it is shrunk by the share of its square that chance
// explains (the positive-part James-Stein rule with one-sided 95 %).
double proven_slope(double slope, double error) {
  if (slope == 0) return 0;
  const double chance = kZ95 * error / slope;
  return slope * std::max(0.0, 1 - chance * chance);
}

double recent_mean(const std::vector<double>& rates) {
  const size_t n = std::min(kRecentPeriods, rates.size());
  double sum = 0;
  for (size_t i = rates.size() - n; i < rates.size(); ++i) sum += rates[i];
  return sum / static_cast<double>(n);
}

}  // namespace

Forecast forecast_demand(const DemandHistory& history, Duration lead) {
  Forecast out;
  if (history.requests.empty() || history.period <= Duration{}) {
    out.why = "no traffic has been observed yet";
    return out;
  }
  const std::vector<double> rates = rates_of(history);
  const double period = history.period.seconds();
  const double lead_periods = std::max(lead.seconds(), 0.0) / period;
  const Line line = fit(rates, std::max(lead_periods, kFadePeriodsMin), period);

  const double highest = *std::max_element(rates.begin(), rates.end());
  const double slope = proven_slope(line.slope, line.slope_error);
  const double recent = recent_mean(rates);
  out.rate_now = std::max({line.level, recent, 0.0});
  out.trend_per_s = slope / period;
  // A straight line leads anywhere if followed far enough; beyond twice the highest rate ever seen
  // it is no longer a forecast.
  const double ahead = out.rate_now + std::max(slope, 0.0) * lead_periods;
  out.rate_at_lead = std::max(out.rate_now, std::min(ahead, 2 * highest));

  const double variance = std::max(line.scatter, out.rate_at_lead / period);
  // The largest of the periods in the lead time has to fit, not the mean of them.
  const double z = std::sqrt(kZ95 * kZ95 + 2 * std::log(std::max(lead_periods, 1.0)));
  out.rate_planned = out.rate_at_lead + z * std::sqrt(variance);
  if (highest == 0) out.rate_planned = 0;
  out.why = fmt::format(
      "{:.3g} requests/s now, {:.3g} within {} (trend {:+.2g}/s a minute), {:.3g} with a margin "
      "for "
      "chance",
      out.rate_now, out.rate_at_lead, to_string(lead), out.trend_per_s * 60, out.rate_planned);
  return out;
}

}  // namespace windlass::scaling
