// The forms names, labels and keys have in Kubernetes. Every function gives "" for a good text,
// else what is wrong with it in the standard words.
#pragma once

#include <string>
#include <string_view>

namespace windlass::server::kinds {

std::string dns_label_fault(std::string_view text);       // RFC 1123, 63
std::string dns_subdomain_fault(std::string_view text);   // RFC 1123, 253
std::string dns_1035_label_fault(std::string_view text);  // starts with a letter, 63
std::string path_segment_fault(std::string_view text);    // what may stand in a URL's path
std::string qualified_name_fault(std::string_view text);  // [prefix/]name: label keys, resources
std::string label_value_fault(std::string_view text);
std::string port_name_fault(std::string_view text);
std::string config_key_fault(std::string_view text);
std::string env_name_fault(std::string_view text);
std::string percent_fault(std::string_view text);
std::string port_number_fault(int64_t port);

}  // namespace windlass::server::kinds
