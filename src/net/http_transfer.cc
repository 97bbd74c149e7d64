#include "net/http_transfer.h"

#include <algorithm>
#include <cctype>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string_view>
#include <sys/socket.h>
#include <system_error>

#include "base/text.h"

namespace windlass::net {

namespace {

constexpr size_t kMaxHeaderBytes = 1 << 20;
// Servers and balancers drop connections idle for 90 s and more; one that is dropped just when a
// request goes out costs that request.
constexpr long kMaxIdleSeconds = 60;

// A parsed URL; libcurl's own parser, so that what is checked is what is connected to.
class Url {
 public:
  explicit Url(const std::string& text) : handle_(curl_url()) {
    valid_ = curl_url_set(handle_, CURLUPART_URL, text.c_str(), 0) == CURLUE_OK;
  }
  ~Url() { curl_url_cleanup(handle_); }
  Url(const Url&) = delete;
  Url& operator=(const Url&) = delete;

  [[nodiscard]] bool valid() const { return valid_; }
  [[nodiscard]] std::string part(CURLUPart what, unsigned flags = 0) const {
    char* text = nullptr;
    if (curl_url_get(handle_, what, &text, flags) != CURLUE_OK) return {};
    std::string out(text);
    curl_free(text);
    return out;
  }
  bool set_host(const std::string& host) {
    return curl_url_set(handle_, CURLUPART_HOST, host.c_str(), 0) == CURLUE_OK;
  }
  [[nodiscard]] std::string place() const {
    return part(CURLUPART_HOST) + ":" + part(CURLUPART_PORT, CURLU_DEFAULT_PORT);
  }

 private:
  CURLU* handle_;
  bool valid_ = false;
};

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

bool has_header(const HttpRequest& request, std::string_view lower_name) {
  return std::any_of(request.headers.begin(), request.headers.end(),
                     [&](const auto& header) { return lower(header.first) == lower_name; });
}

size_t take_header(char* data, size_t, size_t size, void* self) {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  const std::string_view line = trim(std::string_view(data, size));
  transfer.header_bytes += size;
  if (transfer.header_bytes > kMaxHeaderBytes) {
    transfer.too_large = true;
    return 0;
  }
  if (transfer.head_complete) return size;  // a trailer
  if (line.starts_with("HTTP/")) {          // also after a 1xx or a redirect
    transfer.reply.headers.clear();
    long status = 0;
    curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &status);
    transfer.reply.status = static_cast<int>(status);
  } else if (line.empty()) {
    const int status = transfer.reply.status;
    const bool goes_on = transfer.request.follow_redirects && status >= 300 && status < 400 &&
                         transfer.reply.header("location") != nullptr;
    transfer.head_complete = status >= 200 && !goes_on;
    if (transfer.head_complete) transfer.on_progress();
  } else if (const size_t colon = line.find(':'); colon != std::string_view::npos) {
    transfer.reply.headers.emplace_back(lower(trim(line.substr(0, colon))),
                                        std::string(trim(line.substr(colon + 1))));
  }
  return size;
}

size_t take_body(char* data, size_t, size_t size, void* self) {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  if (!transfer.head_complete) return size;  // of a redirect
  if (transfer.stream) {
    transfer.untold.append(data, size);
    transfer.on_progress();
    return size;
  }
  if (transfer.reply.body.size() + size > transfer.request.max_reply_bytes) {
    transfer.too_large = true;
    return 0;
  }
  transfer.reply.body.append(data, size);
  return size;
}

bool safe_to_repeat(const std::string& method) { return method == "GET" || method == "HEAD"; }

// libcurl sends a request once more when a kept connection broke before any reply. What has been
// done by the first sending is unknown, so only reading is repeated.
int before_sending(void* self, char*, char*, int, int) {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  const HttpRequest& request = transfer.request;
  if (++transfer.sendings > 1 && !safe_to_repeat(request.method) && !request.follow_redirects) {
    transfer.repeated = true;
    return CURL_PREREQFUNC_ABORT;
  }
  return CURL_PREREQFUNC_OK;
}

// A peer that has vanished without a word (a balancer's timeout, a dead node) is found within a
// minute: keep-alive asks after 30 s of silence, and nothing sent stays unacknowledged for long.
int set_up_socket(void*, curl_socket_t fd, curlsocktype) {
  const unsigned unacknowledged_ms = 30'000;
  ::setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged_ms, sizeof unacknowledged_ms);
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  return CURL_SOCKOPT_OK;
}

void set_text(CURL* easy, CURLoption option, const std::string& text) {
  curl_easy_setopt(easy, option, text.c_str());
}

void set_pem(CURL* easy, CURLoption option, const std::string& pem) {
  // Copied by libcurl into the connection's own configuration; ours lives as long as the handle.
  curl_blob blob{const_cast<char*>(pem.data()), pem.size(), CURL_BLOB_NOCOPY};
  curl_easy_setopt(easy, option, &blob);
}

