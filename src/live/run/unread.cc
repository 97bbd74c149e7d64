#include "live/run/unread.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace windlass::live {
namespace {

// Domains whose annotations on a Pod mean something to a controller: do-not-disrupt, what its
// deletion costs, and our own.
constexpr std::array<std::string_view, 3> kRead{"karpenter.sh", "controller.kubernetes.io",
                                                "windlass.dev"};

bool is_read(std::string_view annotation) {
  const std::string_view domain = annotation.substr(0, annotation.find('/'));
  return std::any_of(kRead.begin(), kRead.end(), [&](std::string_view known) {
    return domain == known ||
           (domain.ends_with(known) && domain[domain.size() - known.size() - 1] == '.');
  });
}

}  // namespace

void forget_unread(api::Pod& pod) {
  std::erase_if(pod.meta.annotations, [](const auto& entry) { return !is_read(entry.first); });
  for (auto* containers : {&pod.spec.containers, &pod.spec.init_containers}) {
    for (api::Container& container : *containers) {
      container.env.clear();
      container.env_from.clear();
    }
  }
}

}  // namespace windlass::live
