#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"
#include "sim/prometheus/parser.h"

namespace windlass::sim::prometheus {
namespace {

struct AggregatorRow {
  std::string_view name;
  std::optional<Aggregator> aggregator;  // none: Prometheus has it, the subset has not
};
constexpr std::array<AggregatorRow, 12> kAggregators = {{{"sum", Aggregator::kSum},
                                                         {"avg", Aggregator::kAvg},
                                                         {"min", Aggregator::kMin},
                                                         {"max", Aggregator::kMax},
                                                         {"count", Aggregator::kCount},
                                                         {"quantile", Aggregator::kQuantile},
                                                         {"stddev", {}},
                                                         {"stdvar", {}},
                                                         {"topk", {}},
                                                         {"bottomk", {}},
                                                         {"group", {}},
                                                         {"count_values", {}}}};

const AggregatorRow* find_aggregator(std::string_view name) {
  const auto* row = std::ranges::find(kAggregators, lower(name), &AggregatorRow::name);
  return row == kAggregators.end() ? nullptr : row;
}

}  // namespace

bool Parser::at_aggregator() const { return find_aggregator(peek().text) != nullptr; }

// No trailing comma here: Prometheus allows it in lists of labels only.
Result<Parser::Arguments> Parser::parse_arguments() {
  Arguments arguments;
  if (const Status opened = expect("(", "`(`"); !opened) return opened.error();
  if (at_symbol(")")) {
    take();
    return arguments;
  }
  while (true) {
    arguments.positions.push_back(peek().position);
    auto argument = parse_expression();
    if (!argument) return argument.error();
    arguments.values.push_back(std::move(*argument));
    if (!at_symbol(",")) break;
    take();
  }
  if (const Status closed = expect(")", "an operator, `,` or `)`"); !closed) return closed.error();
  return arguments;
}

// Function names are case-sensitive, unlike those of aggregations.
Result<Query> Parser::parse_call() {
  const Token name = take();
  const Function* function = find_function(name.text);
  if (function == nullptr) {
    const auto known = function_names();
    const std::string_view nearest = nearest_name(lower(name.text), known);
    return error_from(
        name.position,
        fmt::format(
            "{} {}{} (accepted: {})",
            is_known_elsewhere(name.text) ? "not in the subset: the function" : "unknown function",
            shown(name), nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest),
            fmt::join(known, ", ")));
  }
  auto arguments = parse_arguments();
  if (!arguments) return arguments.error();
  const Status fits = check_arguments(function->signature, *arguments, name.position);
  if (!fits) return fits.error();
  int depth = 0;
  for (const Query& argument : arguments->values) depth = std::max(depth, argument->depth);
  return make(function->returns, Call{function, std::move(arguments->values)}, depth);
}

// Positions point at the argument that is wrong, not at the function.
Status Parser::check_arguments(const Signature& signature, const Arguments& arguments,
                               size_t position) const {
  const size_t count = arguments.values.size();
  const size_t most = signature.parameters.size();
  if (count < signature.required || count > most) {
    const std::string accepted = signature.required == most
                                     ? fmt::format("{}", most)
                                     : fmt::format("{} to {}", signature.required, most);
    return error_from(position, fmt::format("{}() with {} arguments (accepted: {})", signature.name,
                                            count, accepted));
  }
  for (size_t i = 0; i < count; ++i) {
    if (arguments.values[i]->type == signature.parameters[i]) continue;
    return error_from(arguments.positions[i],
                      fmt::format("{}() takes {} as argument {}, found {}", signature.name,
                                  to_string(signature.parameters[i]), i + 1,
                                  to_string(arguments.values[i]->type)));
  }
  return {};
}

// The modifier may stand on either side of the arguments, but not on both.
Result<Query> Parser::parse_aggregation() {
  const Token name = take();
  const AggregatorRow* row = find_aggregator(name.text);
  if (!row->aggregator) {
    return error_from(name.position,
                      fmt::format("not in the subset: the aggregation {} (accepted: sum, avg, min, "
                                  "max, count, quantile)",
                                  shown(name)));
  }
  // Without a modifier all series fall into one group: by ().
  LabelSubset grouping{.listed_only = true, .names = {}};
  const bool modifier_first = !at_symbol("(");
  if (const Status parsed = parse_grouping(grouping); !parsed) return parsed.error();
  auto arguments = parse_arguments();
  if (!arguments) return arguments.error();
  if (!modifier_first) {
    if (const Status parsed = parse_grouping(grouping); !parsed) return parsed.error();
  }
  const bool has_parameter = row->aggregator == Aggregator::kQuantile;
  Signature signature{row->name, {ValueType::kVector}, 1};
  if (has_parameter) signature = {row->name, {ValueType::kScalar, ValueType::kVector}, 2};
  const Status fits = check_arguments(signature, *arguments, name.position);
  if (!fits) return fits.error();
  const Query operand = arguments->values.back();
  const Query parameter = has_parameter ? arguments->values.front() : nullptr;
  const int depth = std::max(operand->depth, has_parameter ? parameter->depth : 0);
  return make(ValueType::kVector,
              Aggregation{*row->aggregator, std::move(grouping), parameter, operand}, depth);
}

Status Parser::parse_grouping(LabelSubset& grouping) {
  const bool by = at_keyword("by");
  if (!by && !at_keyword("without")) return {};
  take();
  auto labels = parse_label_list(by);
  if (!labels) return labels.error();
  grouping = std::move(*labels);
  return {};
}

}  // namespace windlass::sim::prometheus
