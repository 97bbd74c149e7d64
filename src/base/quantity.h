// Kubernetes' resource.Quantity: an exact decimal with up to nine fractional digits, read and
// printed as apimachinery does ("100m", "1.5Gi", "2e3", canonical form on output).
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace windlass {

class Quantity {
 public:
  enum class Format { kDecimalSI, kBinarySI, kDecimalExponent };

  Quantity() = default;
  static Quantity from_units(int64_t units, Format format = Format::kDecimalSI);
  static Quantity from_milli(int64_t milli, Format format = Format::kDecimalSI);
  // Digits beyond the ninth fractional one round away from zero; a magnitude above 2^63-1 units
  // saturates, both as apimachinery does.
  static Result<Quantity> parse(std::string_view text);

  // Whole units and thousandths, rounded up (away from zero), saturating: Value() and MilliValue().
  [[nodiscard]] int64_t units() const;
  [[nodiscard]] int64_t milli() const;
  [[nodiscard]] double as_double() const;
  [[nodiscard]] std::string to_string() const;

  auto operator<=>(const Quantity& other) const { return nano_ <=> other.nano_; }
  bool operator==(const Quantity& other) const { return nano_ == other.nano_; }

 private:
  __extension__ using Int128 = __int128;
  Int128 nano_ = 0;
  Format format_ = Format::kDecimalSI;
};

}  // namespace windlass
