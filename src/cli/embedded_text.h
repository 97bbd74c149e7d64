// Text files that are in the program (cmake/EmbedTexts.cmake): the deployment's YAML sources.
#pragma once

#include <string_view>
#include <vector>

namespace windlass::cli {

struct EmbeddedText {
  std::string_view path;  // under the directory embedded: "base/deployment.yaml"
  std::string_view text;
};

// deploy/kustomize without the CRDs, ordered by path.
const std::vector<EmbeddedText>& install_sources();

}  // namespace windlass::cli
