#include "api/json_reader.h"

#include <limits>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace windlass::api {
namespace {

// Reads `json` with `read` and gives the errors, one line.
template <typename Read>
std::string errors(std::string_view json, Read read) {
  const Json value = *parse_json(json);
  ReadLog log;
  Reader root(value, "", log);
  read(root);
  return log.joined_errors();
}

TEST(Reader, ScalarsOfTheRightType) {
  const Json value = *parse_json(R"({"s": "x", "i": 8.0, "d": 1.5, "b": true, "t": "1h30m",
      "q": "1.5Gi", "n": null, "e": "Max", "l": ["a", "b"], "m": {"k": "v"}, "r": {"cpu": 2},
      "at": "2026-03-01T00:00:00Z", "qn": 4})");
  ReadLog log;
  Reader root(value, "", log);
  EXPECT_EQ(root.at("s").string(), "x");
  EXPECT_EQ(root.at("i").integer(0, 10), 8);
  EXPECT_EQ(root.at("i").int32(8, 8), 8);
  EXPECT_EQ(root.at("d").number(0, 2), 1.5);
  EXPECT_EQ(root.at("i").number(0, 10), 8.0);
  EXPECT_EQ(root.at("b").boolean(), true);
  EXPECT_EQ(root.at("t").duration(), minutes(90));
  EXPECT_EQ(root.at("q").quantity()->to_string(), "1536Mi");
  EXPECT_EQ(root.at("qn").quantity()->milli(), 4000);
  EXPECT_EQ(root.at("e").one_of<int>({{"Min", 1}, {"Max", 2}}), 2);
  EXPECT_EQ(root.at("l").strings(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(root.at("m").string_map(), (StringMap{{"k", "v"}}));
  EXPECT_EQ(root.at("r").resources().milli("cpu"), 2000);
  EXPECT_EQ(to_rfc3339(*root.at("at").time()), "2026-03-01T00:00:00Z");
  EXPECT_TRUE(log.errors.empty()) << log.joined_errors();
}

TEST(Reader, AbsentAndNullReadAlike) {
  const Json value = *parse_json(R"({"n": null})");
  ReadLog log;
  Reader root(value, "", log);
  for (const char* key : {"n", "missing"}) {
    EXPECT_FALSE(root.at(key).present());
    EXPECT_FALSE(root.has(key));
    EXPECT_FALSE(root.at(key).string() || root.at(key).integer(0, 1) || root.at(key).boolean() ||
                 root.at(key).duration() || root.at(key).quantity() || root.at(key).number(0, 1));
    EXPECT_TRUE(root.at(key).items().empty() && root.at(key).entries().empty());
    EXPECT_FALSE(root.at(key).at("deeper").at("still").present());
  }
  EXPECT_TRUE(log.errors.empty());
  root.required("n");
  (void)root.at("missing").required_string();
  EXPECT_EQ(log.joined_errors(), "n: is missing; missing: is missing");
}

TEST(Reader, EveryErrorIsCollectedWithItsPath) {
  EXPECT_EQ(errors(R"({"a": {"b": [{"c": 1}, {"c": "x"}]}, "d.e/f": {"x": 5}})",
                   [](Reader& root) {
                     for (Reader item : root.at("a").at("b").items())
                       (void)item.at("c").integer(2, 9);
                     for (const auto& [key, field] : root.entries()) {
                       if (key == "d.e/f") (void)field.string_map();
                     }
                   }),
            "a.b[0].c: found the number 1 (accepted: a whole number from 2 to 9); "
            "a.b[1].c: found the string \"x\" (accepted: a whole number from 2 to 9); "
            "[d.e/f].x: found the number 5 (accepted: a string; put it in quotes)");
}

TEST(Reader, WrongTypesSayWhatIsAccepted) {
  const auto at = [](auto read) { return [read](Reader& root) { read(root.at("v")); }; };
  EXPECT_EQ(errors(R"({"v": [1]})", at([](Reader v) { (void)v.string(); })),
            "v: found a list (accepted: a string)");
  EXPECT_EQ(errors(R"({"v": "5"})", at([](Reader v) { (void)v.number(-1e308, 1e308); })),
            "v: found the string \"5\" (accepted: a number from -1e+308 to 1e+308)");
  EXPECT_EQ(errors(R"({"v": -1})", at([](Reader v) {
                     (void)v.number(0, std::numeric_limits<double>::infinity());
                   })),
            "v: found the number -1 (accepted: a number of at least 0)");
  EXPECT_EQ(errors(R"({"v": 1.5})", at([](Reader v) { (void)v.int32(0, INT32_MAX); })),
            "v: found the number 1.5 (accepted: a whole number of at least 0)");
  EXPECT_EQ(errors(R"({"v": 18446744073709551615})",
                   at([](Reader v) { (void)v.integer(INT64_MIN, INT64_MAX); })),
            "v: found the number 18446744073709551615 (accepted: a whole number)");
  EXPECT_EQ(errors(R"({"v": "yes"})", at([](Reader v) { (void)v.boolean(); })),
            "v: found the string \"yes\" (accepted: true or false, without quotes)");
  EXPECT_EQ(errors(R"({"v": "-5s"})", at([](Reader v) { (void)v.duration(); })),
            "v: found the string \"-5s\" (accepted: a duration of 0 or more, like 30s, 5m, 1h30m)");
  EXPECT_EQ(errors(R"({"v": "Mx"})", at([](Reader v) {
                     (void)v.one_of<int>({{"Min", 1}, {"Max", 2}});
                   })),
            "v: found \"Mx\" (accepted: Min, Max); did you mean \"Max\"?");
  EXPECT_EQ(errors(R"({"v": ["a", 1, null]})", at([](Reader v) { (void)v.strings(); })),
            "v[1]: found the number 1 (accepted: a string; put it in quotes); "
            "v[2]: is null (accepted: a string)");
  EXPECT_EQ(errors(R"({"v": ""})", at([](Reader v) { (void)v.required_string(); })), "v: is empty");
  EXPECT_EQ(errors(R"({"v": 1})", at([](Reader v) {
                     (void)v.at("a");
                     (void)v.at("b");
                   })),
            "v: found the number 1 (accepted: a map)")
      << "said once";
}

TEST(Reader, UnknownKeysAreThoseNobodyAskedFor) {
  const Json value = *parse_json(R"({"replicas": 1, "replcas": 2, "kept": 3, "zzz": 4})");
  ReadLog log;
  Reader root(value, "spec", log);
  (void)root.at("replicas");
  (void)root.at("absent");
  root.allow({"kept"});
  root.warn_unknown_keys();
  ASSERT_EQ(log.warnings.size(), 2U);
  EXPECT_EQ(log.warnings[0].path, "spec.replcas");
  EXPECT_EQ(log.warnings[0].text, "unknown field; did you mean \"replicas\"?");
  EXPECT_EQ(log.warnings[1].text, "unknown field");
  root.refuse_unknown_keys();
  EXPECT_EQ(log.errors.size(), 2U);
}

TEST(Reader, MessagesStayShort) {
  const Json value = Json::object({{"v", std::string(1 << 20, 'x')}});
  ReadLog log;
  Reader root(value, "", log);
  (void)root.at("v").integer(0, 1);
  (void)root.at("v").one_of<int>({{"a", 1}});
  root.at("v").warn_unknown_keys();
  EXPECT_LT(log.joined_errors().size(), 400U);
}

}  // namespace
}  // namespace windlass::api
