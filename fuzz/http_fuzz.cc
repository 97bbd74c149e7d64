// Bytes from the wire: whatever their cut, the parser makes the same requests and the same fault of
// them, keeps to its bounds, and hands out only what it promises. The first byte of an input is a
// size: pieces of it are what one read brings.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "base/utf8.h"
#include "server/http/request_parser.h"
#include "server/http/target.h"

namespace {

using namespace windlass;
using namespace windlass::server;

constexpr size_t kHeaderBytes = 512;  // small, so that inputs reach every bound
constexpr size_t kBodyBytes = 300;

void check_path(const std::string& path) {
  WL_ASSERT(path.starts_with('/') && invalid_utf8_at(path) == std::string_view::npos);
  WL_ASSERT(path.find("//") == std::string::npos && path.find('\0') == std::string::npos);
  const std::string whole = path + "/";
  WL_ASSERT(whole.find("/../") == std::string::npos && whole.find("/./") == std::string::npos);
}

void check_request(const Request& request) {
  check_path(request.path);
  WL_ASSERT(request.body.size() <= kBodyBytes && request.identity.user.empty());
  for (const auto& [name, value] : request.headers) {
    WL_ASSERT(!name.empty() && name.find_first_of(" :\r\n") == std::string::npos);
    WL_ASSERT(value.find_first_of("\r\n") == std::string::npos);
    WL_ASSERT(value.find('\0') == std::string::npos);
  }
  for (const auto& [name, value] : request.query) {
    WL_ASSERT(name.find('\0') == std::string::npos && value.find('\0') == std::string::npos);
    WL_ASSERT(invalid_utf8_at(name) == std::string_view::npos);
    WL_ASSERT(invalid_utf8_at(value) == std::string_view::npos);
  }
}

std::string in_words(const RequestParser::Taken& taken) {
  const Request& request = taken.request;
  std::string out = request.method + " " + request.path + (taken.keep_alive ? " k" : " c");
  for (const auto& [name, value] : request.query) out += "\n?" + name + "=" + value;
  for (const auto& [name, value] : request.headers) out += "\n" + name + ": " + value;
  return out + "\n\n" + request.body;
}

// What comes of the bytes when they arrive in pieces of `size` (the last one may be shorter).
std::vector<std::string> outcome(std::string_view bytes, size_t size) {
  RequestParser parser(kHeaderBytes, kBodyBytes);
  std::vector<std::string> out;
  const auto read_all = [&] {
    for (;;) {
      switch (parser.advance()) {
        case RequestParser::Progress::kMore:
          parser.take_wants_continue();
          return true;
        case RequestParser::Progress::kFault:
          WL_ASSERT(parser.fault().status >= 400 && parser.fault().status < 600);
          WL_ASSERT(!parser.fault().message.empty());
          out.push_back("fault " + std::to_string(parser.fault().status));
          return false;
        case RequestParser::Progress::kRequest:
          RequestParser::Taken taken = parser.take();
          check_request(taken.request);
          out.push_back(in_words(taken));
      }
    }
  };
  while (!bytes.empty()) {
    const size_t take = std::min(size, bytes.size());
    parser.append(bytes.substr(0, take));
    bytes.remove_prefix(take);
    if (!read_all()) break;
    // What waits is a part of one head, of one chunk's line or of one body: bounded, however long
    // the peer goes on.
    WL_ASSERT(parser.buffered() <= kHeaderBytes + kBodyBytes + take);
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const std::string_view bytes = all.substr(1);
  const std::vector<std::string> whole = outcome(bytes, bytes.size());
  WL_ASSERT(outcome(bytes, 1) == whole);
  WL_ASSERT(outcome(bytes, 1 + data[0] % 97) == whole);
  if (bytes.size() <= 64) {  // every place, of what is short enough
    for (size_t cut = 2; cut < bytes.size(); ++cut) WL_ASSERT(outcome(bytes, cut) == whole);
  }
  Request request;
  if (!read_target(bytes.substr(0, bytes.find('\r')), request)) check_request(request);
  return 0;
}
