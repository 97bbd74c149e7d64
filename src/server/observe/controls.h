// The page's controls: one JSON object with one member, checked and carried out.
#pragma once

#include <string_view>

#include "base/result.h"
#include "server/observe/sources.h"

namespace windlass::server::observe {

// The error is for who asked: what is wrong and what is accepted.
Status apply_control(std::string_view body, const ControlActions& actions);

}  // namespace windlass::server::observe
