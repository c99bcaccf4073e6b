# SPDX-License-Identifier: Apache-2.0
# Copies of sync's sources with the faults of mutant.hpp written in, each asked for by is_planted(): the product knows
# nothing of them. A text that is not found exactly as it stands here stops the configuration.
set(mutants ${CMAKE_CURRENT_BINARY_DIR}/mutants)
file(MAKE_DIRECTORY ${mutants})

# plant(FILE TEXT INSTEAD [TEXT INSTEAD]...)
function(plant file)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/sync/${file})
  file(READ ${CMAKE_SOURCE_DIR}/sync/${file} source)
  math(EXPR last "${ARGC} - 1")
  foreach(at RANGE 1 ${last} 2)
    math(EXPR next "${at} + 1")
    string(FIND "${source}" "${ARGV${at}}" found)
    if(found EQUAL -1)
      message(FATAL_ERROR "sync/${file} has no \"${ARGV${at}}\": tests/simulation/mutants.cmake plants a fault there")
    endif()
    string(REPLACE "${ARGV${at}}" "${ARGV${next}}" source "${source}")
  endforeach()
  set(planted ${planted} ${mutants}/${file} PARENT_SCOPE)
  file(CONFIGURE OUTPUT ${mutants}/${file} CONTENT "#include \"tests/simulation/mutant.hpp\"\n${source}" @ONLY)
endfunction()

plant(tasks/increment.cpp
  "std::optional<Instant> started_;" "std::optional<Instant> started_, newest_;"
  "seen_.insert(conversation.id);"
  "{ seen_.insert(conversation.id); newest_ = std::max(newest_, conversation.last_chat_at); }"
  "progress.unit = unit_;"
  "progress.unit = unit_; if (is_planted(Mutant::boundary_from_data) && newest_) progress.boundary = newest_;"
  "boundary_ - context.overlap)" "is_planted(Mutant::no_overlap) ? boundary_ : boundary_ - context.overlap)")
# Neighbours that are compared early would make good what such a boundary misses in so small a world.
plant(tasks/reconcile.cpp
  "return more_ <= conversations_a_page;" "return more_ <= (is_planted(Mutant::boundary_from_data) ? -1 : conversations_a_page);")
plant(pages/paginator.cpp
  "*oldest + grain()" "*oldest + (is_planted(Mutant::exclusive_edge) ? std::chrono::microseconds(0) : grain())")
plant(pages/ingest.cpp
  "    PageIngest page("
  "    if (is_planted(Mutant::cursor_before_commit) && in_commit) co_await context.store.write(in_commit);
    PageIngest page(")
plant(tasks/refresh.cpp
  "if (!cannot_be_asked(id)) found"
  "if (!cannot_be_asked(id) && !(options.audit && is_planted(Mutant::absence_is_deletion))) found")
plant(pages/scan.cpp
  "        co_await pass_by("
  "        if (is_planted(Mutant::error_swallowed)) {
            Page nothing;
            nothing.asked_at = nothing.sent_at = context.clock.now();
            nothing.last = true;
            nothing.fence = context.fences.take();
            co_return nothing;
        }
        co_await pass_by(")
