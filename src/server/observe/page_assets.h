// The files of the page as they are compiled in: made at configure time from web/dist by
// cmake/PageAssets.cmake, or one plain placeholder page where that is absent.
#pragma once

#include <string_view>
#include <vector>

namespace windlass::server::observe {

struct Asset {
  std::string_view path;  // "/index.html", "/app.js"
  std::string_view content_type;
  std::string_view body;
  std::string_view etag;  // with its quotes
};

// Sorted by path. "/" is "/index.html".
const std::vector<Asset>& page_assets();

}  // namespace windlass::server::observe
