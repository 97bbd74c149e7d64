#include "server/http/machine_names.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <ifaddrs.h>
#include <memory>
#include <net/if.h>
#include <netinet/in.h>
#include <set>
#include <sys/socket.h>
#include <unistd.h>

namespace windlass::server {
namespace {

constexpr size_t kNameBytesMax = 253;  // of a DNS name

bool is_host_name(std::string_view name) {
  constexpr std::string_view kMay =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
  return !name.empty() && name.size() <= kNameBytesMax &&
         name.find_first_not_of(kMay) == std::string_view::npos && name.front() != '.' &&
         name.back() != '.' && name.find("..") == std::string_view::npos;
}

// Empty: of another family, or of no use to others.
std::string shown_address(const sockaddr* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
    if ((ntohl(v4->sin_addr.s_addr) >> 16) == 0xa9fe) return {};  // 169.254/16
    ::inet_ntop(AF_INET, &v4->sin_addr, text.data(), text.size());
  } else if (address->sa_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
    if (IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr)) return {};
    ::inet_ntop(AF_INET6, &v6->sin6_addr, text.data(), text.size());
  }
  return text.data();
}

}  // namespace

bool is_any_address(std::string_view host) { return host == "0.0.0.0" || host == "::"; }

std::vector<std::string> names_of_machine() {
  std::set<std::string> out;
  std::array<char, kNameBytesMax + 2> name{};
  // A name that was cut off is not ended.
  if (::gethostname(name.data(), name.size()) == 0 && name.back() == '\0' &&
      is_host_name(name.data())) {
    out.insert(name.data());
  }
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) == 0) {
    const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owned(first, &::freeifaddrs);
    for (const ifaddrs* each = first; each != nullptr; each = each->ifa_next) {
      const bool up = (each->ifa_flags & IFF_UP) != 0 && (each->ifa_flags & IFF_LOOPBACK) == 0;
      if (!up || each->ifa_addr == nullptr) continue;
      if (std::string text = shown_address(each->ifa_addr); !text.empty())
        out.insert(std::move(text));
    }
  }
  return {out.begin(), out.end()};
}

std::vector<std::string> names_of_listener(const std::string& host) {
  return is_any_address(host) ? names_of_machine() : std::vector<std::string>{host};
}

}  // namespace windlass::server
