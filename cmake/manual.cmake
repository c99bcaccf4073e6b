# SPDX-License-Identifier: Apache-2.0
# The pages of man and the shells' completions: made by the program itself from its own tables, and installed.

function(made_by_program file destination)
  add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/manual/${file} DEPENDS alli-mirror VERBATIM
                     COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/manual
                     COMMAND alli-mirror ${ARGN} > ${CMAKE_BINARY_DIR}/manual/${file})
  set(installed ${CMAKE_BINARY_DIR}/manual/${file})
  if(file MATCHES "\\.[0-9]$") # pages of man are installed compressed
    add_custom_command(OUTPUT ${installed}.gz DEPENDS ${installed} COMMAND gzip -9nkf ${installed} VERBATIM)
    string(APPEND installed .gz)
  endif()
  install(FILES ${installed} DESTINATION ${destination})
  set_property(GLOBAL APPEND PROPERTY alli_manual ${installed})
endfunction()

made_by_program(alli-mirror.1 ${CMAKE_INSTALL_MANDIR}/man1 manual alli-mirror.1)
made_by_program(alli-mirror.toml.5 ${CMAKE_INSTALL_MANDIR}/man5 manual alli-mirror.toml.5)
made_by_program(alli-mirror.bash ${CMAKE_INSTALL_DATADIR}/bash-completion/completions completions bash)
made_by_program(_alli-mirror ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions completions zsh)
made_by_program(alli-mirror.fish ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d completions fish)

get_property(alli_manual GLOBAL PROPERTY alli_manual)
add_custom_target(manual ALL DEPENDS ${alli_manual})
