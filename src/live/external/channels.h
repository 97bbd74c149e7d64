// Connections to external scalers: one an address and way to connect, kept while they are used.
// Only the gRPC build includes this.
#pragma once

#include <cstdint>
#include <grpcpp/channel.h>
#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "live/external/client.h"

namespace windlass::live::external {

struct ConnectOptions {
  std::string address;
  bool tls = false;
  bool skip_verify = false;
  std::string ca, certificate, key;  // PEM; ca empty: the system's
  auto operator<=>(const ConnectOptions&) const = default;
};
// The error names the field.
Result<ConnectOptions> connect_options(const std::string& address, const ScaledRef& who);

class Channels {
 public:
  explicit Channels(size_t most = 256) : most_(most) {}
  // Made at the first use; beyond `most`, the one that was longest not used is let go.
  std::shared_ptr<grpc::Channel> to(const ConnectOptions& options);
  [[nodiscard]] size_t size() const { return channels_.size(); }

 private:
  struct Held {
    std::shared_ptr<grpc::Channel> channel;
    uint64_t used = 0;
  };
  size_t most_;
  uint64_t uses_ = 0;
  std::map<ConnectOptions, Held> channels_;
};

}  // namespace windlass::live::external
