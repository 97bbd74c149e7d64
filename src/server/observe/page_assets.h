// The dashboard's page as bytes in the program: what web/dist holds (made by web/build, committed)
// is turned into a source file when Windlass is built (cmake/EmbedFile.cmake), so the page needs no
// files at run time and building it no Node. The assets live as long as the program; any thread may
// read them.
#pragma once

#include <string_view>
#include <vector>

namespace windlass::server {

struct Asset {
  std::string_view path;  // as requested: "/dashboard/app.js"; the page itself "/dashboard/"
  std::string_view content_type;  // with its charset
  std::string_view body;
  std::string_view etag;  // quoted, of the body: "\"0f3a...\""
};

// All of them, sorted by path. Made by the build.
const std::vector<Asset>& page_assets();

// The asset of a request's path, nullptr if there is none. "/dashboard" and "/dashboard/index.html"
// are the page too. The page refers to the others by full path, so either works as its address.
const Asset* find_page_asset(std::string_view path);

// The Content-Security-Policy the page is made for: everything from its own origin, nothing inline.
std::string_view page_security_policy();

}  // namespace windlass::server
