#include "cli/lint_command.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/json.h"

namespace windlass::cli {
namespace {

using lint::Severity;

const std::vector<lint::Finding>& two() {
  static const std::vector<lint::Finding> kTwo{
      {"average-capped", Severity::kError, "a.yaml:3: ScaledObject/s spec", "never", "sum()"},
      {"max-unset", Severity::kInfo, "a.yaml:1: ScaledObject/s", "100", "a number"}};
  return kTwo;
}

TEST(LintCommand, ExitCodeFollowsErrorsAlone) {
  EXPECT_EQ(lint_exit_code({}), 0);
  EXPECT_EQ(lint_exit_code({two()[1]}), 0);
  EXPECT_EQ(lint_exit_code(two()), 1);
}

TEST(LintCommand, TableSaysAllOfAFinding) {
  EXPECT_EQ(lint_table(two()),
            "error   average-capped  a.yaml:3: ScaledObject/s spec\n        never\n"
            "        fix: sum()\n"
            "info    max-unset  a.yaml:1: ScaledObject/s\n        100\n        fix: a number\n\n"
            "1 error, 0 warnings, 1 remark\n");
  EXPECT_EQ(lint_table({}), "0 errors, 0 warnings, 0 remarks\n");
}

TEST(LintCommand, JsonSaysTheSame) {
  const Json out = *parse_json(lint_json(two()));
  EXPECT_EQ(out["errors"], 1);
  EXPECT_EQ(out["infos"], 1);
  EXPECT_EQ(out["findings"][0]["id"], "average-capped");
  EXPECT_EQ(out["findings"][0]["severity"], "error");
  EXPECT_EQ(out["findings"][1]["fix"], "a number");
  EXPECT_TRUE(parse_json(lint_json({}))->at("findings").empty());
}

}  // namespace
}  // namespace windlass::cli
