# SPDX-License-Identifier: Apache-2.0
# What is installed beside the program, and Debian's package of it: `cmake --build --preset release --target deb`.
include(units)
alli_units(${CMAKE_INSTALL_FULL_BINDIR}/alli-mirror ${CMAKE_BINARY_DIR}/units)

set(ready ${CMAKE_BINARY_DIR}/install)
install(CODE "include(${CMAKE_SOURCE_DIR}/cmake/units.cmake)
              alli_units(\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/alli-mirror ${ready})")
install(FILES ${ready}/system/alli-mirror.service ${ready}/system/alli-mirror@.service DESTINATION lib/systemd/system)
install(FILES ${ready}/user/alli-mirror.service DESTINATION lib/systemd/user)
install(FILES ${CMAKE_SOURCE_DIR}/docs/operations.md ${CMAKE_SOURCE_DIR}/docs/settings.md ${CMAKE_SOURCE_DIR}/docs/alerts.yml
        DESTINATION ${CMAKE_INSTALL_DOCDIR})
