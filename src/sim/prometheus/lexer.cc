#include "sim/prometheus/lexer.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/utf8.h"

namespace windlass::sim::prometheus {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex_digit(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_word_char(char c) { return is_letter(c) || is_digit(c); }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

class Lexer {
 public:
  explicit Lexer(std::string_view query) : query_(query) {}

  Result<std::vector<Token>> run() {
    if (const size_t bad = invalid_utf8_at(query_); bad != std::string_view::npos) {
      return error_at(query_, bad, "the query is not UTF-8 (accepted: UTF-8 text)");
    }
    for (skip_blanks(); at_ < query_.size(); skip_blanks()) {
      if (const Status read = read_token(); !read) return read.error();
    }
    tokens_.push_back({TokenKind::kEnd, "", query_.size()});
    return std::move(tokens_);
  }

 private:
  [[nodiscard]] char peek(size_t ahead = 0) const {
    return at_ + ahead < query_.size() ? query_[at_ + ahead] : '\0';
  }

  // Comments may stand wherever blanks may, within braces too.
  void skip_blanks() {
    while (at_ < query_.size()) {
      if (query_[at_] == '#') {
        at_ = std::min(query_.find('\n', at_), query_.size());
      } else if (is_space(query_[at_])) {
        ++at_;
      } else {
        return;
      }
    }
  }

  Status read_token() {
    const char c = peek();
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return read_number_or_duration();
    // Between brackets a colon is the mark of a subquery, elsewhere it is part of a metric name.
    if (is_letter(c) || (c == ':' && !in_brackets_)) return read_word();
    if (c == '"' || c == '\'' || c == '`') return read_string(c);
    return read_symbol();
  }

  void emit(TokenKind kind, size_t start) {
    tokens_.push_back({kind, query_.substr(start, at_ - start), start});
  }

  Status read_word() {
    const size_t start = at_;
    while (is_word_char(peek()) || peek() == ':') ++at_;
    emit(TokenKind::kWord, start);
    return {};
  }

  template <typename Accept>
  void skip_while(Accept accept) {
    while (at_ < query_.size() && accept(query_[at_])) ++at_;
  }

  // A number runs straight into a duration ("5" into "5m"), so both are read here. The text is only
  // delimited as Prometheus' lexer does it; number_value() and duration_ms() judge it.
  Status read_number_or_duration() {
    const size_t start = at_;
    const bool hex = peek() == '0' && (peek(1) == 'x' || peek(1) == 'X');
    if (hex) at_ += 2;
    const auto digit = hex ? is_hex_digit : is_digit;
    skip_while(digit);
    if (peek() == '.') {
      ++at_;
      skip_while(digit);
    }
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      skip_while(is_digit);
    }
    if (!is_word_char(peek())) {
      emit(TokenKind::kNumber, start);
      return {};
    }
    skip_while(is_word_char);
    emit(TokenKind::kDuration, start);
    if (duration_ms(tokens_.back().text)) return {};
    return error_at(query_, start,
                    fmt::format("neither a number nor a duration: \"{}\" (accepted: like 2.5, 1e3, "
                                "0x1F; 30s, 5m, 1h30m)",
                                printable(tokens_.back().text, 40)));
  }

  Status read_string(char quote) {
    const size_t start = at_++;
    while (at_ < query_.size() && query_[at_] != quote) {
      if (quote != '`' && query_[at_] == '\n') break;
      // Whatever follows a backslash, it does not close the string; string_value() judges it.
      at_ += quote != '`' && query_[at_] == '\\' ? 2 : 1;
    }
    if (at_ >= query_.size() || query_[at_] != quote) {
      return error_at(query_, start, fmt::format("the string is not closed by {}", quote));
    }
    ++at_;
    emit(TokenKind::kString, start);
    return {};
  }

  Status read_symbol() {
    // Longer symbols first, so that = does not take the head of =~.
    static constexpr std::array<std::string_view, 24> kSymbols = {
        "=~", "!=", "!~", "==", "<=", ">=", "=", "<", ">", "+", "-", "*",
        "/",  "%",  "^",  "(",  ")",  "{",  "}", "[", "]", ",", ":", "@"};
    for (const std::string_view symbol : kSymbols) {
      if (!query_.substr(at_).starts_with(symbol)) continue;
      const size_t start = at_;
      at_ += symbol.size();
      if (symbol == "[") in_brackets_ = true;
      if (symbol == "]") in_brackets_ = false;
      emit(TokenKind::kSymbol, start);
      return {};
    }
    size_t length = 1;  // show the whole code point, not its first byte
    while ((static_cast<unsigned char>(peek(length)) & 0xc0) == 0x80) ++length;
    return error_at(query_, at_,
                    fmt::format("unexpected character \"{}\" (accepted: names, numbers, strings, "
                                "durations, operators and brackets)",
                                query_.substr(at_, length)));
  }

  std::string_view query_;
  size_t at_ = 0;
  bool in_brackets_ = false;
  std::vector<Token> tokens_;
};

}  // namespace

Error error_at(std::string_view query, size_t position, std::string_view message) {
  const std::string_view before = query.substr(0, position);
  const size_t newline = before.rfind('\n');
  const std::string_view on_line =
      newline == std::string_view::npos ? before : before.substr(newline + 1);
  const auto column = 1 + std::ranges::count_if(on_line, [](char c) {
                        return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
                      });
  if (newline == std::string_view::npos)
    return Error(fmt::format("column {}: {}", column, message));
  const auto line = 1 + std::ranges::count(before, '\n');
  return Error(fmt::format("line {}, column {}: {}", line, column, message));
}

Result<std::vector<Token>> tokenize(std::string_view query) { return Lexer(query).run(); }

}  // namespace windlass::sim::prometheus
