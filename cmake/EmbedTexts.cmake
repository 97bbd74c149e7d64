# Turns text files into a source file. Two uses of this one file: included, it gives the function
# below; run as a script (`cmake -P`), it writes OUT from FILES, which lie under ROOT.
if(NOT CMAKE_SCRIPT_MODE_FILE)
  # Adds to `target` the generated windlass::cli::FUNCTION() that HEADER declares: a vector of {path under
  # `root`, text} of the .yaml files there, ordered by path. `skip`: a regex of paths to leave out.
  function(windlass_embed_yaml target root skip header function)
    if(NOT TARGET ${target})
      return()
    endif()
    set(script ${CMAKE_CURRENT_SOURCE_DIR}/cmake/EmbedTexts.cmake)
    set(out ${CMAKE_CURRENT_BINARY_DIR}/generated/${target}_${function}.cc)
    file(GLOB_RECURSE files RELATIVE ${root} CONFIGURE_DEPENDS ${root}/*.yaml)
    list(FILTER files EXCLUDE REGEX "${skip}")
    list(SORT files)
    list(TRANSFORM files PREPEND "${root}/" OUTPUT_VARIABLE paths)
    add_custom_command(OUTPUT ${out}
      COMMAND ${CMAKE_COMMAND} -DROOT=${root} -DOUT=${out} "-DFILES=${files}" -DHEADER=${header}
        -DFUNCTION=${function} -P ${script}
      DEPENDS ${script} ${paths}
      COMMENT "Embedding the texts of ${function}" VERBATIM)
    target_sources(${target} PRIVATE ${out})
    set_source_files_properties(${out} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  endfunction()
  return()
endif()

set(entries "")
foreach(file IN LISTS FILES)
  file(READ ${ROOT}/${file} text)
  string(FIND "${text}" ")embed\"" clash)
  if(NOT clash EQUAL -1)
    message(FATAL_ERROR "${file} holds the delimiter of the generated literals")
  endif()
  # Compilers take literals of 64 KiB at least.
  string(LENGTH "${text}" length)
  if(length GREATER 60000)
    message(FATAL_ERROR "${file} is too long to be one literal")
  endif()
  string(APPEND entries "      {\"${file}\", R\"embed(${text})embed\"},\n")
endforeach()
file(WRITE ${OUT} "// Made from files by cmake/EmbedTexts.cmake.
#include \"${HEADER}\"

namespace windlass::cli {

const std::vector<EmbeddedText>& ${FUNCTION}() {
  static const std::vector<EmbeddedText> all = {
${entries}  };
  return all;
}

}  // namespace windlass::cli
")
