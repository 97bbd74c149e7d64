// Private to this room: one outgoing request as libcurl knows it. Sets up its handle, takes what
// the handle reports, and finds words for what went wrong. Everything that callers are told is kept
// here until libcurl has returned, because it may not be called from inside its own callbacks.
#pragma once

#include <curl/curl.h>
#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "net/http_client.h"

namespace windlass::net {

struct HttpTransfer {
  HttpTransfer() = default;
  ~HttpTransfer();
  HttpTransfer(const HttpTransfer&) = delete;
  HttpTransfer& operator=(const HttpTransfer&) = delete;

  HttpClient::Id id = 0;
  HttpRequest request;
  std::function<void(HttpReply)> done;       // of requests with one reply
  std::optional<HttpClient::Stream> stream;  // of streams
  std::function<void()> on_progress;         // something can be told now; called by libcurl

  CURL* easy = nullptr;
  curl_slist* headers = nullptr;
  curl_slist* connect_to = nullptr;
  char error_text[CURL_ERROR_SIZE] = {};
  std::string place;  // "host:port", for messages
  std::string proxy_place;

  HttpReply reply;
  size_t header_bytes = 0;
  bool head_complete = false;
  bool head_told = false;
  bool too_large = false;
  bool repeated = false;  // libcurl wanted to send it again
  int sendings = 0;
  std::string untold;  // bytes of a stream
  bool finished = false;
  bool queued = false;  // among those that have something to tell
  bool cancelled = false;
};

// Makes the handle. The error names no part of the URL but host and port.
Status prepare(HttpTransfer& transfer);
// What the end of a transfer means: fills status, error, timed_out and took.
void conclude(HttpTransfer& transfer, CURLcode code);

}  // namespace windlass::net
