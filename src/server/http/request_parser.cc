#include "server/http/request_parser.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/text.h"
#include "server/http/target.h"

namespace windlass::server {
namespace {

constexpr size_t kHeadersMax = 256;
constexpr size_t kChunkLineMax = 256;
constexpr size_t kMethodBytesMax = 16;

bool is_token_char(char c) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         kMarks.find(c) != std::string_view::npos;
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string_view trim_blanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// A whole unsigned number in the base; nullopt for anything else and for what overflows.
std::optional<size_t> number(std::string_view text, int base) {
  size_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return {};
  return out;
}

bool is_served(std::string_view method) {
  constexpr auto kServed =
      std::to_array<std::string_view>({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"});
  return std::find(kServed.begin(), kServed.end(), method) != kServed.end();
}

// Whether a comma-separated list names the word (lower case).
bool lists(std::string_view header, std::string_view word) {
  for (const std::string_view part : split(header, ',')) {
    if (lower(trim_blanks(part)) == word) return true;
  }
  return false;
}

}  // namespace

RequestParser::RequestParser(size_t header_bytes_max, size_t body_bytes_max)
    : header_bytes_max_(header_bytes_max), body_bytes_max_(body_bytes_max) {}

RequestParser::Progress RequestParser::advance() {
  while (step_ != Step::kDone && step_ != Step::kFault) {
    if (!step_once()) break;
  }
  compact();
  if (step_ == Step::kFault) return Progress::kFault;
  return step_ == Step::kDone ? Progress::kRequest : Progress::kMore;
}

// False: the step needs more bytes.
bool RequestParser::step_once() {
  const Step before = step_;
  const size_t at = at_;
  switch (step_) {
    case Step::kHead:
      step_ = read_head();
      break;
    case Step::kBody:
    case Step::kChunkData:
      step_ = read_body();
      break;
    case Step::kChunkSize:
      step_ = read_chunk_size();
      break;
    case Step::kChunkEnd:
      step_ = read_chunk_end();
      break;
    case Step::kTrailers:
      step_ = read_trailers();
      break;
    case Step::kDone:
    case Step::kFault:
      return false;
  }
  return step_ != before || at_ != at;
}

RequestParser::Step RequestParser::fail(int status, std::string message) {
  fault_ = {status, std::move(message)};
  return Step::kFault;
}

// The front of the buffer is given back when it is all used or has grown large.
void RequestParser::compact() {
  constexpr size_t kWorthMoving = 64 << 10;
  if (at_ == buffer_.size()) {
    if (buffer_.capacity() > kWorthMoving) {
      std::string().swap(buffer_);
    } else {
      buffer_.clear();
    }
    at_ = 0;
  } else if (at_ > kWorthMoving) {
    buffer_.erase(0, at_);
    at_ = 0;
  }
}

RequestParser::Step RequestParser::read_head() {
  const std::string_view bytes = std::string_view(buffer_).substr(at_);
  size_t line_start = 0;
  if (const size_t last = bytes.substr(0, scan_).rfind('\n'); last != std::string_view::npos) {
    line_start = last + 1;
  }
  for (;;) {
    const size_t feed = bytes.find('\n', scan_);
    if (feed == std::string_view::npos || feed >= header_bytes_max_) break;
    if (feed == 0 || bytes[feed - 1] != '\r') {
      return fail(400, "lines must end with carriage return and line feed");
    }
    if (feed == 1) {
      // Empty lines before a request are skipped (RFC 9112, 2.2): old clients end bodies with one.
      at_ += 2;
      scan_ = 0;
      return Step::kHead;
    }
    if (feed == line_start + 1) {  // an empty line: the head's end
      const std::string head(bytes.substr(0, line_start));
      at_ += feed + 1;
      scan_ = 0;
      return after_head(head);
    }
    line_start = feed + 1;
    scan_ = feed + 1;
  }
  scan_ = bytes.size();
  if (bytes.size() >= header_bytes_max_) {
    if (line_start == 0) return fail(414, "the address is too long");
    return fail(431, "the headers are too large");
  }
  return Step::kHead;
}

// `head`: every line with its CRLF.
RequestParser::Step RequestParser::after_head(std::string_view head) {
  taken_ = {};
  std::optional<HttpFault> fault;
  bool first = true;
  while (!head.empty() && !fault) {
    const size_t end = head.find("\r\n");
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(end + 2);
    fault = first ? read_request_line(line) : read_header(line);
    first = false;
  }
  if (!fault) fault = read_framing();
  if (fault) return fail(fault->status, std::move(fault->message));
  if (chunked_) return Step::kChunkSize;
  return left_ > 0 ? Step::kBody : Step::kDone;
}

std::optional<HttpFault> RequestParser::read_request_line(std::string_view line) {
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    return HttpFault{400, "the request line must be: method, address, version"};
  }
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!is_token(method) || method.size() > kMethodBytesMax) {
    return HttpFault{400, "the method is no word"};
  }
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    const bool is_http = version.starts_with("HTTP/");
    return is_http ? HttpFault{505, "only HTTP/1.1 is spoken here"}
                   : HttpFault{400, "the request line must be: method, address, version"};
  }
  if (!is_served(method)) {
    return HttpFault{405, "the method " + std::string(method) + " is not supported"};
  }
  taken_.http_1_0 = version == "HTTP/1.0";
  taken_.request.method = method;
  return read_target(target, taken_.request);
}

