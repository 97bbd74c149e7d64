// What clients may call this machine by. Asked at start only: an address that comes later is not
// known to the certificate.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace windlass::server {

// Whether a listener on `host` answers on every interface: 0.0.0.0, ::.
bool is_any_address(std::string_view host);

// The host name and the addresses of interfaces that are up, sorted, each once. Loopback's and
// link-local ones (which need an interface's name beside them) are left out; so is a host name
// that no certificate could carry.
std::vector<std::string> names_of_machine();

// What the certificate of a listener on `host` has to name beside localhost.
std::vector<std::string> names_of_listener(const std::string& host);

}  // namespace windlass::server
