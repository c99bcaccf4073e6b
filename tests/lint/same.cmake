# SPDX-License-Identifier: Apache-2.0
# cmake -DPROGRAM=... -DPAGE=... -DFILE=... -P same.cmake: whether a page made from the tables is the one in the tree.
execute_process(COMMAND ${PROGRAM} manual ${PAGE} OUTPUT_VARIABLE made RESULT_VARIABLE code)
if(NOT code EQUAL 0)
  message(FATAL_ERROR "${PROGRAM} manual ${PAGE} failed")
endif()
file(READ ${FILE} kept)
if(NOT made STREQUAL kept)
  message(FATAL_ERROR "${FILE} is not what the tables say; hint: build/dev/alli-mirror manual ${PAGE} > ${FILE}")
endif()
