#include "server/observe/page_assets.h"

#include <set>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace windlass::server {
namespace {

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::string_view body_of(std::string_view path) {
  const Asset* asset = find_page_asset(path);
  return asset == nullptr ? std::string_view{} : asset->body;
}

TEST(PageAssets, HoldThePageWithAllItRefersTo) {
  const std::string_view page = body_of("/dashboard/");
  ASSERT_FALSE(page.empty());
  EXPECT_EQ(page.substr(0, 15), "<!doctype html>");
  EXPECT_EQ(page.substr(page.size() - 8), "</html>\n");
  for (const char* part : {"/dashboard/app.js", "/dashboard/app.css"}) {
    EXPECT_TRUE(contains(page, "=\"" + std::string(part) + "\"")) << part;
    EXPECT_GT(body_of(part).size(), 10'000U) << part;
  }
  // Whole to its last byte: the bundle is one function that is called at its end.
  const std::string_view script = body_of("/dashboard/app.js");
  EXPECT_EQ(script.substr(script.size() - 6), "})();\n");
  EXPECT_TRUE(contains(body_of("/dashboard/LICENSES.txt"), "preact"));
  EXPECT_TRUE(contains(body_of("/dashboard/LICENSES.txt"), "uplot"));
}

TEST(PageAssets, HaveTypesAndTagsOfTheirOwn) {
  EXPECT_EQ(find_page_asset("/dashboard/")->content_type, "text/html; charset=utf-8");
  EXPECT_EQ(find_page_asset("/dashboard/app.js")->content_type, "text/javascript; charset=utf-8");
  EXPECT_EQ(find_page_asset("/dashboard/app.css")->content_type, "text/css; charset=utf-8");
  std::set<std::string_view> tags;
  std::string_view before;
  for (const Asset& asset : page_assets()) {
    EXPECT_GE(asset.etag.size(), 18U);
    EXPECT_EQ(asset.etag.front(), '"');
    EXPECT_EQ(asset.etag.back(), '"');
    tags.insert(asset.etag);
    EXPECT_LT(before, asset.path);
    before = asset.path;
  }
  EXPECT_EQ(tags.size(), page_assets().size());
}

TEST(PageAssets, AreFoundByTheirPathsOnly) {
  EXPECT_EQ(find_page_asset("/dashboard"), find_page_asset("/dashboard/"));
  EXPECT_EQ(find_page_asset("/dashboard/index.html"), find_page_asset("/dashboard/"));
  for (const char* path : {"", "/", "/dashboard/app", "/dashboard/snapshot", "/app.js"}) {
    EXPECT_EQ(find_page_asset(path), nullptr) << path;
  }
}

// Under script-src 'self'; style-src 'self' a browser runs nothing that stands in the page itself.
TEST(PageAssets, NeedNothingThatThePolicyForbids) {
  const std::string_view page = body_of("/dashboard/");
  EXPECT_FALSE(contains(page, "<style"));
  EXPECT_FALSE(contains(page, " style="));
  EXPECT_FALSE(contains(page, " on"));
  EXPECT_TRUE(contains(page, "<script src=\"/dashboard/app.js\" defer></script>"));
  EXPECT_FALSE(contains(body_of("/dashboard/app.css"), "http"));
  EXPECT_FALSE(contains(body_of("/dashboard/app.css"), "@import"));
  EXPECT_FALSE(contains(page_security_policy(), "unsafe"));
}

}  // namespace
}  // namespace windlass::server
