#include "server/embedded/accounts.h"

#include <string>
#include <string_view>

namespace windlass::server::embedded {

Identity if_account_exists(Identity identity, const cluster::ObjectStore& objects) {
  constexpr std::string_view kPrefix = "system:serviceaccount:";
  if (!identity.user.starts_with(kPrefix)) return identity;
  const std::string_view rest = std::string_view(identity.user).substr(kPrefix.size());
  const size_t colon = rest.find(':');
  if (colon == std::string_view::npos) return {};
  const auto account = objects.find(
      {"serviceaccounts", std::string(rest.substr(0, colon)), std::string(rest.substr(colon + 1))});
  if (account == nullptr || account->uid != identity.uid) return {};
  return identity;
}

}  // namespace windlass::server::embedded
