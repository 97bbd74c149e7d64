// Writing JSON text directly: snapshots and matrices are thousands of small objects a second, and a
// tree of values for each would be most of their cost. Members in the order they are written.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace windlass::server::observe {

// The text in quotes, escaped. Bytes that are no UTF-8 become '?'.
void append_json_string(std::string& out, std::string_view text);

class JsonText {
 public:
  JsonText& open(char bracket) {
    comma();
    out_.push_back(bracket);
    first_ = true;
    return *this;
  }
  JsonText& close(char bracket) {
    out_.push_back(bracket);
    first_ = false;
    return *this;
  }
  JsonText& key(std::string_view name) {
    comma();
    append_json_string(out_, name);
    out_.push_back(':');
    first_ = true;  // the value follows without a comma
    return *this;
  }
  JsonText& text(std::string_view value);
  JsonText& text_or_null(std::string_view value);  // empty: null
  JsonText& number(double value);                  // null unless finite
  JsonText& integer(int64_t value);
  JsonText& boolean(bool value);
  JsonText& time(std::optional<Instant> value);  // RFC 3339, null
  JsonText& null() { return raw("null"); }
  JsonText& raw(std::string_view json) {
    comma();
    out_ += json;
    return *this;
  }

  [[nodiscard]] const std::string& str() const { return out_; }
  std::string take() { return std::move(out_); }
  void reserve(size_t bytes) { out_.reserve(bytes); }

 private:
  void comma() {
    if (!first_) out_.push_back(',');
    first_ = false;
  }
  std::string out_;
  bool first_ = true;
};

// Rounded to so many decimals, so that what nobody can see changes nothing.
double rounded(double value, int decimals);

}  // namespace windlass::server::observe
