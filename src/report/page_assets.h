// The page's style sheet and script, compiled in so that the page is one file.
#pragma once

#include <string_view>

namespace windlass::report {

std::string_view page_style();
std::string_view page_script();

}  // namespace windlass::report
