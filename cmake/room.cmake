# SPDX-License-Identifier: Apache-2.0
# alli_room(name SOURCES ... LINK ... [HEAVY alli_heavy_json]): one folder, one static library, one alias alli::name.
# Warnings are errors where the preset says so (dev): a user's build must not fail on another compiler's opinion.
include(unity)

add_library(alli_options INTERFACE)
target_include_directories(alli_options INTERFACE ${CMAKE_SOURCE_DIR})
# In a batch a name may be hidden by another file's.
target_compile_options(alli_options INTERFACE -Wall -Wextra -Wpedantic $<$<NOT:$<BOOL:$<TARGET_PROPERTY:ALLI_BATCHED>>>:-Wshadow>
                       -Wconversion ${ALLI_EXTRA_FLAGS})
# Asio is compiled once (alli/asio.cpp) instead of in every file that names it.
target_compile_definitions(alli_options INTERFACE BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED
                           BOOST_ALLOW_DEPRECATED_HEADERS)
target_link_libraries(alli_options INTERFACE Boost::headers Threads::Threads nlohmann_json::nlohmann_json spdlog::spdlog)

# Heavy headers are compiled once. Those of JSON are apart: whoever sees them pays 0.4 s a file, used or not.
foreach(heavy alli_heavy alli_heavy_json)
  add_library(${heavy} OBJECT ${CMAKE_SOURCE_DIR}/cmake/heavy.cpp)
  target_link_libraries(${heavy} PRIVATE alli_options)
endforeach()
target_precompile_headers(alli_heavy PRIVATE ${CMAKE_SOURCE_DIR}/cmake/heavy.hpp)
target_precompile_headers(alli_heavy_json PRIVATE ${CMAKE_SOURCE_DIR}/cmake/heavy_json.hpp)

function(alli_room name)
  cmake_parse_arguments(ROOM "" "HEAVY" "SOURCES;LINK" ${ARGN})
  if(NOT ROOM_HEAVY)
    set(ROOM_HEAVY alli_heavy)
  endif()
  add_library(alli_${name} STATIC ${ROOM_SOURCES})
  add_library(alli::${name} ALIAS alli_${name})
  target_link_libraries(alli_${name} PUBLIC alli_options ${ROOM_LINK})
  target_precompile_headers(alli_${name} REUSE_FROM ${ROOM_HEAVY})
  alli_unity(alli_${name})
endfunction()

# alli_test(room SOURCES ... LINK ...): one test program a folder of tests; every TEST is a ctest case of its own.
function(alli_test name)
  cmake_parse_arguments(T "" "TIMEOUT;LABELS" "SOURCES;LINK" ${ARGN})
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 60)
  endif()
  add_executable(${name}_test ${T_SOURCES})
  target_link_libraries(${name}_test PRIVATE alli_options ${T_LINK} GTest::gmock GTest::gtest GTest::gtest_main)
  target_precompile_headers(${name}_test REUSE_FROM alli_heavy_json)
  alli_unity(${name}_test)
  gtest_discover_tests(${name}_test TEST_PREFIX ${name}. DISCOVERY_MODE PRE_TEST NO_PRETTY_VALUES
                       PROPERTIES TIMEOUT ${T_TIMEOUT} LABELS "${T_LABELS}")
endfunction()
