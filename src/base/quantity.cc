#include "base/quantity.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include <fmt/format.h>

namespace windlass {
namespace {

__extension__ using Int128 = __int128;

constexpr int64_t kNanoPerMilli = 1'000'000;
constexpr int64_t kNanoPerUnit = 1'000'000'000;
// The largest magnitude: 2^63-1 units.
constexpr Int128 kMaxNano = Int128{std::numeric_limits<int64_t>::max()} * kNanoPerUnit;

struct Suffix {
  std::string_view text;
  Quantity::Format format;
  int exponent;  // of 2 for kBinarySI, of 10 otherwise
};
constexpr std::array<Suffix, 16> kSuffixes{{
    {"Ki", Quantity::Format::kBinarySI, 10},
    {"Mi", Quantity::Format::kBinarySI, 20},
    {"Gi", Quantity::Format::kBinarySI, 30},
    {"Ti", Quantity::Format::kBinarySI, 40},
    {"Pi", Quantity::Format::kBinarySI, 50},
    {"Ei", Quantity::Format::kBinarySI, 60},
    {"n", Quantity::Format::kDecimalSI, -9},
    {"u", Quantity::Format::kDecimalSI, -6},
    {"m", Quantity::Format::kDecimalSI, -3},
    {"", Quantity::Format::kDecimalSI, 0},
    {"k", Quantity::Format::kDecimalSI, 3},
    {"M", Quantity::Format::kDecimalSI, 6},
    {"G", Quantity::Format::kDecimalSI, 9},
    {"T", Quantity::Format::kDecimalSI, 12},
    {"P", Quantity::Format::kDecimalSI, 15},
    {"E", Quantity::Format::kDecimalSI, 18},
}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

size_t digits_at(std::string_view text, size_t from) {
  size_t end = from;
  while (end < text.size() && is_digit(text[end])) ++end;
  return end - from;
}

// "e" or "E" and a whole number. The magnitude is clamped: beyond a million every value that was
// given saturates or rounds to the smallest step anyway.
std::optional<int> decimal_exponent(std::string_view text) {
  if (text.size() < 2 || (text[0] != 'e' && text[0] != 'E')) return std::nullopt;
  size_t at = 1;
  const bool negative = text[at] == '-';
  if (text[at] == '-' || text[at] == '+') ++at;
  if (at == text.size() || at + digits_at(text, at) != text.size()) return std::nullopt;
  int value = 0;
  for (; at < text.size(); ++at) value = std::min(value * 10 + (text[at] - '0'), 1'000'000);
  return negative ? -value : value;
}

std::optional<Suffix> read_suffix(std::string_view text) {
  for (const Suffix& suffix : kSuffixes) {
    if (suffix.text == text) return suffix;
  }
  if (const auto exponent = decimal_exponent(text)) {
    return Suffix{text, Quantity::Format::kDecimalExponent, *exponent};
  }
  return std::nullopt;
}

// whole.fraction * 10^exponent in nano, rounded up, clamped to kMaxNano. Shifting the point is
// exact; so only the digits behind the ninth decide about rounding.
Int128 decimal_nano(std::string_view whole, std::string_view fraction, int exponent) {
  const auto digit = [&](size_t i) {
    return i < whole.size() ? whole[i] - '0' : fraction[i - whole.size()] - '0';
  };
  const size_t count = whole.size() + fraction.size();
  size_t first = 0;
  while (first < count && digit(first) == 0) ++first;
  if (first == count) return 0;
  // Digits of the nano value that stand before the point, counted from `first`.
  const int64_t before =
      static_cast<int64_t>(whole.size()) - static_cast<int64_t>(first) + exponent + 9;
  if (before > 28) return kMaxNano;
  Int128 nano = 0;
  for (int64_t i = 0; i < before; ++i) {
    const size_t at = first + static_cast<size_t>(i);
    nano = nano * 10 + (at < count ? digit(at) : 0);
  }
  for (size_t i = first + static_cast<size_t>(std::max<int64_t>(before, 0)); i < count; ++i) {
    if (digit(i) != 0) {
      ++nano;
      break;
    }
  }
  return std::min(nano, kMaxNano);
}

// whole.fraction * 2^exponent in nano, rounded up, clamped to kMaxNano.
Int128 binary_nano(std::string_view whole, std::string_view fraction, int exponent) {
  const Int128 factor = (Int128{1} << exponent) * kNanoPerUnit;
  Int128 units = 0;
  for (const char c : whole) {
    units = units * 10 + (c - '0');
    if (units > kMaxNano / factor) return kMaxNano;
  }
  // Long multiplication from the last digit on: what is carried out of the first is the whole part,
  // and any digit left behind makes it round up.
  Int128 carry = 0;
  bool rest = false;
  for (size_t i = fraction.size(); i-- > 0;) {
    carry += (fraction[i] - '0') * factor;
    rest = rest || carry % 10 != 0;
    carry /= 10;
  }
  return std::min(units * factor + carry + (rest ? 1 : 0), kMaxNano);
}

// Away from zero.
Int128 divide_up(Int128 value, int64_t by) {
  const Int128 quotient = value / by;
  if (value % by == 0) return quotient;
  return value < 0 ? quotient - 1 : quotient + 1;
}

int64_t saturate(Int128 value) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  if (value > kMax) return kMax;
  if (value < kMin) return kMin;
  return static_cast<int64_t>(value);
}

std::string_view suffix_of(Quantity::Format format, int exponent) {
  for (const Suffix& suffix : kSuffixes) {
    if (suffix.format == format && suffix.exponent == exponent) return suffix.text;
  }
  return "";
}

}  // namespace

Quantity Quantity::from_units(int64_t units, Format format) {
  Quantity out;
  out.nano_ = std::clamp(Int128{units} * kNanoPerUnit, -kMaxNano, kMaxNano);
  out.format_ = format;
  return out;
}

Quantity Quantity::from_milli(int64_t milli, Format format) {
  Quantity out;
  out.nano_ = Int128{milli} * kNanoPerMilli;
  out.format_ = format;
  return out;
}

Result<Quantity> Quantity::parse(std::string_view text) {
  const auto bad = [&] {
    return Error(
        fmt::format("not a quantity: \"{}\" (accepted: a number and an optional unit, like 4, "
                    "500m, 1.5Gi, 2e3)",
                    text.substr(0, 64)));
  };
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  const size_t whole_size = digits_at(rest, 0);
  const std::string_view whole = rest.substr(0, whole_size);
  rest.remove_prefix(whole_size);
  std::string_view fraction;
  if (rest.starts_with('.')) {
    fraction = rest.substr(1, digits_at(rest, 1));
    rest.remove_prefix(1 + fraction.size());
  }
  if (whole.empty() && fraction.empty()) return bad();
  const auto suffix = read_suffix(rest);
  if (!suffix) return bad();

  Quantity out;
  out.format_ = suffix->format;
  out.nano_ = suffix->format == Format::kBinarySI ? binary_nano(whole, fraction, suffix->exponent)
                                                  : decimal_nano(whole, fraction, suffix->exponent);
  // A part of a unit has no binary form.
  if (out.format_ == Format::kBinarySI && out.nano_ < kNanoPerUnit) {
    out.format_ = Format::kDecimalSI;
  }
  if (negative) out.nano_ = -out.nano_;
  return out;
}

int64_t Quantity::units() const { return saturate(divide_up(nano_, kNanoPerUnit)); }

int64_t Quantity::milli() const { return saturate(divide_up(nano_, kNanoPerMilli)); }

double Quantity::as_double() const { return static_cast<double>(nano_) / 1e9; }

// The canonical form: no fraction, and the largest suffix that leaves a whole number. Binary
// quantities below 1024 or with a fraction are written as decimal ones.
std::string Quantity::to_string() const {
  if (nano_ == 0) return "0";
  Format format = format_;
  const Int128 magnitude = nano_ < 0 ? -nano_ : nano_;
  if (format == Format::kBinarySI &&
      (magnitude < Int128{1024} * kNanoPerUnit || nano_ % kNanoPerUnit != 0)) {
    format = Format::kDecimalSI;
  }
  Int128 number = nano_;
  int exponent = -9;
  if (format == Format::kBinarySI) {
    number /= kNanoPerUnit;
    exponent = 0;
    for (; number % 1024 == 0; exponent += 10) number /= 1024;
    return fmt::format("{}{}", static_cast<int64_t>(number), suffix_of(format, exponent));
  }
  for (; number % 1000 == 0; exponent += 3) number /= 1000;
  // Up to 2^63 nano fit the type that prints; larger ones are multiples of a unit only by parse().
  const std::string digits = fmt::format("{}", number);
  if (format == Format::kDecimalSI) return digits + std::string(suffix_of(format, exponent));
  return exponent == 0 ? digits : fmt::format("{}e{}", digits, exponent);
}

}  // namespace windlass
