#include "server/observe/page_assets.h"

#include <algorithm>

namespace windlass::server {

const Asset* find_page_asset(std::string_view path) {
  if (path == "/dashboard" || path == "/dashboard/index.html") path = "/dashboard/";
  const std::vector<Asset>& all = page_assets();
  const auto at = std::find_if(all.begin(), all.end(),
                               [path](const Asset& asset) { return asset.path == path; });
  return at == all.end() ? nullptr : &*at;
}

std::string_view page_security_policy() {
  // data: is for the page's empty icon, which spares browsers a request for /favicon.ico.
  return "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
         "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
}

}  // namespace windlass::server
