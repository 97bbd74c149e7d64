// A connected socket, plain or under TLS, that never blocks. What it can't do now it says, and the
// connection waits for it. Keeps no buffers: an idle connection costs little more than OpenSSL's
// own state.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "server/http/exchange.h"

struct ssl_st;
struct ssl_ctx_st;

namespace windlass::server {

class Transport {
 public:
  enum class Io { kDone, kWantsRead, kWantsWrite, kEnd, kFailed };

  // Owns the socket from now on. `tls` null: plain.
  Transport(int socket, ssl_ctx_st* tls);
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  ~Transport();

  [[nodiscard]] int socket() const { return socket_; }
  Io handshake();
  Io read(std::span<char> into, size_t& got);
  Io write(std::string_view bytes, size_t& put);
  // Bytes are decrypted and wait where no event on the socket tells of them.
  [[nodiscard]] bool has_pending() const;
  // CN and O of the verified client certificate.
  [[nodiscard]] std::optional<Identity> certificate() const;
  // Why the last operation failed; never about contents.
  [[nodiscard]] const std::string& failure() const { return failure_; }
  // Whether a peer spoke plain HTTP to a TLS socket; such a peer can still be told so.
  [[nodiscard]] bool peer_spoke_plain_http() const { return plain_http_; }

  // Says goodbye (TLS) and ends the sending direction; the peer may still read what was sent.
  void end_sending();
  // Takes and drops what the peer still sends. kEnd: the peer has ended too.
  Io discard();
  void close();
  // Past TLS, for peer_spoke_plain_http().
  void write_raw(std::string_view bytes) const;

 private:
  Io after_tls(int result);

  int socket_;
  ssl_st* tls_ = nullptr;
  bool plain_http_ = false;
  bool broken_ = false;
  std::string failure_;
};

}  // namespace windlass::server
