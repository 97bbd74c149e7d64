#include <algorithm>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <grpcpp/support/channel_arguments.h>

#include <fmt/format.h>

#include "live/external/channels.h"

namespace windlass::live::external {
namespace {

// KEDA's: 2 s, doubling to a minute.
constexpr int kFirstBackOffMs = 2'000;
constexpr int kLastBackOffMs = 60'000;

std::string text_of(const api::StringMap& map, const char* key) {
  const auto found = map.find(key);
  return found == map.end() ? "" : found->second;
}

// As Go's strconv.ParseBool, which KEDA reads flags with.
Result<bool> flag_of(const api::StringMap& map, const char* key) {
  const std::string text = text_of(map, key);
  static constexpr std::string_view kTrue[] = {"1", "t", "T", "TRUE", "true", "True"};
  static constexpr std::string_view kFalse[] = {"", "0", "f", "F", "FALSE", "false", "False"};
  if (std::ranges::count(kTrue, text) > 0) return true;
  if (std::ranges::count(kFalse, text) > 0) return false;
  return Error(fmt::format("{}: neither true nor false", key));
}

std::shared_ptr<grpc::ChannelCredentials> unverified(const ConnectOptions& options) {
  grpc::experimental::TlsChannelCredentialsOptions tls;
  tls.set_verify_server_certs(false);
  tls.set_check_call_host(false);
  tls.set_certificate_verifier(std::make_shared<grpc::experimental::NoOpCertificateVerifier>());
  if (!options.certificate.empty()) {
    tls.set_certificate_provider(
        std::make_shared<grpc::experimental::StaticDataCertificateProvider>(
            std::vector<grpc::experimental::IdentityKeyCertPair>{
                {options.key, options.certificate}}));
    tls.watch_identity_key_cert_pairs();
  }
  return grpc::experimental::TlsCredentials(tls);
}

std::shared_ptr<grpc::ChannelCredentials> credentials_of(const ConnectOptions& options) {
  if (!options.tls) return grpc::InsecureChannelCredentials();
  if (options.skip_verify) return unverified(options);
  return grpc::SslCredentials({options.ca, options.key, options.certificate});
}

}  // namespace

Result<ConnectOptions> connect_options(const std::string& address, const ScaledRef& who) {
  ConnectOptions out;
  out.address = address;
  if (address.empty()) return Error("scalerAddress: required");
  // A name or address with a port; what else gRPC could resolve is nobody's scaler.
  if (address.find("://") != std::string::npos || address.starts_with("unix") ||
      address.find_first_of(" /\n") != std::string::npos || address.size() > 1024) {
    return Error("scalerAddress: not host:port");
  }
  const auto tls = flag_of(who.metadata, "enableTLS");
  const auto unsafe = flag_of(who.metadata, "unsafeSsl");
  if (!tls.ok()) return tls.error();
  if (!unsafe.ok()) return unsafe.error();
  out.ca = text_of(who.auth, "caCert");
  out.certificate = text_of(who.auth, "tlsClientCert");
  out.key = text_of(who.auth, "tlsClientKey");
  if (out.certificate.empty() != out.key.empty()) {
    return Error("tlsClientCert and tlsClientKey: one is there without the other");
  }
  out.tls = *tls || !out.ca.empty() || !out.certificate.empty();
  out.skip_verify = *unsafe;
  return out;
}

std::shared_ptr<grpc::Channel> Channels::to(const ConnectOptions& options) {
  Held& held = channels_[options];
  held.used = ++uses_;
  if (held.channel) return held.channel;
  grpc::ChannelArguments arguments;
  arguments.SetLoadBalancingPolicyName("round_robin");
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kFirstBackOffMs);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kFirstBackOffMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kLastBackOffMs);
  held.channel = grpc::CreateCustomChannel(options.address, credentials_of(options), arguments);
  const std::shared_ptr<grpc::Channel> channel = held.channel;
  if (channels_.size() > most_) {
    channels_.erase(std::ranges::min_element(channels_, {},
                                             [](const auto& entry) { return entry.second.used; }));
  }
  return channel;
}

}  // namespace windlass::live::external
