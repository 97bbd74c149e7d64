// The bytes of one connection, turned into requests: HTTP/1.1 and 1.0 (RFC 9112), strict and
// bounded. What two readers could read differently (bare line feeds, folded headers, two lengths, a
// length beside chunks) is refused, so that nothing can be smuggled past a proxy in front.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "server/http/exchange.h"
#include "server/http/fault.h"

namespace windlass::server {

class RequestParser {
 public:
  // kMore: the request at hand needs more bytes. kFault: the connection can't go on.
  enum class Progress { kMore, kRequest, kFault };

  RequestParser(size_t header_bytes_max, size_t body_bytes_max);

  void append(std::string_view bytes) { buffer_.append(bytes); }
  // Reads on as far as the bytes go. After kRequest, call take() before the next call.
  Progress advance();

  [[nodiscard]] const HttpFault& fault() const { return fault_; }
  // Whether a byte of a request has come that take() hasn't handed out.
  [[nodiscard]] bool begun() const { return step_ != Step::kHead || buffer_.size() > at_; }
  [[nodiscard]] size_t buffered() const { return buffer_.size() - at_; }
  // True once for a request that waits for "100 Continue" before it sends its body.
  bool take_wants_continue();

  struct Taken {
    Request request;  // without identity and remote
    bool keep_alive = true;
    bool http_1_0 = false;
  };
  Taken take();

 private:
  enum class Step { kHead, kBody, kChunkSize, kChunkData, kChunkEnd, kTrailers, kDone, kFault };

  Step read_head();
  Step after_head(std::string_view head);
  Step read_body();
  Step read_chunk_size();
  Step read_chunk_end();
  Step read_trailers();
  bool step_once();
  Step fail(int status, std::string message);
  // The next line without its CRLF; nullopt: not there yet, or `too_long`.
  std::optional<std::string_view> next_line(size_t max, bool& too_long);
  void compact();

  std::optional<HttpFault> read_request_line(std::string_view line);
  std::optional<HttpFault> read_header(std::string_view line);
  std::optional<HttpFault> read_framing();

  size_t header_bytes_max_;
  size_t body_bytes_max_;
  std::string buffer_;
  size_t at_ = 0;    // bytes of `buffer_` before it are used up
  size_t scan_ = 0;  // bytes of the head already searched for its end
  Step step_ = Step::kHead;
  size_t left_ = 0;  // of the body, or of the chunk
  size_t trailer_bytes_ = 0;
  bool chunked_ = false;
  bool wants_continue_ = false;
  HttpFault fault_;
  Taken taken_;
};

}  // namespace windlass::server
