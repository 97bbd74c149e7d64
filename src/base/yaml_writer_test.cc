#include "base/yaml_writer.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace windlass {
namespace {

TEST(YamlWriter, BlockStyleAsKubectlPrints) {
  const Json value = {{"kind", "Role"},
                      {"rules", {{{"verbs", {"get", "list"}}, {"apiGroups", {""}}}}},
                      {"empty", Json::object()},
                      {"none", Json::array()},
                      {"nested", {{{1, 2}, {3}}}},
                      {"n", 5},
                      {"off", nullptr}};
  EXPECT_EQ(to_yaml(value),
            "empty: {}\nkind: Role\n\"n\": 5\nnested:\n- - - 1\n    - 2\n  - - 3\nnone: []\n"
            "\"off\": null\nrules:\n- apiGroups:\n  - \"\"\n  verbs:\n  - get\n  - list\n");
  EXPECT_EQ(to_yaml("yes"), "\"yes\"\n");
  EXPECT_EQ(to_yaml(Json::array()), "[]\n");
}

// Everything comes back as it was, through a reader of its own making.
TEST(YamlWriter, ComesBackAsItWas) {
  const char* const texts[] = {"",     "a",          "true", "Yes", "NULL",  "~",   "1",     "1e3",
                               "0x1f", "1:30",       "a: b", "- a", "#c",    "a#b", ":8080", "*a",
                               "&a",   "2001-01-01", "a\nb", "é",   "\"q\"", "'",   "%",     "@x",
                               "a\\b", "\t",         "=",    "<<",  "/a/b",  ".5",  "-",     "| x"};
  for (const char* text : texts) {
    const Json value = {{"k", text}, {text, Json::array({text, {{text, 1}}})}};
    const auto read = parse_yaml(to_yaml(value));
    ASSERT_TRUE(read.ok()) << text << ": " << read.error().message();
    ASSERT_EQ(read->size(), 1U) << text;
    EXPECT_EQ(*read->front().value, value) << to_yaml(value);
  }
}

}  // namespace
}  // namespace windlass