long to_millis(Duration d) {
  return static_cast<long>(std::clamp<int64_t>((d.ns + 999'999) / 1'000'000, 1, INT32_MAX));
}

void set_tls(const HttpTransfer& transfer) {
  CURL* easy = transfer.easy;
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  // Without one, OpenSSL would ask the terminal for an encrypted key's password.
  curl_easy_setopt(easy, CURLOPT_KEYPASSWD, "");
  if (transfer.request.tls == nullptr) return;
  const TlsOptions& tls = *transfer.request.tls;
  if (!tls.ca.empty()) {
    set_pem(easy, CURLOPT_CAINFO_BLOB, tls.ca);
    // Nobody but this CA; the system's directory would be trusted beside it.
    curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  }
  if (!tls.certificate.empty()) {
    set_pem(easy, CURLOPT_SSLCERT_BLOB, tls.certificate);
    set_pem(easy, CURLOPT_SSLKEY_BLOB, tls.key.empty() ? tls.certificate : tls.key);
  }
  if (tls.skip_verify) {
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
  }
}

Status add_header(HttpTransfer& transfer, const std::string& name, const std::string& value) {
  const auto breaks = [](char c) { return c == '\r' || c == '\n' || c == '\0'; };
  if (name.empty() || name.find(':') != std::string::npos ||
      std::any_of(name.begin(), name.end(), breaks) ||
      std::any_of(value.begin(), value.end(), breaks)) {
    return Error(transfer.place + ": a request header holds a line break");
  }
  // libcurl's spelling of an empty value; "Name:" would take the header away.
  const std::string line = value.empty() ? name + ";" : name + ": " + value;
  transfer.headers = curl_slist_append(transfer.headers, line.c_str());
  return {};
}

Status set_headers(HttpTransfer& transfer) {
  for (const auto& [name, value] : transfer.request.headers) {
    if (Status added = add_header(transfer, name, value); !added) return added;
  }
  // What libcurl would add of its own: waiting for "100 Continue", and the type of a form.
  for (const char* own : {"Expect", "Content-Type"}) {
    if (has_header(transfer.request, lower(own))) continue;
    transfer.headers = curl_slist_append(transfer.headers, (std::string(own) + ":").c_str());
  }
  curl_easy_setopt(transfer.easy, CURLOPT_HTTPHEADER, transfer.headers);
  return {};
}

// The certificate is checked against the name in libcurl's URL, so a name of its own goes there,
// and the connection is led to the real host; the Host header stays the real one as well.
Status set_address(HttpTransfer& transfer, Url& url) {
  const HttpRequest& request = transfer.request;
  const bool renamed = request.tls != nullptr && !request.tls->server_name.empty() &&
                       url.part(CURLUPART_SCHEME) == "https";
  if (renamed) {
    const std::string host = url.part(CURLUPART_HOST);
    const std::string port = url.part(CURLUPART_PORT);
    if (!has_header(request, "host")) {
      const std::string value = port.empty() ? host : host + ":" + port;
      if (Status added = add_header(transfer, "Host", value); !added) return added;
    }
    if (!url.set_host(request.tls->server_name)) {
      return Error(transfer.place + ": \"" + request.tls->server_name +
                   "\" is no name of a TLS server");
    }
    transfer.connect_to = curl_slist_append(nullptr, ("::" + transfer.place).c_str());
    curl_easy_setopt(transfer.easy, CURLOPT_CONNECT_TO, transfer.connect_to);
  }
  set_text(transfer.easy, CURLOPT_URL, url.part(CURLUPART_URL));
  return {};
}

void set_method(const HttpTransfer& transfer) {
  CURL* easy = transfer.easy;
  const HttpRequest& request = transfer.request;
  if (request.method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    return;
  }
  const bool has_body = !request.body.empty() || request.method == "POST" ||
                        request.method == "PUT" || request.method == "PATCH";
  if (has_body) {
    const auto size = static_cast<curl_off_t>(request.body.size());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, size);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
  }
  set_text(easy, CURLOPT_CUSTOMREQUEST, request.method);
}

void set_behaviour(HttpTransfer& transfer) {
  CURL* easy = transfer.easy;
  const HttpRequest& request = transfer.request;
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);  // cancel() doesn't wait for a name's look-up
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, request.follow_redirects ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_MAXREDIRS, 10L);
  set_text(easy, CURLOPT_PROXY, request.proxy);  // "" keeps the environment out
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
  curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, kMaxIdleSeconds);
  curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, &set_up_socket);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 30L);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 15L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, to_millis(request.connect_timeout));
  if (request.timeout.ns > 0) {
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, to_millis(request.timeout));
  }
  if (request.accept_gzip) curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer.error_text);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfer);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &take_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &take_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, &before_sending);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, &transfer);
}

