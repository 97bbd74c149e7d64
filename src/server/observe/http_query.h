// Parameters of a request that may come in its address or as a form in its body, as Prometheus'
// clients send them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/http/exchange.h"

namespace windlass::server::observe {

class Parameters {
 public:
  // The form's come first, as in Go's Request.Form.
  explicit Parameters(const Request& request);

  [[nodiscard]] std::optional<std::string> first(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> all(std::string_view name) const;

 private:
  std::vector<std::pair<std::string, std::string>> values_;
};

// The value of a header by its name in lower case, or "".
std::string_view header_of(const Request& request, std::string_view name);
// %41 and + resolved; a % that is no escape stays.
std::string form_decoded(std::string_view text);

}  // namespace windlass::server::observe
