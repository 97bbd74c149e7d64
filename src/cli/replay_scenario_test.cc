#include "cli/replay_scenario.h"

#include <filesystem>
#include <fstream>
#include <unistd.h>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <rapidcheck.h>

#include "cli/replay_queries.h"
#include "cli/replay_reader.h"

namespace windlass::cli {
namespace {

TEST(ReplayYaml, ReadsAsWasWritten) {
  const char* const cases[] = {
      R"({"a":1})",
      R"({"spec":{"models":[{"name":"m","card":{"parameters":8.03e9,"x":[1,2]},"list":[]}],"e":{}}})",
      R"([[1,[2,{"a":[{"b":{"c":{"d":"e"}}}]}]],{"x":{"y":[{"z":null}]}}])",
      R"({"true":"true","on":"off","null":"null","1":"1","a: b":"# c","quote\"":"it's \n \\ \u00e4"})",
      R"({"words":["plainword","yes","Infinity","1e5","0x1f","2026-03-02T00:00:00Z","a: b","- x"]})",
      R"({"one":{"two":{"three":{"four":{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7}}}}})",
  };
  for (const char* text : cases) {
    const auto json = parse_json(text);
    ASSERT_TRUE(json.ok()) << text;
    const auto yaml = parse_yaml(yaml_text(*json));
    ASSERT_TRUE(yaml.ok()) << yaml_text(*json) << yaml.error().message();
    EXPECT_EQ(*yaml->front().value, *json) << yaml_text(*json);
  }
}

TEST(ReplayYaml, AnyTextComesBack) {
  EXPECT_TRUE(rc::check("any text", [] {
    const auto text = *rc::gen::container<std::string>(rc::gen::inRange<char>(' ', '~'));
    const auto key =
        *rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::inRange<char>(' ', '~')));
    const Json json{{"list", {{{key, text}, {"more", Json{{"deep", {text, key}}}}}}}};
    const auto yaml = parse_yaml(yaml_text(json));
    RC_ASSERT(yaml.ok());
    RC_ASSERT(*yaml->front().value == json);
  }));
}

class ModelsFileTest : public testing::Test {
 protected:
  ~ModelsFileTest() override { std::filesystem::remove(path_); }
  Result<ModelsFile> read(const std::string& text) {
    std::ofstream(path_) << text;
    return read_models_file(path_);
  }
  std::string path_ = fmt::format("{}/replay_models_{}.yaml", testing::TempDir(), getpid());
};

TEST_F(ModelsFileTest, ThreeForms) {
  for (const char* text : {"[{name: m, deployment: ns/d}]", "models: [{name: m, deployment: ns/d}]",
                           "apiVersion: windlass.dev/v1alpha1\nkind: Scenario\nspec: {models: "
                           "[{name: m, deployment: ns/d}]}"}) {
    const auto file = read(text);
    ASSERT_TRUE(file.ok()) << file.error().message();
    EXPECT_EQ(file->names, std::vector<std::string>{"m"});
    EXPECT_EQ(file->deployments, std::vector<std::string>{"ns/d"});
  }
}

TEST_F(ModelsFileTest, PathsAreTheFilesOwn) {
  const auto file =
      read("models: [{name: m}]\nmanifests: [a.yaml]\ntraining: {trace: {path: jobs.csv}}");
  ASSERT_TRUE(file.ok());
  const auto folder = std::filesystem::absolute(path_).parent_path();
  EXPECT_EQ(file->manifests, std::vector<std::string>{(folder / "a.yaml").string()});
  EXPECT_EQ((*file->spec)["training"]["trace"]["path"], (folder / "jobs.csv").string());
}

TEST_F(ModelsFileTest, WhatIsNone) {
  for (const char* text :
       {"", "7", "a: b", "models: []", "models: {}", "models: [7]", "models: [{}]",
        "models: [{name: m}]\ncloud: fast", "[{name: m}]\n---\n[{name: n}]", "a: ["}) {
    EXPECT_FALSE(read(text).ok()) << text;
  }
  EXPECT_FALSE(read_models_file("/nowhere.yaml").ok());
}

TEST(ReplayQueries, StepsAreOnTheGrid) {
  for (const int64_t step : {5, 7, 60, 300, 700, 3600}) {
    for (const ReplayQuery& query : replay_queries({step, step, {}, {}, {}, {"ns/d"}})) {
      EXPECT_EQ(query.step % step, 0) << query.name;
      EXPECT_GE(query.step, step) << query.name;
    }
  }
}

TEST(ReplayQueries, NamesStandLiterally) {
  bool any = false;
  for (const ReplayQuery& query : replay_queries({60, 60, {}, {}, {}, {"my-ns/a.b", "other/c"}})) {
    if (query.topic != ReplayTopic::kReplicas) continue;
    any = true;
    EXPECT_NE(query.query.find(R"(namespace=~"my-ns|other",deployment=~"a\\.b|c")"),
              std::string::npos)
        << query.query;
  }
  EXPECT_TRUE(any);
}

TEST(ReplayReader, PasswordsAreNotShown) {
  const std::pair<const char*, const char*> cases[] = {
      {"http://prometheus:9090", "http://prometheus:9090"},
      {"https://user:pass@host/prometheus", "https://host/prometheus"},
      {"https://user:p@ss@host:1", "https://host:1"},
      {"https://host/a@b", "https://host/a@b"},
      {"host", "host"}};
  for (const auto& [url, shown] : cases) EXPECT_EQ(shown_url(url), shown);
}

}  // namespace
}  // namespace windlass::cli
