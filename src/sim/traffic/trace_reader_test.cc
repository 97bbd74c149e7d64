#include "sim/traffic/trace_reader.h"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/time.h"
#include "sim/traffic/temporary_trace.h"

namespace windlass::sim {
namespace {

struct Outcome {
  std::vector<TraceRow> rows;
  std::string error;  // empty: none
};

Outcome read_all(const std::string& text) {
  const TemporaryTrace file(text);
  FilePtr stream(std::fopen(file.path().c_str(), "rb"));
  Result<TraceReader> reader = TraceReader::read_from(std::move(stream), "t.csv");
  if (!reader) return {{}, reader.error().message()};
  TraceReader& trace = reader.value();
  Outcome outcome;
  TraceRow row;
  while (trace.next(row)) outcome.rows.push_back(row);
  if (trace.error()) outcome.error = trace.error()->message();
  return outcome;
}

TEST(TraceReader, ReadsBothFormatsAndTheirVariants) {
  struct Case {
    const char* what;
    std::string text;
    std::vector<TraceRow> rows;
  };
  const int64_t azure = 1'700'158'546'680'590'000;  // 2023-11-16 18:15:46.68059
  const std::string header = "time_s,input_tokens,output_tokens\n";
  const std::vector<Case> cases = {
      {"azure",
       "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 18:15:46.6805900,374,44\r\n",
       {{azure, 374, 44}}},
      {"azure, offset written out, no end of line",
       "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16T18:15:46.68059+00:00,374,44",
       {{azure, 374, 44}}},
      {"azure, whole second",
       "TIMESTAMP,ContextTokens,GeneratedTokens\n1970-01-01 00:00:01,1,1\n",
       {{1'000'000'000, 1, 1}}},
      {"azure over midnight",
       "TIMESTAMP,ContextTokens,GeneratedTokens\n"
       "2024-02-29 23:59:59.9999999,5,6\n2024-03-01 00:00:00.0000000,7,8\n",
       {{1'709'251'199'999'999'900, 5, 6}, {1'709'251'200'000'000'000, 7, 8}}},
      {"plain",
       header + "0,1,2\n1.5,3,2147483647\n1.5,5,6\n",
       {{0, 1, 2}, {1'500'000'000, 3, 2147483647}, {1'500'000'000, 5, 6}}},
      {"nanoseconds and beyond",
       header + "0.000000001,1,1\n0.30000000000000004,1,1\n"
                "0.9999999999,1,1\n",
       {{1, 1, 1}, {300'000'000, 1, 1}, {1'000'000'000, 1, 1}}},
      {"exponents",
       header + "1e-05,1,1\n.5,1,1\n2.5e1,1,1\n",
       {{10'000, 1, 1}, {500'000'000, 1, 1}, {25'000'000'000, 1, 1}}},
      {"byte order mark, CRLF, blank lines, spaces",
       "\xef\xbb\xbf"
       "time_s, input_tokens, output_tokens\r\n\r\n 1 , 2 ,3\t\r\n \n\n2,3,4\r\n\r\n",
       {{1'000'000'000, 2, 3}, {2'000'000'000, 3, 4}}},
      {"no rows", header, {}},
  };
  for (const Case& c : cases) {
    const Outcome outcome = read_all(c.text);
    EXPECT_EQ(outcome.error, "") << c.what;
    ASSERT_EQ(outcome.rows.size(), c.rows.size()) << c.what;
    for (size_t i = 0; i < c.rows.size(); ++i) {
      EXPECT_EQ(outcome.rows[i].time_ns, c.rows[i].time_ns) << c.what;
      EXPECT_EQ(outcome.rows[i].input_tokens, c.rows[i].input_tokens) << c.what;
      EXPECT_EQ(outcome.rows[i].output_tokens, c.rows[i].output_tokens) << c.what;
    }
  }
}

TEST(TraceReader, NamesPlaceFindingAndWhatIsAccepted) {
  const std::string plain = "time_s,input_tokens,output_tokens\n";
  const std::string azure = "TIMESTAMP,ContextTokens,GeneratedTokens\n";
  const std::string both =
      "accepted are \"TIMESTAMP,ContextTokens,GeneratedTokens\" and "
      "\"time_s,input_tokens,output_tokens\"";
  const std::string count = "not a whole number from 1 to 2147483647: ";
  const std::string seconds = "not a number of seconds from 0 to 4e9: ";
  const std::string utc = "not a UTC time such as \"2023-11-16 18:15:46.6805900\": ";
  const std::string order = "before the row above, rows must be in order of time: ";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "t.csv:1: no header: " + both},
      {"\n\n", "t.csv:2: no header: " + both},
      {"a,b\n", "t.csv:1: header: \"a,b\": " + both},
      {plain + "1,x,2\n", "t.csv:2: input_tokens: " + count + "\"x\""},
      {plain + "1,1,1\n\n2,1,0\n", "t.csv:4: output_tokens: " + count + "\"0\""},
      {plain + "1,1,-3\n", "t.csv:2: output_tokens: " + count + "\"-3\""},
      {plain + "1,2147483648,3\n", "t.csv:2: input_tokens: " + count + "\"2147483648\""},
      {plain + "1,99999999999999999999,3\n",
       "t.csv:2: input_tokens: " + count + "\"99999999999999999999\""},
      {plain + "1,1.0,3\n", "t.csv:2: input_tokens: " + count + "\"1.0\""},
      {plain + "1,,3\n", "t.csv:2: input_tokens: " + count + "\"\""},
      {plain + ",1,3\n", "t.csv:2: time_s: " + seconds + "\"\""},
      {plain + "-1,1,3\n", "t.csv:2: time_s: " + seconds + "\"-1\""},
      {plain + "nan,1,3\n", "t.csv:2: time_s: " + seconds + "\"nan\""},
      {plain + "5e9,1,3\n", "t.csv:2: time_s: " + seconds + "\"5e9\""},
      {plain + "99999999999999999999,1,3\n",
       "t.csv:2: time_s: " + seconds + "\"99999999999999999999\""},
      {plain + "1.5s,1,3\n", "t.csv:2: time_s: " + seconds + "\"1.5s\""},
      {plain + "2,1,1\n1.999999999,1,1\n", "t.csv:3: time_s: " + order + "\"1.999999999\""},
      {plain + "1,2\n",
       "t.csv:2: 2 columns: accepted are three, time_s,input_tokens,output_tokens: \"1,2\""},
      {plain + "1,2,3,4\n",
       "t.csv:2: 4 columns: accepted are three, time_s,input_tokens,output_tokens: \"1,2,3,4\""},
      {plain + std::string("\x1b[31m\0,\"", 8) + "\n",
       "t.csv:2: 2 columns: accepted are three, time_s,input_tokens,output_tokens: "
       "\"\\x1b[31m\\x00,\\x22\""},
      {azure + "2023-02-30 00:00:00,1,1\n",
       "t.csv:2: TIMESTAMP: " + utc + "\"2023-02-30 00:00:00\""},
      {azure + "2023-11-16 24:00:00,1,1\n",
       "t.csv:2: TIMESTAMP: " + utc + "\"2023-11-16 24:00:00\""},
      {azure + "2023-11-16 10:00:00.,1,1\n",
       "t.csv:2: TIMESTAMP: " + utc + "\"2023-11-16 10:00:00.\""},
      {azure + "2023-11-16 10:00:00+01:00,1,1\n",
       "t.csv:2: TIMESTAMP: " + utc + "\"2023-11-16 10:00:00+01:00\""},
      {azure + "9999-11-16 10:00:00,1,1\n",
       "t.csv:2: TIMESTAMP: " + utc + "\"9999-11-16 10:00:00\""},
      {azure + "3.5,1,1\n", "t.csv:2: TIMESTAMP: " + utc + "\"3.5\""},
      {plain + std::string(5000, '7') + ",1,1\n",
       "t.csv:2: a line of more than 4096 bytes: \"" + std::string(40, '7') + "...\""},
      {plain + std::string(200'000, '7'),
       "t.csv:2: a line of more than 4096 bytes: \"" + std::string(40, '7') + "...\""},
  };
  for (const auto& [text, error] : cases) {
    EXPECT_EQ(read_all(text).error, error) << text.substr(0, 100);
  }
}

TEST(TraceReader, FileErrorsNameTheFile) {
  const Result<TraceReader> missing = TraceReader::open("no/such/trace.csv");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().message(), "no/such/trace.csv: No such file or directory");
  const Result<TraceReader> directory = TraceReader::open(testing::TempDir());
  ASSERT_FALSE(directory.ok());
  EXPECT_NE(directory.error().message().find("Is a directory"), std::string::npos);
}

TEST(TraceReader, RewindsToTheFirstRow) {
  const TemporaryTrace file("time_s,input_tokens,output_tokens\n5,1,2\n6,3,4\n");
  Result<TraceReader> reader = TraceReader::open(file.path());
  ASSERT_TRUE(reader.ok());
  TraceRow row;
  for (int pass = 0; pass < 3; ++pass) {
    ASSERT_TRUE(reader.value().next(row));
    EXPECT_EQ(row.time_ns, seconds(5).ns);
    ASSERT_TRUE(reader.value().next(row));
    EXPECT_EQ(row.output_tokens, 4);
    EXPECT_FALSE(reader.value().next(row));
    EXPECT_FALSE(reader.value().next(row));
    reader.value().rewind();
  }
  EXPECT_FALSE(reader.value().error().has_value());
}

// Lines cross the buffer's end at every offset sooner or later: whatever is written is read back,
// however its lines end and are padded.
RC_GTEST_PROP(TraceReaderProperty, ReadsBackWhatWasWritten, ()) {
  const auto row_count = *rc::gen::inRange(0, 6000);
  const auto seed = *rc::gen::arbitrary<uint32_t>();
  const std::string line_end = *rc::gen::element<std::string>("\n", "\r\n", "\r\n\r\n", " \n");
  uint64_t state = seed;
  const auto draw = [&state](uint64_t n) {
    state = state * 6'364'136'223'846'793'005 + 1'442'695'040'888'963'407;
    return static_cast<int64_t>((state >> 33) % n);
  };
  std::vector<TraceRow> written;
  std::string text = "time_s,input_tokens,output_tokens" + line_end;
  int64_t time_ns = 0;
  for (int i = 0; i < row_count; ++i) {
    time_ns += draw(3) * draw(2'000'000'000);
    written.push_back({time_ns, static_cast<int32_t>(1 + draw(1 << (1 + draw(30)))),
                       static_cast<int32_t>(1 + draw(2000))});
    text += fmt::format("{}.{:09},{},{}{}", time_ns / 1'000'000'000, time_ns % 1'000'000'000,
                        written.back().input_tokens, written.back().output_tokens, line_end);
  }
  const Outcome outcome = read_all(text);
  RC_ASSERT(outcome.error.empty());
  RC_ASSERT(outcome.rows.size() == written.size());
  for (size_t i = 0; i < written.size(); ++i) {
    RC_ASSERT(outcome.rows[i].time_ns == written[i].time_ns);
    RC_ASSERT(outcome.rows[i].input_tokens == written[i].input_tokens);
    RC_ASSERT(outcome.rows[i].output_tokens == written[i].output_tokens);
  }
}

}  // namespace
}  // namespace windlass::sim
