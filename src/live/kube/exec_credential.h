// Private to this room: what is said to a credential plugin and what it answers (ExecCredential of
// client.authentication.k8s.io/v1 and v1beta1). Errors name fields, never values.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "live/kube/config.h"

namespace windlass::live::kube {

struct ExecCredential {
  std::string token;
  std::string certificate, key;    // PEM
  std::optional<Instant> expires;  // none: good until refused
};

// The value of KUBERNETES_EXEC_INFO.
std::string exec_info(const ExecPlugin& plugin);
Result<ExecCredential> read_exec_credential(const ExecPlugin& plugin, std::string_view output);

}  // namespace windlass::live::kube
