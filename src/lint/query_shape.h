// Private to this room: how many series a PromQL query gives and what it is made of, from its
// outermost operations alone. The simulated Prometheus has a whole parser, which stands above this
// room and refuses functions it does not evaluate; a rule only needs the outside and must say
// nothing about what it can't tell.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace windlass::lint {

struct QueryShape {
  enum class Series { kOne, kMany, kUnknown };
  Series series = Series::kUnknown;
  // The outermost aggregation ("sum", "avg"), or empty. "avg(x) * 100" counts as avg.
  std::string aggregation;
  bool grouped = false;              // the aggregation has by or without
  std::vector<std::string> metrics;  // names selected anywhere, in order, each once
};

QueryShape shape_of(std::string_view query);

}  // namespace windlass::lint
