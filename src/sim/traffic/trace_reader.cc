#include "sim/traffic/trace_reader.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <fmt/format.h>

#include "base/text.h"
#include "base/time.h"

namespace windlass::sim {
namespace {

constexpr size_t kBufferBytes = 1 << 16;
constexpr size_t kLongestLine = 4096;  // far beyond any row; bounds what a bad file can cost
constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kLatestSecond = 4'000'000'000;  // 126 years: sums of two such times fit int64 ns
constexpr std::string_view kAzureHeader = "TIMESTAMP,ContextTokens,GeneratedTokens";
constexpr std::string_view kPlainHeader = "time_s,input_tokens,output_tokens";
constexpr std::array<std::string_view, 3> kAzureColumns = {"TIMESTAMP", "ContextTokens",
                                                           "GeneratedTokens"};
constexpr std::array<std::string_view, 3> kPlainColumns = {"time_s", "input_tokens",
                                                           "output_tokens"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

std::string_view trim_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// For messages: a bad file may hold anything, a terminal shall not.
std::string quoted(std::string_view text) {
  constexpr size_t kShown = 40;
  std::string out = "\"";
  for (const char c : text.substr(0, kShown)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7f || c == '"' || c == '\\') {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out + (text.size() > kShown ? "...\"" : "\"");
}

// Consumes exactly `count` digits.
bool take_digits(std::string_view& text, size_t count, int& value) {
  if (text.size() < count) return false;
  value = 0;
  for (size_t i = 0; i < count; ++i) {
    if (!is_digit(text[i])) return false;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return true;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

// The digits behind a decimal point as nanoseconds, rounded half up at the tenth digit.
bool take_fraction(std::string_view& text, int64_t& ns) {
  int64_t unit = kSecond / 10;
  size_t digits = 0;
  ns = 0;
  while (digits < text.size() && is_digit(text[digits])) {
    const int digit = text[digits] - '0';
    if (digits < 9) ns += digit * unit;
    if (digits == 9 && digit >= 5) ns += 1;
    unit /= 10;
    ++digits;
  }
  text.remove_prefix(digits);
  return digits > 0;
}

bool parse_tokens(std::string_view text, int32_t& tokens) {
  if (text.empty() || text.size() > 10) return false;
  int64_t value = 0;
  for (const char c : text) {
    if (!is_digit(c)) return false;
    value = value * 10 + (c - '0');
  }
  tokens = static_cast<int32_t>(std::min<int64_t>(value, INT32_MAX));
  return value >= 1 && value <= INT32_MAX;
}

bool parse_seconds(std::string_view text, int64_t& ns) {
  std::string_view rest = text;
  int64_t whole = 0;
  while (!rest.empty() && is_digit(rest.front()) && whole <= kLatestSecond) {
    whole = whole * 10 + (rest.front() - '0');
    rest.remove_prefix(1);
  }
  int64_t fraction = 0;
  const bool has_whole = rest.size() < text.size();
  const bool well_formed = has_whole && (!take(rest, '.') || take_fraction(rest, fraction));
  if (well_formed && rest.empty()) {
    ns = whole <= kLatestSecond ? whole * kSecond + fraction : 0;
    return whole <= kLatestSecond;
  }
  // "1e-05", ".5": rare, so the slow way.
  const Result<double> number = parse_double(text);
  if (!number || *number < 0 || *number > static_cast<double>(kLatestSecond)) return false;
  ns = from_seconds(*number).ns;
  return true;
}

}  // namespace

TraceReader::TraceReader(FilePtr file, std::string name)
    : file_(std::move(file)),
      name_(std::move(name)),
      buffer_(std::make_unique<char[]>(kBufferBytes)) {}

Result<TraceReader> TraceReader::open(const std::string& path) {
  FilePtr file(std::fopen(path.c_str(), "rb"));
  if (file == nullptr) {
    return Error(fmt::format("{}: {}", path, std::generic_category().message(errno)));
  }
  return read_from(std::move(file), path);
}

Result<TraceReader> TraceReader::read_from(FilePtr file, std::string name) {
  // Our buffer is the only one: stdio's own would copy every byte once more.
  std::setvbuf(file.get(), nullptr, _IONBF, 0);
  TraceReader reader(std::move(file), std::move(name));
  reader.read_header();
  if (reader.error_) return *reader.error_;
  return reader;
}

void TraceReader::rewind() {
  std::rewind(file_.get());
  at_ = end_ = 0;
  end_of_file_ = false;
  line_number_ = 0;
  previous_time_ns_ = INT64_MIN;
  if (!error_) read_header();
}

void TraceReader::read_header() {
  std::string_view line;
  if (!next_line(line)) {
    if (!error_) {
      fail(fmt::format("no header: accepted are \"{}\" and \"{}\"", kAzureHeader, kPlainHeader));
    }
    return;
  }
  if (line.starts_with("\xef\xbb\xbf")) line.remove_prefix(3);  // a spreadsheet's byte order mark
  std::string header;
  for (const char c : line) {
    if (!is_blank(c)) header += c;
  }
  absolute_times_ = header == kAzureHeader;
  if (!absolute_times_ && header != kPlainHeader) {
    fail(fmt::format("header: {}: accepted are \"{}\" and \"{}\"", quoted(line), kAzureHeader,
                     kPlainHeader));
  }
}

// Keeps what isn't consumed, in front; a line never spans more than one refill, being shorter than
// the buffer.
bool TraceReader::fill_buffer() {
  if (end_of_file_) return false;
  std::memmove(buffer_.get(), buffer_.get() + at_, end_ - at_);
  end_ -= at_;
  at_ = 0;
  const size_t count = std::fread(buffer_.get() + end_, 1, kBufferBytes - end_, file_.get());
  end_ += count;
  if (count > 0) return true;
  end_of_file_ = true;
  if (std::ferror(file_.get()) != 0) {
    error_ = Error(fmt::format("{}: {}", name_, std::generic_category().message(errno)));
  }
  return false;
}

// The view lives until the next call: it points into the buffer.
bool TraceReader::next_line(std::string_view& line) {
  while (true) {
    const char* from = buffer_.get() + at_;
    const void* newline = std::memchr(from, '\n', end_ - at_);
    size_t length = 0;
    if (newline != nullptr) {
      length = static_cast<size_t>(static_cast<const char*>(newline) - from);
      at_ += length + 1;
    } else {
      if (end_ - at_ <= kLongestLine && fill_buffer()) continue;
      if (error_) return false;
      from = buffer_.get() + at_;
      length = end_ - at_;
      if (length == 0) return false;
      at_ = end_;
    }
    ++line_number_;
    if (length > kLongestLine) {
      return fail(fmt::format("a line of more than {} bytes: {}", kLongestLine,
                              quoted({from, kLongestLine})));
    }
    line = trim_blanks({from, length});
    if (!line.empty()) return true;
  }
}

bool TraceReader::next(TraceRow& row) {
  std::string_view line;
  if (error_ || !next_line(line)) return false;
  const size_t first = line.find(',');
  const size_t second = first == line.npos ? line.npos : line.find(',', first + 1);
  if (second == line.npos || line.find(',', second + 1) != line.npos) {
    return fail(fmt::format("{} columns: accepted are three, {}: {}",
                            std::count(line.begin(), line.end(), ',') + 1,
                            absolute_times_ ? kAzureHeader : kPlainHeader, quoted(line)));
  }
  const std::string_view time = trim_blanks(line.substr(0, first));
  const std::string_view input = trim_blanks(line.substr(first + 1, second - first - 1));
  const std::string_view output = trim_blanks(line.substr(second + 1));
  if (!parse_time(time, row.time_ns)) {
    return fail_column(0,
                       absolute_times_ ? "not a UTC time such as \"2023-11-16 18:15:46.6805900\""
                                       : "not a number of seconds from 0 to 4e9",
                       time);
  }
  constexpr std::string_view kNoCount = "not a whole number from 1 to 2147483647";
  if (!parse_tokens(input, row.input_tokens)) return fail_column(1, kNoCount, input);
  if (!parse_tokens(output, row.output_tokens)) return fail_column(2, kNoCount, output);
  if (row.time_ns < previous_time_ns_) {
    return fail_column(0, "before the row above, rows must be in order of time", time);
  }
  previous_time_ns_ = row.time_ns;
  return true;
}

bool TraceReader::parse_time(std::string_view field, int64_t& time_ns) {
  return absolute_times_ ? parse_timestamp(field, time_ns) : parse_seconds(field, time_ns);
}

bool TraceReader::parse_timestamp(std::string_view field, int64_t& time_ns) {
  constexpr size_t kDateLength = 10;
  if (field.size() < kDateLength) return false;
  if (field.substr(0, kDateLength) != date_) {
    std::string_view date = field.substr(0, kDateLength);
    CivilDate civil{};
    if (!take_digits(date, 4, civil.year) || !take(date, '-') ||
        !take_digits(date, 2, civil.month) || !take(date, '-') ||
        !take_digits(date, 2, civil.day)) {
      return false;
    }
    if (civil.month < 1 || civil.month > 12 || civil.day < 1) return false;
    const int64_t days = days_from_civil(civil);
    const CivilDate back = civil_from_days(days);  // February 30 comes back as March
    if (back.day != civil.day || back.month != civil.month || days < 0) return false;
    if (days > kLatestSecond / 86'400) return false;
    date_ = field.substr(0, kDateLength);
    midnight_ns_ = days * 86'400 * kSecond;
  }
  std::string_view clock = field.substr(kDateLength);
  int hour = 0;
  int minute = 0;
  int second = 0;
  int64_t fraction = 0;
  if (!take(clock, ' ') && !take(clock, 'T')) return false;
  if (!take_digits(clock, 2, hour) || !take(clock, ':') || !take_digits(clock, 2, minute) ||
      !take(clock, ':') || !take_digits(clock, 2, second)) {
    return false;
  }
  if (hour > 23 || minute > 59 || second > 59) return false;
  if (take(clock, '.') && !take_fraction(clock, fraction)) return false;
  // The later Azure traces write the offset out.
  if (!clock.empty() && clock != "+00:00" && clock != "Z") return false;
  time_ns = midnight_ns_ + (hour * 3600 + minute * 60 + second) * kSecond + fraction;
  return true;
}

bool TraceReader::fail(std::string_view what) {
  error_ = Error(fmt::format("{}:{}: {}", name_, std::max<uint64_t>(line_number_, 1), what));
  return false;
}

bool TraceReader::fail_column(size_t column, std::string_view what, std::string_view found) {
  return fail(fmt::format("{}: {}: {}",
                          absolute_times_ ? kAzureColumns[column] : kPlainColumns[column], what,
                          quoted(found)));
}

}  // namespace windlass::sim
