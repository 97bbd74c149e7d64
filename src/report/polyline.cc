#include "report/polyline.h"

#include <cmath>

#include "base/assert.h"

namespace windlass::report {
namespace {

// Appends a coordinate; the minus sign separates as well as a blank does.
void add_number(std::string& out, int value) {
  const char last = out.empty() ? 'M' : out.back();
  if (value >= 0 && last >= '0' && last <= '9') out += ' ';
  out += std::to_string(value);
}

// Relative steps after the first point: two or three characters where absolute ones take eight.
void add_steps(std::string& out, const PlotLine& line, PlotPoint from) {
  char command = 0;
  const auto use = [&](char c) {
    if (command != c) out += c;
    command = c;
  };
  for (const PlotPoint& to : line) {
    const int dx = to.x - from.x;
    const int dy = to.y - from.y;
    from = to;
    if (dx == 0 && dy == 0) continue;
    if (dy == 0) {
      use('h');
      add_number(out, dx);
    } else if (dx == 0) {
      use('v');
      add_number(out, dy);
    } else {
      use('l');
      add_number(out, dx);
      add_number(out, dy);
    }
  }
}

void add_start(std::string& out, PlotPoint at) {
  out += 'M';
  add_number(out, at.x);
  add_number(out, at.y);
}

// The samples of one pixel column, of which the first highest and first lowest are kept, in order.
struct Column {
  PlotPoint low, high;
  bool low_first = true;
  bool empty = true;

  void add(PlotPoint p) {
    if (empty) {
      low = high = p;
      empty = false;
    } else if (p.y > low.y) {
      low = p;
      low_first = false;
    } else if (p.y < high.y) {
      high = p;
      low_first = true;
    }
  }
  void flush_to(PlotLine& line) {
    if (empty) return;
    line.push_back(low_first ? low : high);
    if (!(low == high)) line.push_back(low_first ? high : low);
    empty = true;
  }
};

// Drops the inner points of level runs; counts of replicas stand still for hours.
PlotLine without_level_points(const PlotLine& line) {
  PlotLine out;
  for (size_t i = 0; i < line.size(); ++i) {
    const bool level =
        i > 0 && i + 1 < line.size() && line[i - 1].y == line[i].y && line[i].y == line[i + 1].y;
    if (!level) out.push_back(line[i]);
  }
  return out;
}

}  // namespace

std::vector<PlotLine> thin(std::span<const double> t, std::span<const double> y,
                           const Scale& x_scale, const Scale& y_scale) {
  WL_ASSERT(t.size() == y.size());
  std::vector<PlotLine> lines;
  PlotLine line;
  Column column;
  int at = -1;
  const auto end_line = [&] {
    column.flush_to(line);
    if (!line.empty()) lines.push_back(without_level_points(line));
    line.clear();
    at = -1;
  };
  for (size_t i = 0; i < t.size(); ++i) {
    if (!std::isfinite(t[i]) || !std::isfinite(y[i])) {
      end_line();
      continue;
    }
    const int x = static_cast<int>(std::lround(x_scale.position(t[i]) * kPlotColumns));
    const int from_top = static_cast<int>(std::lround((1 - y_scale.position(y[i])) * kPlotRows));
    if (x != at) column.flush_to(line);
    at = x;
    column.add({x, from_top});
  }
  end_line();
  return lines;
}

std::string line_path(const std::vector<PlotLine>& lines) {
  std::string out;
  for (const PlotLine& line : lines) {
    add_start(out, line.front());
    add_steps(out, line, line.front());
    // A lone sample is a step of no length, which a round line cap shows as a dot.
    if (line.size() == 1) out += "h0";
  }
  return out;
}

std::string area_path(const std::vector<PlotLine>& lines) {
  std::string out;
  for (const PlotLine& line : lines) {
    if (line.size() < 2) continue;
    const PlotPoint foot{line.front().x, kPlotRows};
    add_start(out, foot);
    add_steps(out, line, foot);
    out += 'V' + std::to_string(kPlotRows) + 'z';
  }
  return out;
}

std::string band_path(const PlotLine& upper, const PlotLine& lower) {
  WL_ASSERT(upper.size() == lower.size());
  if (upper.empty()) return "";
  std::string out;
  add_start(out, upper.front());
  add_steps(out, without_level_points(upper), upper.front());
  PlotLine back(lower.rbegin(), lower.rend());
  // The steps go on from where the upper edge ended.
  add_steps(out, without_level_points(back), upper.back());
  return out + 'z';
}

}  // namespace windlass::report
