// The shapes Kubernetes gives names, label keys and label values.
#pragma once

#include <string_view>

namespace windlass::api {

// Lower-case letters, digits, '-' and '.', starting and ending with a letter or digit; up to 253.
bool is_dns_subdomain(std::string_view text);
// [prefix/]name: the key of a label, annotation, taint or resource.
bool is_qualified_name(std::string_view text);
// Empty, or up to 63 letters, digits, '-', '_', '.', starting and ending with a letter or digit.
bool is_label_value(std::string_view text);

inline constexpr std::string_view kAcceptedName =
    "lower-case letters, digits, '-' and '.', starting and ending with a letter or digit";
inline constexpr std::string_view kAcceptedKey =
    "[domain/]name with letters, digits, '-', '_' and '.', the name up to 63 long";
inline constexpr std::string_view kAcceptedLabelValue =
    "up to 63 letters, digits, '-', '_' and '.', starting and ending with a letter or digit";

}  // namespace windlass::api
