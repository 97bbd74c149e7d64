#include "live/kube/list_watch.h"

#include <vector>

#include <gtest/gtest.h>

#include "base/rng.h"
#include "live/kube/sample_objects.h"

namespace windlass::live::kube {
namespace {

// The keys and versions of a list, or why it can't be read.
std::string summary_of(std::string body) {
  std::string out;
  const auto list = read_list(body, [&](const WireObject& object) {
    out += object.key + "@" + object.resource_version + " ";
    return true;
  });
  if (!list.ok()) return "error: " + list.error().message();
  return out + "| " + list->resource_version + " " + list->continue_token;
}

TEST(ReadList, TakesFieldsInAnyOrderAndSkipsTheRest) {
  EXPECT_EQ(summary_of(R"({"kind":"PodList","metadata":{"resourceVersion":"7","continue":"x\u0041"},
    "items":[{"metadata":{"name":"a","namespace":"n","resourceVersion":"5"}} ,
             {"spec":{"metadata":{"name":"wrong"}},"metadata":{"labels":{"name":"no"},"name":"b"}}]})"),
            "n/a@5 b@ | 7 xA");
  EXPECT_EQ(
      summary_of(R"({"items":[{"metadata":{"name":"a"}}],"x":[{}],"metadata":{"selfLink":""}})"),
      "a@ |  ");
  EXPECT_EQ(summary_of(R"({"items":null,"metadata":{"resourceVersion":"7","continue":null}})"),
            "| 7 ");
  EXPECT_EQ(summary_of(R"({"metadata":{"resourceVersion":"7"}})"), "| 7 ");
}

TEST(ReadList, GivesTheObjectsJsonAsItCame) {
  const std::string item = R"({ "metadata" : {"name":"a"}, "é": [1, {"x":"}"} , {} ] })";
  std::string body =
      R"({"metadata":{},"items":[ )" + item + "  , {\"metadata\":{\"name\":\"b\"}}\n]}";
  std::vector<std::string> items;
  ASSERT_TRUE(read_list(body, [&](const WireObject& object) {
                items.emplace_back(object.json);
                return true;
              }).ok());
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(items[0], item);
  EXPECT_EQ(items[1], R"({"metadata":{"name":"b"}})");
}

TEST(ReadList, RefusesWhatIsNoList) {
  for (const char* body :
       {"", "x", "[]", "null", "5", "{", "{}", R"({"items":[]})", R"({"metadata":5,"items":[]})",
        R"({"metadata":{},"items":5})", R"({"kind":"Status","metadata":{},"status":"Success"})",
        R"({"metadata":{"resourceVersion":"7"},"items":[],"kind":"Pod"})",
        R"({"metadata":{},"items":[5]})", R"({"metadata":{},"items":[{}]})",
        R"({"metadata":{},"items":[{"metadata":{}}]})",
        R"({"metadata":{},"items":[{"metadata":{"name":1}}]})",
        R"({"metadata":{},"items":[{"metadata":{"name":"a"}})",
        "{\"metadata\":{},\"items\":[\xFF]}"}) {
    EXPECT_TRUE(summary_of(body).starts_with("error: ")) << body << " " << summary_of(body);
  }
}

TEST(WireReader, NeverReadsPastEndsWhateverComes) {
  Rng rng(3, "wire");
  WireReader reader;
  const std::string line = R"({"type":"ADDED","object":)" + sample_pod(1).dump() + "}";
  EXPECT_EQ(reader.read(line)->object.key, "production/web-7c5ddbdf54-00001");
  for (int i = 0; i < 3000; ++i) {
    std::string text = line;
    for (uint64_t n = 1 + rng.below(3); n > 0; --n) {
      const size_t at = rng.below(text.size());
      if (rng.below(3) == 0) text.resize(at + 1);
      text[rng.below(text.size())] = R"({}[]",:\0x)"[rng.below(10)];
    }
    // Of exactly its size, so that AddressSanitizer sees a read past its end.
    const std::vector<char> exact(text.begin(), text.end());
    const auto event = reader.read({exact.data(), exact.size()});
    if (event.ok() && event->type != WireEvent::Type::kError) {
      EXPECT_FALSE(event->object.key.empty() && event->type != WireEvent::Type::kBookmark);
    }
    std::string body = R"({"metadata":{"resourceVersion":"1"},"items":[)" + text + "]}";
    const auto list = read_list(body, [](const WireObject&) { return true; });
    EXPECT_TRUE(!list.ok() || list->resource_version == "1") << body;
  }
}

TEST(ResourceVersions, AreComparedAsNumbersOfAnyLength) {
  struct Case {
    const char *a, *b;
    bool earlier;
  };
  for (const Case& c :
       std::vector<Case>{{"9", "10", true},
                         {"10", "9", false},
                         {"10", "10", false},
                         {"99999999999999999999998", "99999999999999999999999", true},
                         {"", "10", false},
                         {"5", "", false},
                         {"05", "10", false},
                         {"abc", "abd", false}}) {
    EXPECT_EQ(is_earlier_version(c.a, c.b), c.earlier) << c.a << " " << c.b;
  }
}

}  // namespace
}  // namespace windlass::live::kube
