// How names of models are compared; the tables of cards themselves are in service_profile.h.
#pragma once

#include <string_view>

namespace windlass::catalog {

// Whether both names mean the same weights' shape: "meta-llama/Llama-2-7b-chat-hf" is
// "Llama-2-7B". Fine-tunes for chat run exactly as fast as what they were tuned from.
bool same_model(std::string_view a, std::string_view b);

}  // namespace windlass::catalog
