#include "server/rest/request_path.h"

#include <algorithm>

namespace windlass::server::rest {

std::vector<std::string> path_parts(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const size_t end = std::min(path.find('/'), path.size());
    if (end > 0) parts.emplace_back(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return parts;
}

std::optional<RequestPath> parse_path(std::string_view path) {
  const std::vector<std::string> parts = path_parts(path);
  if (parts.empty() || (parts[0] != "api" && parts[0] != "apis")) return std::nullopt;
  RequestPath out;
  out.core = parts[0] == "api";
  size_t next = 1;
  const auto take = [&](std::string& into) {
    if (next < parts.size()) into = parts[next++];
  };
  if (!out.core) take(out.group);
  take(out.version);
  if (next == parts.size()) return out;

  // namespaces/NS/RESOURCE is a namespace's resource; namespaces/NS and its two subresources are
  // about the namespace itself.
  const bool in_namespace = parts[next] == "namespaces" && parts.size() - next >= 3 &&
                            !(out.core && parts.size() - next == 3 &&
                              (parts[next + 2] == "status" || parts[next + 2] == "finalize"));
  if (in_namespace) {
    ++next;
    take(out.namespace_name);
  }
  take(out.plural);
  take(out.name);
  take(out.subresource);
  while (next < parts.size()) out.rest += (out.rest.empty() ? "" : "/") + parts[next++];
  return out;
}

}  // namespace windlass::server::rest
