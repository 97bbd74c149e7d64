// get and list: consistent reads, pages, reads of the recent past. Internal to this room.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/rest/core.h"
#include "server/rest/selectors.h"
#include "server/rest/view.h"

namespace windlass::server::rest {

Outcome<Selector> selector_of(const Request& request, const Resource& resource);
// A non-negative decimal, or 400. Absent and empty: nullopt.
Outcome<std::optional<uint64_t>> number_parameter(const Request& request, std::string_view name);

Outcome<Response> get(const Core& core, const Target& target, const Request& request);
Outcome<Response> list(const Core& core, const Target& target, const Request& request);

// Everything of the target's collection that matches, as of now.
std::vector<cluster::DocumentPtr> matching(const Core& core, const Target& target,
                                           const Selector& selector);

// Where the next page starts, and of which version the first page was.
struct ContinueToken {
  uint64_t resource_version = 0;
  cluster::ObjectKey after;
};
std::string write_token(const ContinueToken& token);
std::optional<ContinueToken> read_token(std::string_view text, const std::string& resource);

}  // namespace windlass::server::rest
