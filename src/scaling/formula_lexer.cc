#include "scaling/formula_lexer.h"

#include <array>
#include <charconv>
#include <string>

#include <fmt/format.h>

#include "base/text.h"

namespace windlass::scaling {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
}
bool is_name(char c) { return is_name_start(c) || is_digit(c); }

// Longer signs first: ** is not two multiplications.
constexpr std::array<std::string_view, 30> kSigns{
    "**", "==", "!=", "<=", ">=", "&&", "||", "??", "..", "+", "-", "*", "/", "%", "^",
    "<",  ">",  "!",  "?",  ":",  "(",  ")",  "[",  "]",  "{", "}", ",", ";", "=", "#"};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Result<std::vector<FormulaToken>> run() {
    for (skip_blanks(); error_.empty() && at_ < text_.size(); skip_blanks()) read_token();
    if (!error_.empty()) return Error(error_);
    tokens_.push_back({FormulaToken::Kind::kEnd, {}, column(), {}});
    return std::move(tokens_);
  }

 private:
  [[nodiscard]] uint32_t column() const { return static_cast<uint32_t>(at_) + 1; }
  [[nodiscard]] char peek(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  void fail(std::string what) { error_ = fmt::format("column {}: {}", column(), what); }

  void skip_blanks() {
    while (at_ < text_.size() && error_.empty()) {
      const std::string_view rest = text_.substr(at_);
      if (std::string_view(" \t\r\n").find(rest.front()) != std::string_view::npos) {
        ++at_;
      } else if (rest.starts_with("//")) {
        at_ += std::min(rest.find('\n'), rest.size());
      } else if (rest.starts_with("/*")) {
        const size_t end = rest.find("*/", 2);
        if (end == std::string_view::npos) return fail("the comment has no end");
        at_ += end + 2;
      } else {
        return;
      }
    }
  }

  void read_token() {
    const char c = peek();
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return read_number();
    if (is_name_start(c)) {
      size_t end = at_;
      while (end < text_.size() && is_name(text_[end])) ++end;
      return push(FormulaToken::Kind::kName, end - at_, {});
    }
    for (const std::string_view sign : kSigns) {
      if (text_.substr(at_).starts_with(sign)) {
        return push(FormulaToken::Kind::kSign, sign.size(), {});
      }
    }
    if (c == '"' || c == '\'' || c == '`') return fail("text has no place in a formula of numbers");
    if (c == '|') return fail("pipes are not accepted; write the call itself: sum([a, b])");
    const bool printable = c > ' ' && c < 127;
    fail(printable ? fmt::format("\"{}\" means nothing here", c)
                   : fmt::format("byte 0x{:02x} means nothing here", static_cast<uint8_t>(c)));
  }

  // 12, 1_000, 0x1f, 1.5, .5, 1e3. "1..3" is a range from 1, not "1." and ".3".
  void read_number() {
    size_t end = at_;
    bool whole = true;
    const bool hex = peek() == '0' && (peek(1) == 'x' || peek(1) == 'X');
    if (hex) end += 2;
    std::string digits;
    for (; end < text_.size(); ++end) {
      const char c = text_[end];
      const bool point = c == '.' && end + 1 < text_.size() && text_[end + 1] != '.';
      const bool exponent = !hex && (c == 'e' || c == 'E');
      const bool sign = (c == '+' || c == '-') && !hex && !digits.empty() &&
                        (digits.back() == 'e' || digits.back() == 'E');
      if (c == '_') continue;
      if (!is_name(c) && !point && !sign) break;
      whole = whole && !point && !exponent;
      digits += c;
    }
    int64_t integer = 0;
    const char* last = digits.data() + digits.size();
    const auto read = std::from_chars(digits.data(), last, integer, hex ? 16 : 10);
    if (whole && read.ec == std::errc() && read.ptr == last) {
      return push(FormulaToken::Kind::kNumber, end - at_, integer);
    }
    const auto number = parse_double(digits);
    if (whole || !number.ok()) {
      return fail(
          fmt::format("not a number: \"{}\"", text_.substr(at_, std::min(end - at_, 40ul))));
    }
    push(FormulaToken::Kind::kNumber, end - at_, *number);
  }

  void push(FormulaToken::Kind kind, size_t length, std::variant<int64_t, double> number) {
    tokens_.push_back({kind, text_.substr(at_, length), column(), number});
    at_ += length;
  }

  std::string_view text_;
  size_t at_ = 0;
  std::vector<FormulaToken> tokens_;
  std::string error_;
};

}  // namespace

Result<std::vector<FormulaToken>> read_formula_tokens(std::string_view text) {
  return Lexer(text).run();
}

}  // namespace windlass::scaling
