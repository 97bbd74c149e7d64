// Writing metrics as text: Prometheus' exposition format 0.0.4 and OpenMetrics 1.0, with their
// numbers and escapes. Families in the order they are written.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace windlass::server::observe {

// The shortest digits that read back as the value (NaN, +Inf, -Inf), with an exponent where
// Prometheus writes one: never (scalars of the HTTP API), below 1e-6 and from 1e21 (its points),
// below 1e-4 and from 1e6 (the text formats).
std::string format_fixed(double value);
std::string format_json(double value);
std::string format_text(double value);

enum class TextFormat { kPrometheus, kOpenMetrics };
// What an Accept header asks for; kPrometheus unless OpenMetrics is named.
TextFormat negotiate(std::string_view accept);
std::string_view content_type(TextFormat format);

using LabelViews = std::vector<std::pair<std::string_view, std::string_view>>;

class TextWriter {
 public:
  explicit TextWriter(TextFormat format) : format_(format) {}

  // `type`: counter, gauge, histogram, untyped. A counter's name ends in _total in its samples;
  // OpenMetrics names the family without it.
  void family(std::string_view name, std::string_view type, std::string_view help);
  void sample(std::string_view name, const LabelViews& labels, double value);
  // The text, closed as the format wants it.
  [[nodiscard]] std::string finish();

 private:
  TextFormat format_;
  std::string text_;
};

}  // namespace windlass::server::observe
