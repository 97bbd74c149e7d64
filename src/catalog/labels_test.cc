#include "catalog/labels.h"

#include <algorithm>
#include <regex.h>
#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace windlass::catalog {
namespace {

// The provider's own pattern, with the C library's engine.
void check_against_pattern(const std::string& name, std::string& category,
                           std::string& generation) {
  regex_t pattern;
  ASSERT_EQ(regcomp(&pattern, "^([a-z]+)(-[0-9]+tb)?([0-9]+).*\\.", REG_EXTENDED), 0);
  regmatch_t groups[4];
  if (regexec(&pattern, name.c_str(), 4, groups, 0) == 0) {
    const auto text = [&](const regmatch_t& group) {
      return name.substr(static_cast<size_t>(group.rm_so),
                         static_cast<size_t>(group.rm_eo - group.rm_so));
    };
    category = text(groups[1]);
    generation = text(groups[3]);
  }
  regfree(&pattern);
}

TEST(TypeName, PartsOfKnownNames) {
  struct Case {
    const char* name;
    const char* category;
    const char* generation;
    const char* family;
    const char* size;
  };
  const Case cases[] = {{"g4dn.xlarge", "g", "4", "g4dn", "xlarge"},
                        {"p6-b200.48xlarge", "p", "6", "p6-b200", "48xlarge"},
                        {"u-6tb1.112xlarge", "u", "1", "u-6tb1", "112xlarge"},
                        {"u7i-12tb.224xlarge", "u", "7", "u7i-12tb", "224xlarge"},
                        {"inf2.xlarge", "inf", "2", "inf2", "xlarge"},
                        {"m7i-flex.large", "m", "7", "m7i-flex", "large"},
                        {"nonsense", "", "", "", ""}};
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const NameParts parts = parse_type_name(c.name);
    EXPECT_EQ(parts.category, c.category);
    EXPECT_EQ(parts.generation, c.generation);
    EXPECT_EQ(parts.family, c.family);
    EXPECT_EQ(parts.size, c.size);
  }
}

TEST(TypeName, EveryNameAsThePatternReadsIt) {
  for (const Ec2Facts& facts : ec2_table()) {
    std::string category;
    std::string generation;
    check_against_pattern(facts.name, category, generation);
    const NameParts parts = parse_type_name(facts.name);
    EXPECT_EQ(parts.category, category) << facts.name;
    EXPECT_EQ(parts.generation, generation) << facts.name;
    EXPECT_FALSE(parts.category.empty()) << facts.name;
  }
}

RC_GTEST_PROP(TypeName, AnyTextAsThePatternReadsIt, ()) {
  const auto text = *rc::gen::container<std::string>(rc::gen::elementOf(std::string("gu-t16b.")));
  // EC2 names have one dot; with more, the pattern's ".*" would run over them.
  RC_PRE(std::count(text.begin(), text.end(), '.') <= 1);
  std::string category;
  std::string generation;
  check_against_pattern(text, category, generation);
  const NameParts parts = parse_type_name(text);
  RC_ASSERT(parts.category == category);
  RC_ASSERT(parts.generation == generation);
}

}  // namespace
}  // namespace windlass::catalog