std::optional<HttpFault> RequestParser::read_header(std::string_view line) {
  if (taken_.request.headers.size() == kHeadersMax) {
    return HttpFault{431, "there are too many headers"};
  }
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
    return HttpFault{400, "a header must be: name, colon, value"};
  }
  const std::string_view value = trim_blanks(line.substr(colon + 1));
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\t') || byte == 0x7f) {
      return HttpFault{400, "a header has control characters"};
    }
  }
  taken_.request.headers.emplace_back(lower(line.substr(0, colon)), std::string(value));
  return std::nullopt;
}

// How long the body is and whether the connection goes on (RFC 9112, 6.3).
std::optional<HttpFault> RequestParser::read_framing() {
  const Request& request = taken_.request;
  const auto count = [&request](std::string_view name) {
    return std::count_if(request.headers.begin(), request.headers.end(),
                         [name](const auto& header) { return header.first == name; });
  };
  if (count("host") > 1 || (count("host") == 0 && !taken_.http_1_0)) {
    return HttpFault{400, "there must be one Host header"};
  }
  const std::string connection = lower(request.header("connection"));
  taken_.keep_alive = !taken_.http_1_0 && !lists(connection, "close");
  left_ = 0;
  chunked_ = false;
  const auto lengths = count("content-length");
  const auto codings = count("transfer-encoding");
  if (lengths + codings > 1 || (codings > 0 && taken_.http_1_0)) {
    return HttpFault{400, "the length of the body is ambiguous"};
  }
  if (codings == 1) {
    if (lower(request.header("transfer-encoding")) != "chunked") {
      return HttpFault{501, "the only transfer coding is chunked"};
    }
    chunked_ = true;
  } else if (lengths == 1) {
    const std::string_view text = request.header("content-length");
    const bool digits = text.find_first_not_of("0123456789") == std::string_view::npos;
    if (text.empty() || !digits) return HttpFault{400, "Content-Length is no number"};
    const std::optional<size_t> length = number(text, 10);
    if (!length || *length > body_bytes_max_) {
      return HttpFault{413, "the body is larger than " + std::to_string(body_bytes_max_) +
                                " bytes, the limit of this server"};
    }
    left_ = *length;
  }
  wants_continue_ = false;
  if (const std::string_view expect = request.header("expect"); !expect.empty()) {
    if (lower(expect) != "100-continue") return HttpFault{417, "this expectation is not known"};
    wants_continue_ = !taken_.http_1_0 && (chunked_ || left_ > 0);
  }
  return std::nullopt;
}

// Of a body with a length, or of one chunk.
RequestParser::Step RequestParser::read_body() {
  const size_t take = std::min(left_, buffered());
  taken_.request.body.append(buffer_, at_, take);
  at_ += take;
  left_ -= take;
  if (left_ > 0) return step_;
  return step_ == Step::kBody ? Step::kDone : Step::kChunkEnd;
}

std::optional<std::string_view> RequestParser::next_line(size_t max, bool& too_long) {
  const std::string_view bytes = std::string_view(buffer_).substr(at_);
  const size_t end = bytes.substr(0, max + 2).find("\r\n");
  too_long = end == std::string_view::npos && bytes.size() >= max + 2;
  if (end == std::string_view::npos) return std::nullopt;
  at_ += end + 2;
  return bytes.substr(0, end);
}

RequestParser::Step RequestParser::read_chunk_size() {
  bool too_long = false;
  const std::optional<std::string_view> line = next_line(kChunkLineMax, too_long);
  if (!line) return too_long ? fail(400, "the size of a chunk is unreadable") : step_;
  if (line->find_first_of("\r\n") != std::string_view::npos) {
    return fail(400, "the size of a chunk is unreadable");
  }
  const std::optional<size_t> size = number(trim_blanks(line->substr(0, line->find(';'))), 16);
  if (!size) return fail(400, "the size of a chunk is unreadable");
  if (*size > body_bytes_max_ - taken_.request.body.size()) {
    return fail(413, "the body is larger than " + std::to_string(body_bytes_max_) +
                         " bytes, the limit of this server");
  }
  left_ = *size;
  trailer_bytes_ = 0;
  return left_ == 0 ? Step::kTrailers : Step::kChunkData;
}

RequestParser::Step RequestParser::read_chunk_end() {
  if (buffered() < 2) return step_;
  if (buffer_.compare(at_, 2, "\r\n") != 0) return fail(400, "a chunk is longer than its size");
  at_ += 2;
  return Step::kChunkSize;
}

// Trailers are read and dropped: nothing here asks for them.
RequestParser::Step RequestParser::read_trailers() {
  bool too_long = false;
  const std::optional<std::string_view> line =
      next_line(header_bytes_max_ - trailer_bytes_, too_long);
  if (!line) return too_long ? fail(431, "the trailers are too large") : step_;
  if (line->empty()) return Step::kDone;
  trailer_bytes_ = std::min(header_bytes_max_, trailer_bytes_ + line->size() + 2);
  return step_;
}

bool RequestParser::take_wants_continue() {
  const bool in_body = step_ == Step::kBody || step_ == Step::kChunkSize;
  if (!in_body || !wants_continue_) return false;
  wants_continue_ = false;
  return buffered() == 0;  // a client that didn't wait needs no invitation
}

RequestParser::Taken RequestParser::take() {
  step_ = Step::kHead;
  scan_ = 0;
  return std::exchange(taken_, {});
}

}  // namespace windlass::server
