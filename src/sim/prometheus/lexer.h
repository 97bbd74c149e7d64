// PromQL text to tokens, private to this directory. The lexer knows no keywords: `sum`, `offset` or
// `by` are words here, because inside braces and as metric names Prometheus takes them as plain
// names too; the parser decides by position. Safe on any bytes; every token points into the text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace windlass::sim::prometheus {

enum class TokenKind {
  kEnd,
  kWord,      // [a-zA-Z_:][a-zA-Z0-9_:]*
  kNumber,    // digits, fraction and exponent, or hex; Inf and NaN are words
  kDuration,  // 5m, 1h30m
  kString,    // with its quotes
  kSymbol,    // punctuation and operators: ( ) { } [ ] , : @ = =~ != !~ == < <= > >= + - * / % ^
};

struct Token {
  TokenKind kind;
  std::string_view text;
  size_t position;  // byte offset into the query
};

// "column 7: message", or "line 2, column 7: message" past the first line. Columns count code
// points from 1.
Error error_at(std::string_view query, size_t position, std::string_view message);

// The tokens, closed by one kEnd. Comments (# to the end of the line) and white space are left out.
// Errors: bytes that are no UTF-8, an unclosed string, a character that begins no token.
Result<std::vector<Token>> tokenize(std::string_view query);

// The value of a kNumber token as Go's strconv reads it: 0x1F is hexadecimal, 017 octal, 1., .5,
// 1e3. Empty if it is none (1e, 0x) or beyond a double.
std::optional<double> number_value(std::string_view text);

// The milliseconds of a kDuration token: y w d h m s ms, each at most once and in this order (a
// year has 365 days). Empty if it is none or beyond 292 years.
std::optional<int64_t> duration_ms(std::string_view text);

// The text of a kString token with its escapes resolved. Empty if an escape is unknown or what
// comes out is not UTF-8.
std::optional<std::string> string_value(std::string_view text);

}  // namespace windlass::sim::prometheus
