// Small text helpers that several rooms need.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace windlass {

// Pieces between separators; n separators give n + 1 pieces. The views point into `text`.
std::vector<std::string_view> split(std::string_view text, char separator);
std::string_view trim(std::string_view text);
std::string join(const std::vector<std::string>& parts, std::string_view separator);

// The whole text must be the number. Locale plays no part. "inf" and "nan" are refused.
Result<double> parse_double(std::string_view text);
Result<int64_t> parse_int(std::string_view text);

// "did you mean": the nearest of `known` within an edit distance of 2, or empty.
std::string_view nearest_name(std::string_view name, const std::vector<std::string_view>& known);

// A table with a header row, columns padded to their widest cell. Columns whose flag in
// `right_aligned` is set are flush right. Widths count code points, not bytes.
std::string format_table(const std::vector<std::vector<std::string>>& rows,
                         const std::vector<bool>& right_aligned);

// What JSON and HTML need: text with quotes, control characters or markup made harmless.
std::string html_escape(std::string_view text);

}  // namespace windlass
