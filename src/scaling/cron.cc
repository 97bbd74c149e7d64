// Parsing of cron expressions, by the rules of robfig/cron's standard parser, which KEDA and
// Karpenter both use.
#include "scaling/cron.h"

#include <array>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"

namespace windlass::scaling {
namespace {

struct Field {
  std::string_view name;
  int min;
  int max;
  std::vector<std::string_view> names;  // of min, min + 1, ...
};

const std::array<Field, 5>& fields() {
  static const std::array<Field, 5> all{
      Field{"minute", 0, 59, {}}, Field{"hour", 0, 23, {}}, Field{"day of month", 1, 31, {}},
      Field{"month",
            1,
            12,
            {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
      // 7 is not Sunday here: robfig/cron refuses it.
      Field{"day of week", 0, 6, {"sun", "mon", "tue", "wed", "thu", "fri", "sat"}}};
  return all;
}

struct Bits {
  uint64_t set = 0;
  bool any = false;  // a bare * or ?
};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

Result<int> parse_value(std::string_view text, const Field& field) {
  const std::string name = lower(text);
  for (size_t i = 0; i < field.names.size(); ++i) {
    if (name == field.names[i]) return field.min + static_cast<int>(i);
  }
  const auto number = parse_int(text);
  if (!number.ok() || *number < field.min || *number > field.max) {
    return Error(fmt::format("\"{}\" is not {} to {}{}", text, field.min, field.max,
                             field.names.empty() ? "" : " or a name of three letters"));
  }
  return static_cast<int>(*number);
}

// One item of a list: "*", "5", "1-5", each with "/step"; "5/10" means from 5 to the end.
Result<Bits> parse_range(std::string_view text, const Field& field) {
  const auto slash = split(text, '/');
  const auto ends = split(slash[0], '-');
  if (slash.size() > 2) return Error(fmt::format("too many slashes in \"{}\"", text));
  if (ends.size() > 2) return Error(fmt::format("too many hyphens in \"{}\"", text));
  Bits bits;
  int from = field.min;
  int to = field.max;
  if (ends[0] == "*" || ends[0] == "?") {
    bits.any = true;
  } else {
    const auto low = parse_value(ends[0], field);
    if (!low.ok()) return low.error();
    const auto high = parse_value(ends.back(), field);
    if (!high.ok()) return high.error();
    from = *low;
    to = ends.size() == 1 && slash.size() == 2 ? field.max : *high;
  }
  int64_t step = 1;
  if (slash.size() == 2) {
    const auto number = parse_int(slash[1]);
    if (!number.ok() || *number <= 0) {
      return Error(fmt::format("the step \"{}\" is not a number above 0", slash[1]));
    }
    step = *number;
    // "*/2" restricts the days, so it takes part in the OR of both day fields; "*" does not.
    if (step > 1) bits.any = false;
  }
  if (from > to) return Error(fmt::format("the range \"{}\" runs backwards", text));
  for (int64_t value = from; value <= to; value += step) {
    bits.set |= uint64_t{1} << value;
    if (step > field.max) break;  // also keeps value + step from overflowing
  }
  return bits;
}

Result<Bits> parse_field(std::string_view text, const Field& field) {
  Bits bits;
  for (const std::string_view item : split(text, ',')) {
    // An empty item ("1,,2") is passed over, as robfig/cron does.
    if (item.empty()) continue;
    const auto range = parse_range(item, field);
    if (!range.ok()) return range.error().in(field.name);
    bits.set |= range->set;
    bits.any = bits.any || range->any;
  }
  if (bits.set == 0) return Error(fmt::format("{}: no value in \"{}\"", field.name, text));
  return bits;
}

std::string_view expand_descriptor(std::string_view name) {
  if (name == "@yearly" || name == "@annually") return "0 0 1 1 *";
  if (name == "@monthly") return "0 0 1 * *";
  if (name == "@weekly") return "0 0 * * 0";
  if (name == "@daily" || name == "@midnight") return "0 0 * * *";
  if (name == "@hourly") return "0 * * * *";
  return {};
}

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> out;
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  size_t at = text.find_first_not_of(kSpace);
  while (at != std::string_view::npos) {
    const size_t end = std::min(text.find_first_of(kSpace, at), text.size());
    out.push_back(text.substr(at, end - at));
    at = text.find_first_not_of(kSpace, end);
  }
  return out;
}

}  // namespace

Result<CronSchedule> CronSchedule::parse(std::string_view expression) {
  const auto bad = [&](std::string_view what) {
    // Only the start of a long text: it may be anything.
    return Error(fmt::format("not a cron schedule: \"{}\": {}", expression.substr(0, 80), what));
  };
  std::string_view text = trim(expression);
  if (text.starts_with('@')) {
    text = expand_descriptor(text);
    if (text.empty()) {
      return bad("accepted: @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly");
    }
  }
  const auto parts = words(text);
  if (parts.size() != 5) {
    return bad(
        fmt::format("{} fields, not 5 (minute hour day-of-month month day-of-week)", parts.size()));
  }
  std::array<Bits, 5> bits;
  for (size_t i = 0; i < parts.size(); ++i) {
    const auto field = parse_field(parts[i], fields()[i]);
    if (!field.ok()) return bad(field.error().message());
    bits[i] = *field;
  }
  CronSchedule schedule;
  schedule.minutes_ = bits[0].set;
  schedule.hours_ = bits[1].set;
  schedule.days_ = bits[2].set;
  schedule.months_ = bits[3].set;
  schedule.weekdays_ = bits[4].set;
  schedule.any_day_ = bits[2].any;
  schedule.any_weekday_ = bits[4].any;
  return schedule;
}

}  // namespace windlass::scaling
