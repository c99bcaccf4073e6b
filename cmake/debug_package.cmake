# SPDX-License-Identifier: Apache-2.0
# Run by CPack when its packages are made. CPack 3.25 writes the sums of the debug symbols' package with the path of the folder that it
# worked in: dpkg finds no such files, and two builds in two places differ.
foreach(package IN LISTS CPACK_PACKAGE_FILES)
  if(NOT package MATCHES "\\.ddeb$")
    continue()
  endif()
  set(files ${package}.files)
  file(REMOVE_RECURSE ${files})
  execute_process(COMMAND dpkg-deb -R ${package} ${files} COMMAND_ERROR_IS_FATAL ANY)
  file(READ ${files}/DEBIAN/md5sums sums)
  string(REGEX REPLACE "  [^\n]*/(usr/lib/debug/)" "  \\1" sums "${sums}")
  file(WRITE ${files}/DEBIAN/md5sums "${sums}")
  execute_process(COMMAND dpkg-deb --root-owner-group -Zgzip -b ${files} ${package} OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
  file(REMOVE_RECURSE ${files})
endforeach()
