// Private to this room: who we are towards the API server, kept fresh. Token files and the CA file
// are read again at most once a minute; a credential plugin runs when its last answer has expired,
// once for all who wait. A refusal (401) makes any of them be asked again.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "live/kube/config.h"
#include "live/kube/exec_credential.h"
#include "net/clock.h"
#include "net/event_loop.h"

namespace windlass::live::kube {

// What one request is sent with. `generation` tells whether a refusal is about credentials that
// have been replaced since.
struct Identity {
  std::shared_ptr<const net::TlsOptions> tls;
  std::string authorization;  // the header's value; empty: none
  uint64_t generation = 0;
};

class Credentials {
 public:
  using Use = std::function<void(const Result<Identity>&)>;

  Credentials(net::EventLoop& loop, net::Clock& clock, Access access);
  // Calls `use` at once, or when the plugin that has to run first is done; not after destruction.
  void get(Use use);
  // The server answered 401 to `generation`. Whether it is worth trying again with fresh ones.
  bool refused(uint64_t generation);
  // A connection failed: the CA file may have changed.
  void doubt_ca();
  // The text without any secret that it may quote.
  [[nodiscard]] std::string hide(std::string text) const;

 private:
  [[nodiscard]] Identity identity() const;
  [[nodiscard]] bool plugin_is_due() const;
  Status refresh_token_file();
  void refresh_ca_file();
  void rebuild_tls();
  void run_plugin();
  void take_plugin_answer(const std::string& output, std::string error);

  net::EventLoop& loop_;
  net::Clock& clock_;
  Access access_;
  std::shared_ptr<const net::TlsOptions> tls_;
  uint64_t generation_ = 1;
  std::string token_;  // of the file or the plugin, or the fixed one
  std::optional<Duration> token_read_;
  std::optional<Duration> ca_read_;
  std::optional<ExecCredential> plugin_answer_;
  std::optional<Error> plugin_error_;
  Duration plugin_failed_at_{};
  std::optional<Duration> refused_at_;
  bool plugin_runs_ = false;
  std::vector<Use> waiting_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // asked weakly by the plugin's end
};

}  // namespace windlass::live::kube
