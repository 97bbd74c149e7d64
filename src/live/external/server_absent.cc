// The server of a build without gRPC.
#include "live/external/server.h"

namespace windlass::live::external {

struct ScalerServer::Impl {};

ScalerServer::ScalerServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ScalerServer::~ScalerServer() = default;
int ScalerServer::port() const { return 0; }

Result<std::unique_ptr<ScalerServer>> ScalerServer::start(net::EventLoop&, net::Clock&,
                                                          const ServerOptions&, Scaler) {
  return Error("this build is without gRPC");
}

}  // namespace windlass::live::external
