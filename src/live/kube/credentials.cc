#include "live/kube/credentials.h"

#include <algorithm>

#include "api/base64.h"
#include "base/log.h"
#include "base/text.h"
#include "live/kube/files.h"
#include "net/process.h"

namespace windlass::live::kube {

namespace {

constexpr Duration kFileAge = minutes(1);        // client-go's
constexpr Duration kExpiryLeeway = seconds(10);  // client-go's
constexpr Duration kPluginBackOff = seconds(2);  // a plugin that fails isn't run for every request
constexpr Duration kPluginTimeout = seconds(60);
constexpr size_t kShortestSecret = 4;  // hiding shorter ones would only garble texts

bool fits_a_header(std::string_view token) {
  return !token.empty() && std::all_of(token.begin(), token.end(), [](char c) {
    return static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) < 0x7F;
  });
}

void replace_all(std::string& text, const std::string& secret) {
  if (secret.size() < kShortestSecret) return;
  constexpr std::string_view kMask = "[hidden]";
  for (size_t at = text.find(secret); at != std::string::npos;
       at = text.find(secret, at + kMask.size())) {
    text.replace(at, secret.size(), kMask);
  }
}

}  // namespace

Credentials::Credentials(net::EventLoop& loop, net::Clock& clock, Access access)
    : loop_(loop), clock_(clock), access_(std::move(access)), token_(access_.token) {
  rebuild_tls();
  if (!access_.ca_file.empty()) ca_read_ = clock_.steady();
}

void Credentials::rebuild_tls() {
  net::TlsOptions options = access_.tls;
  if (plugin_answer_ && !plugin_answer_->certificate.empty()) {
    options.certificate = plugin_answer_->certificate;
    options.key = plugin_answer_->key;
  }
  tls_ = std::make_shared<const net::TlsOptions>(std::move(options));
}

Identity Credentials::identity() const {
  Identity out{tls_, {}, generation_};
  if (!token_.empty()) {
    out.authorization = "Bearer " + token_;
  } else if (!access_.username.empty()) {
    out.authorization = "Basic " + api::to_base64(access_.username + ":" + access_.password);
  }
  return out;
}

void Credentials::get(Use use) {
  refresh_ca_file();
  if (!access_.token_file.empty()) {
    if (const Status read = refresh_token_file(); !read) return use(read.error());
  }
  if (!access_.exec) {
    if (!token_.empty() && !fits_a_header(token_)) {
      return use(Error(access_.source + ": the token holds characters that can't be sent"));
    }
    return use(identity());
  }
  if (!plugin_is_due()) return use(identity());
  if (!plugin_runs_ && plugin_error_ && clock_.steady() < plugin_failed_at_ + kPluginBackOff) {
    return use(*plugin_error_);
  }
  waiting_.push_back(std::move(use));
  if (!plugin_runs_) run_plugin();
}

bool Credentials::refused(uint64_t generation) {
  if (access_.token_file.empty() && !access_.exec) return false;
  if (generation != generation_) return true;  // replaced meanwhile
  // A server that refuses fresh ones too must not make the plugin run for every request.
  if (access_.exec && refused_at_ && clock_.steady() < *refused_at_ + kPluginBackOff) return false;
  refused_at_ = clock_.steady();
  ++generation_;
  token_read_.reset();
  plugin_answer_.reset();
  return true;
}

void Credentials::doubt_ca() { ca_read_.reset(); }

Status Credentials::refresh_token_file() {
  if (token_read_ && clock_.steady() - *token_read_ < kFileAge) return {};
  const Result<std::string> text = read_file(access_.token_file);
  const std::string token(text.ok() ? trim(*text) : std::string_view());
  if (fits_a_header(token)) {
    token_ = token;
    token_read_ = clock_.steady();
    return {};
  }
  const Error why = text.ok() ? Error(access_.token_file + ": holds no token") : text.error();
  if (token_.empty()) return why;
  // The last one may still be good; the server will say.
  log::warning("token not renewed: " + why.message());
  token_read_ = clock_.steady();
  return {};
}

void Credentials::refresh_ca_file() {
  if (access_.ca_file.empty() || (ca_read_ && clock_.steady() - *ca_read_ < kFileAge)) return;
  ca_read_ = clock_.steady();
  Result<std::string> text = read_file(access_.ca_file);
  if (!text.ok() || *text == access_.tls.ca || text->find("-----BEGIN ") == std::string::npos) {
    return;
  }
  log::info("CA certificates read again from " + access_.ca_file);
  access_.tls.ca = std::move(*text);
  rebuild_tls();
}

bool Credentials::plugin_is_due() const {
  if (!plugin_answer_) return true;
  return plugin_answer_->expires && clock_.now() + kExpiryLeeway >= *plugin_answer_->expires;
}

void Credentials::run_plugin() {
  plugin_runs_ = true;
  net::ProcessSpec spec;
  spec.program = access_.exec->command;
  spec.arguments = access_.exec->arguments;
  spec.environment = access_.exec->environment;
  spec.environment.emplace_back("KUBERNETES_EXEC_INFO", exec_info(*access_.exec));
  spec.timeout = kPluginTimeout;
  net::run_process(loop_, std::move(spec),
                   [this, alive = std::weak_ptr<bool>(alive_)](net::ProcessResult result) {
                     if (alive.expired()) return;
                     take_plugin_answer(result.output, std::move(result.error));
                   });
}

void Credentials::take_plugin_answer(const std::string& output, std::string error) {
  const ExecPlugin& plugin = *access_.exec;
  plugin_runs_ = false;
  plugin_error_.reset();
  if (error.empty()) {
    Result<ExecCredential> answer = read_exec_credential(plugin, output);
    if (!answer) {
      error = plugin.command + ": " + answer.error().message();
    } else if (!answer->token.empty() && !fits_a_header(answer->token)) {
      error = plugin.command + ": status.token: holds characters that can't be sent";
    } else {
      plugin_answer_ = std::move(*answer);
      token_ = plugin_answer_->token;
      ++generation_;
      rebuild_tls();
    }
  } else if (!plugin.install_hint.empty()) {
    error += " (" + plugin.install_hint + ")";
  }
  if (!error.empty()) {
    plugin_error_ = Error("credential plugin " + error);
    plugin_failed_at_ = clock_.steady();
  }
  const Result<Identity> outcome =
      plugin_error_ ? Result<Identity>(*plugin_error_) : Result<Identity>(identity());
  const std::weak_ptr<bool> alive = alive_;
  const std::vector<Use> waiting = std::exchange(waiting_, {});
  for (const Use& use : waiting) {
    if (alive.expired()) return;
    use(outcome);
  }
}

std::string Credentials::hide(std::string text) const {
  replace_all(text, token_);
  replace_all(text, access_.token);
  replace_all(text, access_.password);
  if (!access_.username.empty()) {
    replace_all(text, api::to_base64(access_.username + ":" + access_.password));
  }
  return text;
}

}  // namespace windlass::live::kube
