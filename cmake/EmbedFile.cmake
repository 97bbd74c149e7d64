# Turns the page in web/dist into a source file. Two uses of this one file: included, it gives the
# function below; run as a script (`cmake -P`), it writes OUT from the files in DIST.
if(NOT CMAKE_SCRIPT_MODE_FILE)
  # Adds to `target` the generated page_assets() of src/server/observe/page_assets.h.
  function(windlass_embed_page target)
    if(NOT TARGET ${target})
      return()
    endif()
    set(script ${CMAKE_CURRENT_SOURCE_DIR}/cmake/EmbedFile.cmake)
    set(dist ${CMAKE_CURRENT_SOURCE_DIR}/web/dist)
    set(out ${CMAKE_CURRENT_BINARY_DIR}/generated/page_assets_data.cc)
    add_custom_command(OUTPUT ${out}
      COMMAND ${CMAKE_COMMAND} -DDIST=${dist} -DOUT=${out} -P ${script}
      DEPENDS ${script} ${dist}/index.html ${dist}/app.js ${dist}/app.css ${dist}/LICENSES.txt
      COMMENT "Embedding the dashboard's page" VERBATIM)
    target_sources(${target} PRIVATE ${out})
  endfunction()
  return()
endif()

# One asset: its text as raw string literals, each short enough for every compiler, joined by the
# language. The delimiter must not occur in the text.
function(embed path file type)
  file(READ ${DIST}/${file} text)
  file(SHA256 ${DIST}/${file} hash)
  string(SUBSTRING ${hash} 0 32 hash)
  string(FIND "${text}" ")embed\"" clash)
  if(NOT clash EQUAL -1)
    message(FATAL_ERROR "${file} holds the delimiter of the generated literals")
  endif()
  string(LENGTH "${text}" length)
  set(pieces "")
  set(at 0)
  while(at LESS length)
    string(SUBSTRING "${text}" ${at} 8000 piece)
    string(APPEND pieces "    R\"embed(${piece})embed\"\n")
    math(EXPR at "${at} + 8000")
  endwhile()
  string(APPEND entries "  {\"${path}\", \"${type}; charset=utf-8\",\n${pieces}    \"\"sv, \"\\\"${hash}\\\"\"},\n")
  set(entries "${entries}" PARENT_SCOPE)
endfunction()

set(entries "")
embed(/dashboard/ index.html text/html)
embed(/dashboard/LICENSES.txt LICENSES.txt text/plain)
embed(/dashboard/app.css app.css text/css)
embed(/dashboard/app.js app.js text/javascript)
file(WRITE ${OUT} "// Made from web/dist by cmake/EmbedFile.cmake.
#include \"server/observe/page_assets.h\"

namespace windlass::server {

using namespace std::string_view_literals;

const std::vector<Asset>& page_assets() {
  static const std::vector<Asset> all = {
${entries}  };
  return all;
}

}  // namespace windlass::server
")
