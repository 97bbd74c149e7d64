// A certificate that nobody vouches for, for a listener whose clients don't ask who it is: made in
// memory at every start, so that no key is ever kept.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "server/http/http_server.h"

namespace windlass::server {

// For `hosts` (names and addresses); client_ca is left empty.
Result<TlsFiles> self_made_tls(const std::vector<std::string>& hosts, Instant now);

}  // namespace windlass::server