std::string system_words(const HttpTransfer& transfer, std::string_view otherwise) {
  long number = 0;
  curl_easy_getinfo(transfer.easy, CURLINFO_OS_ERRNO, &number);
  if (number == 0) return std::string(otherwise);
  std::string words = std::generic_category().message(static_cast<int>(number));
  words[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(words[0])));
  return words;
}

std::string time_out_words(const HttpTransfer& transfer, const std::string& connect) {
  curl_off_t connected = 0;
  curl_easy_getinfo(transfer.easy, CURLINFO_PRETRANSFER_TIME_T, &connected);
  const HttpRequest& request = transfer.request;
  const bool never_limited = request.timeout.ns <= 0;
  if (connected == 0) {
    const Duration limit = never_limited ? request.connect_timeout
                                         : std::min(request.connect_timeout, request.timeout);
    return connect + "no connection within " + to_string(limit);
  }
  return transfer.place + ": no complete reply within " + to_string(request.timeout);
}

// libcurl's own text is used only where it can't hold a URL or a header.
std::string words_for(const HttpTransfer& transfer, CURLcode code) {
  const std::string& place = transfer.place;
  const bool proxied = !transfer.proxy_place.empty();
  const std::string by = proxied ? " through proxy " + transfer.proxy_place : "";
  const std::string connect = "connect to " + place + by + ": ";
  long tunnel = 0;
  curl_easy_getinfo(transfer.easy, CURLINFO_HTTP_CONNECTCODE, &tunnel);
  if (proxied && tunnel != 0 && tunnel / 100 != 2) {
    return connect + "the proxy answered " + std::to_string(tunnel);
  }
  if (transfer.too_large) {
    return place + ": the reply is larger than " +
           std::to_string(transfer.request.max_reply_bytes) + " bytes";
  }
  if (transfer.repeated) return place + ": the connection broke before a reply came";
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return connect + "the name can't be looked up";
    case CURLE_COULDNT_RESOLVE_PROXY:
      return connect + "the proxy's name can't be looked up";
    case CURLE_COULDNT_CONNECT:
      return connect + system_words(transfer, "no connection");
    case CURLE_OPERATION_TIMEDOUT:
      return time_out_words(transfer, connect);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
      return connect + (transfer.error_text[0] != 0 ? transfer.error_text : "TLS failed");
    case CURLE_SSL_CERTPROBLEM:
      return connect + "the client certificate and its key can't be used";
    case CURLE_SSL_CACERT_BADFILE:
      return connect + "the CA certificates can't be used";
    case CURLE_GOT_NOTHING:
      return place + ": closed without a reply";
    case CURLE_PARTIAL_FILE:
      return place + ": the reply was cut off";
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
      return place + ": the connection broke (" + system_words(transfer, "closed") + ")";
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
      return place + ": the reply is not HTTP/1.1";
    default:
      return place + ": " + lower(curl_easy_strerror(code));
  }
}

}  // namespace

HttpTransfer::~HttpTransfer() {
  if (easy != nullptr) curl_easy_cleanup(easy);
  curl_slist_free_all(headers);
  curl_slist_free_all(connect_to);
}

Status prepare(HttpTransfer& transfer) {
  const HttpRequest& request = transfer.request;
  Url url(request.url);
  if (!url.valid() || url.part(CURLUPART_HOST).empty()) return Error("the address is not a URL");
  transfer.place = url.place();
  const std::string scheme = url.part(CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") {
    return Error(transfer.place + ": neither http nor https");
  }
  if (!request.proxy.empty()) {
    const Url proxy(request.proxy);
    if (!proxy.valid()) return Error(transfer.place + ": the proxy's address is not a URL");
    // For its scheme libcurl knows no default port; proxies' is 1080.
    const std::string port = proxy.part(CURLUPART_PORT);
    transfer.proxy_place = proxy.part(CURLUPART_HOST) + ":" + (port.empty() ? "1080" : port);
  }
  transfer.easy = curl_easy_init();
  if (transfer.easy == nullptr) return Error(transfer.place + ": out of memory");
  set_behaviour(transfer);
  set_tls(transfer);
  set_method(transfer);
  if (Status set = set_address(transfer, url); !set) return set;
  return set_headers(transfer);
}

void conclude(HttpTransfer& transfer, CURLcode code) {
  curl_off_t took_us = 0;
  curl_easy_getinfo(transfer.easy, CURLINFO_TOTAL_TIME_T, &took_us);
  transfer.reply.took = nanoseconds(took_us * 1000);
  // An end amid the headers is none for libcurl.
  if (code == CURLE_OK && !transfer.head_complete) code = CURLE_PARTIAL_FILE;
  if (code == CURLE_OK) return;
  if (!transfer.stream) transfer.reply.status = 0;  // half a reply is none
  transfer.reply.timed_out = code == CURLE_OPERATION_TIMEDOUT;
  transfer.reply.error = words_for(transfer, code);
}

}  // namespace windlass::net
