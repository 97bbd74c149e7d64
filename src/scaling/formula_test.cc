// Values were worked out by hand from the rules of reference keda_hpa.md 1.7 and expr-lang's
// published grammar.
#include "scaling/formula.h"

#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace windlass::scaling {
namespace {

// Three triggers worked, one failed.
const std::vector<std::string> kNames{"queue", "kv", "rate", "down"};
const std::vector<std::optional<double>> kValues{12.0, 0.5, -3.0, std::nullopt};

Result<std::optional<double>> value_of(std::string_view text) {
  const auto formula = Formula::parse(text, kNames);
  if (!formula.ok()) return formula.error();
  return formula->evaluate(kValues);
}

struct ValueCase {
  const char* text;
  double value;
};

class FormulaValues : public testing::TestWithParam<ValueCase> {};
TEST_P(FormulaValues, AreWhatTheRulesSay) {
  const auto got = value_of(GetParam().text);
  ASSERT_TRUE(got.ok()) << GetParam().text << ": " << got.error().message();
  ASSERT_TRUE(got->has_value()) << GetParam().text;
  EXPECT_DOUBLE_EQ(**got, GetParam().value) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    Arithmetic, FormulaValues,
    testing::Values(ValueCase{"1 + 2 * 3", 7}, ValueCase{"(1 + 2) * 3", 9}, ValueCase{"7 / 2", 3.5},
                    ValueCase{"7 % 4", 3}, ValueCase{"-7 % 4", -3}, ValueCase{"2 ** 3 ** 2", 512},
                    ValueCase{"2 ^ 10", 1024}, ValueCase{"-2 ** 2", -4}, ValueCase{"(-2) ** 2", 4},
                    ValueCase{"2 ** -1", 0.5}, ValueCase{"10 - 4 - 3", 3},
                    ValueCase{"100 / 10 / 2", 5}, ValueCase{"queue * kv + rate", 3},
                    ValueCase{"-queue", -12}, ValueCase{"+rate", -3}, ValueCase{"- - 3", 3},
                    ValueCase{"1_000 + 0x1f + .5 + 2e2 + 1.5e-1", 1231.65},
                    ValueCase{"9223372036854775807 + 1", -9223372036854775808.0},
                    ValueCase{"int(queue) % 5", 2},
                    ValueCase{"queue // seen\n + /* here */ 1", 13}));

INSTANTIATE_TEST_SUITE_P(
    Logic, FormulaValues,
    testing::Values(ValueCase{"queue > 10 ? 1 : 2", 1}, ValueCase{"queue > 12 ? 1 : 2", 2},
                    ValueCase{"queue >= 12 and kv < 1 ? 1 : 2", 1},
                    ValueCase{"queue > 50 || rate < 0 ? 1 : 2", 1},
                    ValueCase{"not (queue > 10) ? 1 : 2", 2}, ValueCase{"!(queue > 10) ? 1 : 2", 2},
                    ValueCase{"not false && false ? 1 : 2", 2},
                    ValueCase{"0 < kv <= 0.5 < 1 ? 1 : 2", 1}, ValueCase{"0 < kv < 0.5 ? 1 : 2", 2},
                    ValueCase{"queue == 12 && queue != 13 ? 1 : 2", 1},
                    ValueCase{"1 == 1.0 ? 1 : 2", 1}, ValueCase{"true == (1 < 2) ? 1 : 2", 1},
                    ValueCase{"down == nil ? 1 : 2", 1}, ValueCase{"queue == nil ? 1 : 2", 2},
                    ValueCase{"false ? 1 : true ? 2 : 3", 2},
                    ValueCase{"true ? false ? 1 : 2 : 3", 2},
                    ValueCase{"if queue > 10 { queue } else { kv }", 12},
                    ValueCase{"if queue > 20 { 1 } else if kv > 1 { 2 } else { 3 }", 3},
                    // The branch not taken may hold anything.
                    ValueCase{"true ? 1 : down + 1", 1}, ValueCase{"true or down > 1 ? 1 : 2", 1}));

INSTANTIATE_TEST_SUITE_P(
    Nil, FormulaValues,
    testing::Values(ValueCase{"down ?? queue", 12}, ValueCase{"queue ?? down", 12},
                    ValueCase{"down ?? down ?? 4", 4}, ValueCase{"kv + down ?? 2", 2.5},
                    ValueCase{"(down ?? 1) + 1", 2}, ValueCase{"[1, down, 3][1] ?? 9", 9},
                    ValueCase{"max([]) ?? 7", 7}));

INSTANTIATE_TEST_SUITE_P(
    Arrays, FormulaValues,
    testing::Values(
        ValueCase{"count([queue, kv, rate], {# > 1})", 1},
        ValueCase{"count([queue, kv, rate], # > 0)", 2}, ValueCase{"count([true, false, true])", 2},
        ValueCase{"count([queue, kv], {# > 1}) >= 1 ? queue : 0", 12},
        ValueCase{"all([1, 2], {# > 0}) ? 1 : 0", 1}, ValueCase{"all([1, -2], {# > 0}) ? 1 : 0", 0},
        ValueCase{"all([], {# > 0}) ? 1 : 0", 1}, ValueCase{"any([], {true}) ? 1 : 0", 0},
        ValueCase{"any([5, nil], {# > 1}) ? 1 : 0", 1},
        ValueCase{"none([1, 2], {# > 2}) ? 1 : 0", 1},
        ValueCase{"none([1, 3], {# > 2}) ? 1 : 0", 0},
        ValueCase{"one([1, 2, 3], {# > 2}) ? 1 : 0", 1},
        ValueCase{"sum(filter([1, 2, 3, 4], {# % 2 == 0}))", 6},
        ValueCase{"sum(map([1, 2, 3], {# ** 2}))", 14}, ValueCase{"sum([1, 2, 3], {# * 10})", 60},
        ValueCase{"sum(map([1, 2], {count([1, 2, 3], {# > 2}) + #}))", 5},
        ValueCase{"sum(1..4)", 10}, ValueCase{"len(3..1)", 0}, ValueCase{"2 in [1, 2] ? 1 : 0", 1},
        ValueCase{"3 not in [1, 2] ? 1 : 0", 1}, ValueCase{"[4, 5, 6][-1] + [4, 5, 6][0]", 10},
        ValueCase{"[1, 2,][1]", 2}, ValueCase{"[[1], [2]] == [[1], [2.0]] ? 1 : 0", 1}));

INSTANTIATE_TEST_SUITE_P(
    Calls, FormulaValues,
    testing::Values(ValueCase{"max(queue, kv, rate)", 12}, ValueCase{"min([queue, kv], rate)", -3},
                    ValueCase{"sum([])", 0}, ValueCase{"mean([1, 2, 6])", 3},
                    ValueCase{"mean(1, 2)", 1.5}, ValueCase{"mean([])", 0},
                    ValueCase{"median([5, 1, 3])", 3}, ValueCase{"median([4, 1, 3, 2])", 2.5},
                    ValueCase{"median([])", 0}, ValueCase{"abs(rate)", 3}, ValueCase{"abs(-4)", 4},
                    ValueCase{"ceil(1.2) + floor(1.8) + round(2.5) + round(-2.5)", 3},
                    ValueCase{"int(2.9) + int(-2.9)", 0}, ValueCase{"float(7) / 2", 3.5},
                    ValueCase{"float(queue) > 3 ? 5 : 6", 5}, ValueCase{"len([1, [2, 3]])", 2},
                    ValueCase{"let x = queue * 2; x + 1", 25},
                    ValueCase{"let x = 2; let y = x ** 3; y - x", 6},
                    ValueCase{"(let x = 2; x) + 1", 3}));

TEST(Formula, DivisionByZeroIsAFraction) {
  EXPECT_EQ(**value_of("1 / 0"), std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(**value_of("0 / 0")));
}

TEST(Formula, NilLeavesOnlyAFormulaWithCoalescing) {
  EXPECT_FALSE(value_of("down ?? nil")->has_value());
  EXPECT_FALSE(value_of("down").ok());
}

struct ErrorCase {
  const char* text;
  const char* message;
};
class FormulaErrors : public testing::TestWithParam<ErrorCase> {};
TEST_P(FormulaErrors, NameTheColumnAndTheReason) {
  const auto got = value_of(GetParam().text);
  ASSERT_FALSE(got.ok()) << GetParam().text;
  EXPECT_NE(got.error().message().find(GetParam().message), std::string::npos)
      << GetParam().text << ": " << got.error().message();
}

INSTANTIATE_TEST_SUITE_P(
    Reading, FormulaErrors,
    testing::Values(ErrorCase{"", "column 1: found the end, expected a number"},
                    ErrorCase{"queue +", "column 8: found the end"},
                    ErrorCase{"quue + 1",
                              "column 1: unknown name \"quue\" (accepted: queue, kv, rate, down); "
                              "did you mean \"queue\"?"},
                    ErrorCase{"1 + sqrt(4)",
                              "column 5: unknown function \"sqrt\" (accepted: all, any"},
                    ErrorCase{"(queue", "column 7: found the end, expected \")\""},
                    ErrorCase{"queue kv", "column 7: found \"kv\" behind the end"},
                    ErrorCase{"1 ? 2", "column 6: found the end, expected \":\""},
                    ErrorCase{"# + 1", "column 1: # stands for an element in a predicate only"},
                    ErrorCase{"'text'", "column 1: text has no place"},
                    ErrorCase{"[1] | sum()", "column 5: pipes are not accepted"},
                    ErrorCase{"1 @ 2", "column 3: \"@\" means nothing here"},
                    ErrorCase{"1 \x01", "column 3: byte 0x01"},
                    ErrorCase{"1 /* x", "column 3: the comment has no end"},
                    ErrorCase{"12ab", "column 1: not a number: \"12ab\""},
                    ErrorCase{"99999999999999999999", "column 1: not a number"},
                    ErrorCase{"count([1], 2, 3)", "expected \")\""},
                    ErrorCase{"all([1])", "column 1: all takes an array and a predicate"},
                    ErrorCase{"max()", "column 1: max takes at least one argument"},
                    ErrorCase{"abs(1, 2)", "column 1: abs takes one argument"},
                    ErrorCase{"let queue = 1; 2", "column 5: \"queue\" means something already"},
                    ErrorCase{"let max = 1; 2", "column 5: \"max\" means something already"},
                    ErrorCase{"let 3 = 1; 2", "column 5: found \"3\", expected a name"},
                    ErrorCase{"let x = 1 x", "column 11: found \"x\", expected \";\""},
                    ErrorCase{"down ?? 1 + 2", "column 11: \"+\" after ?? needs parentheses"},
                    ErrorCase{"if true { 1 }", "column 14: found the end, expected \"else\""}));

INSTANTIATE_TEST_SUITE_P(
    Evaluating, FormulaErrors,
    testing::Values(ErrorCase{"queue > 1", "the formula gives a boolean, a number is needed"},
                    ErrorCase{"[1]", "the formula gives an array"},
                    ErrorCase{"down", "the formula gives nil, which is a trigger that failed"},
                    ErrorCase{"1 + down", "column 3: \"+\" takes numbers, found nil"},
                    ErrorCase{"down > 1 ? 1 : 2", "column 6: \">\" takes numbers, found nil"},
                    ErrorCase{"1 + true", "column 3: \"+\" takes numbers, found a boolean"},
                    ErrorCase{"-true", "column 1: a sign takes a number"},
                    ErrorCase{"not 1 ? 1 : 2", "column 5: needs true or false, found a number"},
                    ErrorCase{"1 and true ? 1 : 2", "column 1: needs true or false"},
                    ErrorCase{"queue % 5",
                              "column 7: % takes whole numbers; write int(a) % int(b)"},
                    ErrorCase{"5 % 0", "column 3: division of a whole number by zero"},
                    ErrorCase{"1.5..3 == 1 ? 1 : 2", "column 4: a range takes whole numbers"},
                    ErrorCase{"[1][1]", "column 4: no element 1 in an array of 1"},
                    ErrorCase{"1[0]", "column 2: [ ] takes an array"},
                    ErrorCase{"int(1e300)", "column 1: 1e+300 does not fit"},
                    ErrorCase{"abs([1])", "column 1: takes a number, found an array"},
                    ErrorCase{"max(1, true)", "column 1: takes numbers and arrays of numbers only"},
                    ErrorCase{"count([1, 2])", "needs true or false"},
                    ErrorCase{"map(1, {#}) == 1 ? 1 : 2", "column 1: takes an array"},
                    ErrorCase{"sum(1..1000000)", "takes more than 100000 steps"}));

// Untrusted text must neither blow the stack nor hang.
TEST(Formula, NestingLengthAndWorkAreBounded) {
  const auto repeated = [](const char* open, size_t times, const char* core, const char* close) {
    std::string text;
    for (size_t i = 0; i < times; ++i) text += open;
    text += core;
    for (size_t i = 0; i < times; ++i) text += close;
    return text;
  };
  for (const char* open : {"(", "[", "-", "not ", "max(", "1 ? 1 : ", "2 ** ", "let x = 1; "}) {
    const auto got = Formula::parse(repeated(open, 2000, "1", ""), {});
    ASSERT_FALSE(got.ok()) << open;
    EXPECT_LT(got.error().message().size(), 200u);
  }
  EXPECT_FALSE(Formula::parse(repeated("1 + ", 3000, "1", ""), {}).ok());
  EXPECT_TRUE(Formula::parse(repeated("1 + ", 150, "1", ""), {}).ok());
  EXPECT_TRUE(Formula::parse(repeated("(", 150, "1", ")"), {}).ok());
  EXPECT_FALSE(Formula::parse(std::string(20'000, ' '), {}).ok());
  // Each let doubles what a full walk would meet: 2^60 elements in 60 small arrays.
  std::string doubling = "let a0 = [1, 1]; ";
  for (int i = 1; i < 60; ++i) doubling += fmt::format("let a{0} = [a{1}, a{1}]; ", i, i - 1);
  for (const char* end : {"a59 == a59 ? 1 : 2", "max(a59)", "a59 in [a59] ? 1 : 2", "len(a59)"}) {
    const auto got = Formula::parse(doubling + end, {})->evaluate({});
    EXPECT_EQ(got.ok(), std::string_view(end) == "len(a59)") << end;
  }
  // A product of three ranges of 100 is a million elements.
  EXPECT_FALSE(value_of("sum(map(1..100, {sum(map(1..100, {sum(1..100)}))}))").ok());
}

}  // namespace
}  // namespace windlass::scaling
