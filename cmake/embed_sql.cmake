# SPDX-License-Identifier: Apache-2.0
# embed_sql(OUT HEADER NAMESPACE database...): schema/<database>/NNNN_*.sql of this folder, in order of number, as arrays in
# one source file: a `const Schema <database>_schema` each, which HEADER declares.
function(embed_sql out header namespace)
  set(text "// Made from schema/; do not edit.\n#include \"${header}\"\n\nnamespace ${namespace} {\n")
  foreach(database ${ARGN})
    file(GLOB steps CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/schema/${database}/*.sql)
    list(SORT steps)
    string(APPEND text "\nstatic const char* const ${database}_steps[] = {\n")
    foreach(step ${steps})
      file(READ ${step} sql)
      set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${step})
      string(APPEND text "R\"sql(${sql})sql\",\n")
    endforeach()
    string(APPEND text "};\nconst Schema ${database}_schema{\"${database}\", ${database}_steps};\n")
  endforeach()
  file(GENERATE OUTPUT ${out} CONTENT "${text}\n} // namespace ${namespace}\n")
endfunction()
