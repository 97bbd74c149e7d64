// Private to this room: kubeconfig files to Access. Several are merged as kubectl does: the first
// file that has a cluster, user or context of a name wins with all of it, and the first
// current-context that is set. Relative paths stand from the directory of the file they are in.
// Errors name file and field, never a value that could be a secret.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "live/kube/config.h"

namespace windlass::live::kube {

// All `files` must be there. Empty `context`: the current one.
Result<Access> access_from_kubeconfig(const std::vector<std::string>& files,
                                      const std::string& context);

}  // namespace windlass::live::kube
