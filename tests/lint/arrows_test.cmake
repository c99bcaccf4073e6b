# SPDX-License-Identifier: Apache-2.0
# The lint itself: a small tree with one of each mistake, and each must be named.
cmake_minimum_required(VERSION 3.25)
file(REMOVE_RECURSE ${WORK})
file(WRITE ${WORK}/sync/wrong.cpp "#include \"proxy/server.hpp\"\n")
file(WRITE ${WORK}/proxy/wrong.cpp "#include \"sync/engine.hpp\"\nauto sql = \"SELECT 1\";\n")
file(WRITE ${WORK}/cache/wrong.cpp "#include \"upstream/http.hpp\"\n#include <sqlite3.h>\n")
file(WRITE ${WORK}/sandbox/wrong.hpp "  # include <curl/curl.h>\n#include \"cache/store.hpp\"\n")
string(REPEAT "int x;\n" 401 long)
file(WRITE ${WORK}/alli/long.cpp "${long}")
file(WRITE ${WORK}/upstream/wrong.cpp "void f() { spdlog::info(\"hello\"); }\n")
file(WRITE ${WORK}/cache/db/wrong.cpp "#include \"cache/rows/totals.hpp\"\n")
file(WRITE ${WORK}/daemon/right.cpp "#include \"proxy/server.hpp\"\n#include \"sync/engine.hpp\"\n")

execute_process(COMMAND ${CMAKE_COMMAND} -DROOT=${WORK} -P ${CMAKE_CURRENT_LIST_DIR}/arrows.cmake
                RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(result EQUAL 0)
  message(FATAL_ERROR "the lint found nothing wrong:\n${output}")
endif()
foreach(expected "sync must not know proxy" "proxy must not know sync" "proxy/wrong.cpp speaks SQL" "cache must not know upstream"
        "cache/wrong.cpp includes sqlite3.h" "sandbox/wrong.hpp includes curl/curl.h" "sandbox must not know cache"
        "upstream/wrong.cpp uses spdlog" "alli/long.cpp has 401 lines" "cache/db must not know cache/rows")
  string(FIND "${output}" "${expected}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "the lint does not say '${expected}':\n${output}")
  endif()
endforeach()
string(FIND "${output}" "daemon/right.cpp includes" at)
if(NOT at EQUAL -1)
  message(FATAL_ERROR "the lint complains about what is right:\n${output}")
endif()
