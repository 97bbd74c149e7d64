#include "server/http/request_parser.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace windlass::server {
namespace {

using Progress = RequestParser::Progress;

struct Outcome {
  std::vector<RequestParser::Taken> taken;
  int fault = 0;  // its status
  std::string message;
};

// Feeds the bytes in pieces of the size; the outcome must not depend on it.
Outcome parse(std::string_view bytes, size_t piece = SIZE_MAX, size_t head_max = 4096,
              size_t body_max = 100) {
  RequestParser parser(head_max, body_max);
  Outcome out;
  while (!bytes.empty()) {
    const size_t take = std::min(piece, bytes.size());
    parser.append(bytes.substr(0, take));
    bytes.remove_prefix(take);
    Progress progress = parser.advance();
    for (; progress == Progress::kRequest; progress = parser.advance()) {
      out.taken.push_back(parser.take());
    }
    if (progress == Progress::kFault) {
      out.fault = parser.fault().status;
      out.message = parser.fault().message;
      return out;
    }
  }
  return out;
}

const std::string kHost = "Host: h\r\n";

TEST(RequestParser, ReadsRequestsOneAfterAnotherHoweverTheyAreCut) {
  const std::string bytes =
      "GET /api/v1/pods?limit=5&watch HTTP/1.1\r\nHost: h\r\nX-Two:  a b \r\n\r\n"
      "\r\n"  // a stray empty line
      "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
      "PUT /y HTTP/1.1\r\nhost: h\r\nTransfer-Encoding: Chunked\r\n\r\n"
      "3;ext=1\r\nabc\r\n0A\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n"
      "GET / HTTP/1.0\r\n\r\n"
      "DELETE /z HTTP/1.1\r\nHost: h\r\nConnection: foo, Close\r\n\r\n";
  for (const size_t piece : {size_t{1}, size_t{2}, size_t{7}, size_t{64}, bytes.size()}) {
    const Outcome got = parse(bytes, piece);
    ASSERT_EQ(got.fault, 0) << got.message;
    ASSERT_EQ(got.taken.size(), 5u) << piece;
    const Request& first = got.taken[0].request;
    EXPECT_EQ(first.method, "GET");
    EXPECT_EQ(first.path, "/api/v1/pods");
    EXPECT_EQ(first.parameter("limit"), "5");
    EXPECT_EQ(first.parameter("watch"), "");
    EXPECT_EQ(first.parameter("none"), std::nullopt);
    EXPECT_EQ(first.header("x-two"), "a b");
    EXPECT_TRUE(got.taken[0].keep_alive);
    EXPECT_EQ(got.taken[1].request.body, "hello");
    EXPECT_EQ(got.taken[2].request.body, "abc0123456789");
    EXPECT_TRUE(got.taken[3].http_1_0);
    EXPECT_FALSE(got.taken[3].keep_alive);
    EXPECT_FALSE(got.taken[4].keep_alive);
  }
}

TEST(RequestParser, RefusesWhatIsWrongOrAmbiguous) {
  const std::string chunked = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::vector<std::pair<std::string, int>> cases = {
      {"GET / HTTP/1.1\n", 400},
      {"\n", 400},
      {"GET / HTTP/1.1\r\nHost: h\n", 400},
      {"GET /\r\n\r\n", 400},
      {"GET / HTTP/1.1 \r\n\r\n", 400},
      {"GET /a b HTTP/1.1\r\n\r\n", 400},
      {"G@T / HTTP/1.1\r\n\r\n", 400},
      {"\x16\x03\x01\r\n\r\n", 400},
      {"GET / HTTP/2.0\r\n\r\n", 505},
      {"PRI * HTTP/2.0\r\n\r\n", 505},
      {"GET / http/1.1\r\n\r\n", 400},
      {"TRACE / HTTP/1.1\r\n\r\n", 405},
      {"CONNECT h:1 HTTP/1.1\r\n\r\n", 405},
      {"get / HTTP/1.1\r\n\r\n", 405},
      {"GET /../x HTTP/1.1\r\n" + kHost + "\r\n", 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},  // no host
      {"GET / HTTP/1.1\r\n" + kHost + kHost + "\r\n", 400},
      {"GET / HTTP/1.1\r\n" + kHost + " folded\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n" + kHost + "No colon\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n" + kHost + "Blank : x\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n" + kHost + ": x\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n" + kHost + "A: b\rc\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n" + kHost + std::string("A: b\0c\r\n\r\n", 11), 400},
      {"POST / HTTP/1.1\r\n" + kHost + "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\n" + kHost + "Content-Length: 1, 1\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\n" + kHost + "Content-Length: +1\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\n" + kHost + "Content-Length: -1\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\n" + kHost + "Content-Length: \r\n\r\n", 400},
      {"POST / HTTP/1.1\r\n" + kHost + "Content-Length: 101\r\n\r\n", 413},
      {"POST / HTTP/1.1\r\n" + kHost + "Content-Length: 99999999999999999999999\r\n\r\n", 413},
      {"POST / HTTP/1.1\r\n" + kHost + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
       400},
      {"POST / HTTP/1.1\r\n" + kHost + "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\n" + kHost + "Expect: 200-maybe\r\n\r\n", 417},
      {chunked + "x\r\n", 400},
      {chunked + "\r\n", 400},
      {chunked + "-1\r\n", 400},
      {chunked + "0x1\r\n", 400},
      {chunked + "1\nab\r\n", 400},
      {chunked + "65\r\n", 413},  // 101 bytes
      {chunked + "60\r\n" + std::string(96, 'x') + "\r\n5\r\n", 413},
      {chunked + "ffffffffffffffff\r\n", 413},
      {chunked + "fffffffffffffffff\r\n", 400},
      {chunked + "2\r\nabc\r\n", 400},
      {chunked + "1;" + std::string(300, 'e'), 400},
      {chunked + "0\r\n" + std::string(5000, 't'), 431},
      {"GET / HTTP/1.1\r\nA: " + std::string(5000, 'a'), 431},
      {"GET / HTTP/1.1\r\nA: " + std::string(5000, 'a') + "\r\n\r\n", 431},
      {"GET /" + std::string(5000, 'a'), 414},
      {std::string(5000, 'a'), 414},
  };
  for (const auto& [bytes, status] : cases) {
    for (const size_t piece : {size_t{1}, size_t{3}, bytes.size()}) {
      const Outcome got = parse(bytes, piece);
      EXPECT_EQ(got.fault, status) << bytes.substr(0, 200) << "\nin pieces of " << piece;
      EXPECT_TRUE(got.taken.empty());
      EXPECT_FALSE(got.message.empty());
    }
  }
}

TEST(RequestParser, TooManyHeadersAreRefused) {
  std::string bytes = "GET / HTTP/1.1\r\n" + kHost;
  for (int i = 0; i < 256; ++i) bytes += "A: b\r\n";
  EXPECT_EQ(parse(bytes + "\r\n").fault, 431);
}

TEST(RequestParser, InvitesABodyOnlyWhereOneIsHeldBack) {
  RequestParser parser(4096, 100);
  parser.append("PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(parser.advance(), Progress::kMore);
  EXPECT_TRUE(parser.take_wants_continue());
  EXPECT_FALSE(parser.take_wants_continue());
  parser.append("ab");
  EXPECT_EQ(parser.advance(), Progress::kRequest);
  EXPECT_EQ(parser.take().request.body, "ab");

  parser.append("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(parser.advance(), Progress::kMore);
  EXPECT_FALSE(parser.take_wants_continue());
}

TEST(RequestParser, KnowsWhetherARequestHasBegun) {
  RequestParser parser(4096, 100);
  EXPECT_FALSE(parser.begun());
  parser.append("\r\n");
  parser.advance();
  EXPECT_FALSE(parser.begun());
  parser.append("G");
  parser.advance();
  EXPECT_TRUE(parser.begun());
}

TEST(RequestParser, LargeBodiesComeWholeThroughSmallPieces) {
  std::string body;
  for (int i = 0; i < 300'000; ++i) body += static_cast<char>('a' + i % 26);
  const Outcome got = parse("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 300000\r\n\r\n" + body,
                            10'000, 4096, 1 << 20);
  ASSERT_EQ(got.taken.size(), 1u);
  EXPECT_EQ(got.taken[0].request.body, body);
}

// Whatever comes and however it is cut, the outcome is the same and nothing breaks.
TEST(RequestParser, TheOutcomeDoesNotDependOnThePieces) {
  const auto words = std::vector<std::string>{"GET ",
                                              "POST ",
                                              "/",
                                              "/a",
                                              "?b=%41",
                                              " HTTP/1.1",
                                              "\r\n",
                                              "\r\n\r\n",
                                              "Host: h\r\n",
                                              "Content-Length: 3\r\n",
                                              "Transfer-Encoding: chunked\r\n",
                                              "abc",
                                              "3\r\nabc\r\n",
                                              "0\r\n\r\n",
                                              "\n",
                                              "\r",
                                              ":",
                                              " ",
                                              "%",
                                              "\xff",
                                              std::string(1, '\0')};
  EXPECT_TRUE(rc::check([&words](const std::vector<uint8_t>& picks, uint8_t piece) {
    std::string bytes;
    for (const uint8_t pick : picks) bytes += words[pick % words.size()];
    const Outcome whole = parse(bytes);
    const Outcome cut = parse(bytes, 1 + piece % 5);
    RC_ASSERT(whole.fault == cut.fault);
    RC_ASSERT(whole.taken.size() == cut.taken.size());
    for (size_t i = 0; i < whole.taken.size(); ++i) {
      RC_ASSERT(whole.taken[i].request.body == cut.taken[i].request.body);
      RC_ASSERT(whole.taken[i].request.path == cut.taken[i].request.path);
    }
  }));
}

}  // namespace
}  // namespace windlass::server
