// Prometheus' text format, line by line: name{label="value",...} value [timestamp] [# exemplar].
// Also OpenMetrics' (whose samples look alike) and the quoted names of Prometheus 3.
#include <charconv>
#include <limits>

#include <fmt/format.h>

#include "live/signals/pod_scraper.h"

namespace windlass::live::signals {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
}
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// "nan", "+Inf", "-infinity", in any case, as Go reads them.
std::optional<double> special_number(std::string_view text) {
  double sign = 1;
  if (!text.empty() && (text.front() == '+' || text.front() == '-')) {
    if (text.front() == '-') sign = -1;
    text.remove_prefix(1);
  }
  if (text.size() > 8) return std::nullopt;
  std::string word;
  for (const char c : text) word += lower(c);
  if (word == "inf" || word == "infinity") return sign * std::numeric_limits<double>::infinity();
  if (word == "nan") return std::numeric_limits<double>::quiet_NaN();
  return std::nullopt;
}

// What stands in a message about text that may be anything.
std::string shown(std::string_view text) {
  constexpr size_t kShown = 40;
  std::string out;
  for (const char c : text.substr(0, kShown)) out += c >= ' ' && c <= '~' ? c : '?';
  return text.size() > kShown ? out + "..." : out;
}

class Line {
 public:
  explicit Line(std::string_view text) : rest_(text) {}

  Status read(ExpositionSample& sample) {
    if (!rest_.empty() && is_name_start(rest_.front())) sample.name = take_name();
    skip_blanks();
    if (!rest_.empty() && rest_.front() == '{') {
      rest_.remove_prefix(1);
      if (Status status = read_labels(sample); !status) return status;
      skip_blanks();
    }
    if (sample.name.empty()) {
      return Error(fmt::format("no metric name: \"{}\"", shown(rest_)));
    }
    const std::string_view word = take_word();
    const auto value = parse_sample_value(word);
    if (!value) return Error(fmt::format("not a number: \"{}\"", shown(word)));
    sample.value = *value;
    return read_tail();
  }

 private:
  void skip_blanks() {
    while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
  }
  std::string take_name() {
    size_t end = 0;
    while (end < rest_.size() && (is_name_start(rest_[end]) || is_digit(rest_[end]))) ++end;
    std::string name(rest_.substr(0, end));
    rest_.remove_prefix(end);
    return name;
  }
  std::string_view take_word() {
    skip_blanks();
    size_t end = 0;
    while (end < rest_.size() && !is_blank(rest_[end])) ++end;
    const std::string_view word = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return word;
  }
  // Behind the opening quote; false: it has no end.
  bool take_quoted(std::string& out) {
    for (size_t i = 0; i < rest_.size(); ++i) {
      if (rest_[i] == '"') {
        rest_.remove_prefix(i + 1);
        return true;
      }
      if (rest_[i] != '\\' || i + 1 >= rest_.size()) {
        out += rest_[i];
        continue;
      }
      ++i;
      if (rest_[i] == 'n') {
        out += '\n';
      } else {
        // An escape that means nothing stays as it is written.
        if (rest_[i] != '\\' && rest_[i] != '"') out += '\\';
        out += rest_[i];
      }
    }
    return false;
  }

  // One label, or the sample's name in quotes.
  Status read_label(ExpositionSample& sample) {
    std::string name;
    if (rest_.front() == '"') {
      rest_.remove_prefix(1);
      if (!take_quoted(name)) return Error("a quoted name without an end");
    } else if (is_name_start(rest_.front())) {
      name = take_name();
    } else {
      return Error(fmt::format("not a label's name: \"{}\"", shown(rest_)));
    }
    skip_blanks();
    if (rest_.empty() || rest_.front() != '=') {
      if (!sample.name.empty()) return Error(fmt::format("label {} without =", shown(name)));
      sample.name = std::move(name);
      return {};
    }
    rest_.remove_prefix(1);
    skip_blanks();
    if (rest_.empty() || rest_.front() != '"') {
      return Error(fmt::format("label {}: its value is not in quotes", shown(name)));
    }
    rest_.remove_prefix(1);
    std::string value;
    if (!take_quoted(value)) return Error(fmt::format("label {}: no closing quote", shown(name)));
    sample.labels.emplace_back(std::move(name), std::move(value));
    return {};
  }

  Status read_labels(ExpositionSample& sample) {
    while (true) {
      skip_blanks();
      if (rest_.empty()) return Error("labels without a closing brace");
      if (rest_.front() == '}') break;
      if (Status status = read_label(sample); !status) return status;
      skip_blanks();
      if (!rest_.empty() && rest_.front() == ',') {
        rest_.remove_prefix(1);  // a last one before the brace is allowed
      } else if (!rest_.empty() && rest_.front() != '}') {
        return Error(fmt::format("neither , nor }} behind a label: \"{}\"", shown(rest_)));
      }
    }
    rest_.remove_prefix(1);
    return {};
  }

  // A timestamp and an exemplar mean nothing here, but anything else is no sample.
  Status read_tail() {
    skip_blanks();
    if (!rest_.empty() && rest_.front() != '#') {
      const std::string_view word = take_word();
      if (!parse_sample_value(word)) {
        return Error(fmt::format("not a timestamp: \"{}\"", shown(word)));
      }
      skip_blanks();
    }
    if (rest_.empty() || rest_.front() == '#') return {};
    return Error(fmt::format("more behind the value: \"{}\"", shown(rest_)));
  }

  std::string_view rest_;
};

}  // namespace

std::optional<double> parse_sample_value(std::string_view text) {
  std::string_view digits = text;
  if (!digits.empty() && digits.front() == '+') digits.remove_prefix(1);
  double value = 0;
  const char* end = digits.data() + digits.size();
  const auto [at, error] = std::from_chars(digits.data(), end, value);
  // from_chars reads "inf" and "nan", too, but not all spellings; those are special_number's.
  const bool plain = !digits.empty() && (is_digit(digits.front()) || digits.front() == '.' ||
                                         (digits.front() == '-' && digits == text));
  if (plain && error == std::errc::result_out_of_range && at == end) {
    // Go says infinity for what is too large; what is too small is 0 for all purposes here.
    const bool tiny = digits.find("e-") != digits.npos || digits.find("E-") != digits.npos;
    const double magnitude = tiny ? 0 : std::numeric_limits<double>::infinity();
    return digits.front() == '-' ? -magnitude : magnitude;
  }
  if (plain && error == std::errc{} && at == end) return value;
  return special_number(text);
}

Result<std::vector<ExpositionSample>> parse_exposition(std::string_view text) {
  std::vector<ExpositionSample> samples;
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    while (!line.empty() && is_blank(line.front())) line.remove_prefix(1);
    if (line.empty() || line.front() == '#') continue;
    ExpositionSample sample;
    if (Status status = Line(line).read(sample); !status) {
      return status.error().in(fmt::format("line {}", number));
    }
    samples.push_back(std::move(sample));
  }
  return samples;
}

}  // namespace windlass::live::signals
