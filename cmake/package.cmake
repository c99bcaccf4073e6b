# SPDX-License-Identifier: Apache-2.0
# What is installed beside the program, and Debian's package of it: `cmake --build --preset release --target deb`.
include(units)
alli_units(${CMAKE_INSTALL_FULL_BINDIR}/alli-mirror ${CMAKE_BINARY_DIR}/units)

set(ready ${CMAKE_BINARY_DIR}/install)
install(CODE "include(${CMAKE_SOURCE_DIR}/cmake/units.cmake)
              alli_units(\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/alli-mirror ${ready})")
foreach(kind service socket)
  install(FILES ${ready}/system/alli-mirror.${kind} ${ready}/system/alli-mirror@.${kind} DESTINATION lib/systemd/system)
  install(FILES ${ready}/user/alli-mirror.${kind} DESTINATION lib/systemd/user)
endforeach()
foreach(kind service timer)
  install(FILES ${ready}/system/alli-mirror-backup.${kind} ${ready}/system/alli-mirror-backup@.${kind}
          DESTINATION lib/systemd/system)
endforeach()
install(FILES ${CMAKE_SOURCE_DIR}/systemd/sysusers.conf DESTINATION lib/sysusers.d RENAME alli-mirror.conf)
file(READ ${CMAKE_SOURCE_DIR}/docs/openapi.json description)
string(JSON described GET "${description}" info version)
if(NOT described STREQUAL ALLI_VERSION)
  message(FATAL_ERROR "docs/openapi.json is of version ${described}, the program of ${ALLI_VERSION}")
endif()
file(READ ${CMAKE_SOURCE_DIR}/CHANGELOG.md changes)
string(REPLACE "](docs/" "](" changes "${changes}") # they lie beside it
file(WRITE ${ready}/CHANGELOG.md "${changes}")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/CHANGELOG.md)
install(FILES ${CMAKE_SOURCE_DIR}/docs/operations.md ${CMAKE_SOURCE_DIR}/docs/settings.md ${CMAKE_SOURCE_DIR}/docs/logs.md
              ${CMAKE_SOURCE_DIR}/docs/commands.md ${CMAKE_SOURCE_DIR}/docs/api.md ${CMAKE_SOURCE_DIR}/docs/openapi.json
              ${CMAKE_SOURCE_DIR}/docs/alerts.yml ${CMAKE_SOURCE_DIR}/docs/grafana.json ${CMAKE_SOURCE_DIR}/docs/runbook.md
              ${CMAKE_SOURCE_DIR}/docs/cluster.md ${CMAKE_SOURCE_DIR}/docs/deploy.md ${CMAKE_SOURCE_DIR}/docs/feed.md ${CMAKE_SOURCE_DIR}/docs/mcp.md
              ${CMAKE_SOURCE_DIR}/docs/narrowed.md ${CMAKE_SOURCE_DIR}/docs/page.md ${CMAKE_SOURCE_DIR}/docs/sandbox.md
              ${CMAKE_SOURCE_DIR}/docs/search.md ${CMAKE_SOURCE_DIR}/docs/sql.md ${CMAKE_SOURCE_DIR}/docs/webhooks.md
              ${ready}/CHANGELOG.md
        DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY ${CMAKE_SOURCE_DIR}/docs/decisions DESTINATION ${CMAKE_INSTALL_DOCDIR})

# What Debian's policy asks for beside it, and the settings file: in the package only, for a plain `cmake --install` writes
# nothing outside its prefix.
set(ALLI_MAINTAINER "alli-mirror maintainers <maintainers@alli-mirror.invalid>" CACHE STRING "who makes the package")
set(CPACK_PACKAGE_CONTACT "${ALLI_MAINTAINER}")
string(REPLACE "-" "~" debian_version ${ALLI_VERSION}) # which dpkg sorts before the release
file(STRINGS /etc/os-release release REGEX "^(ID|VERSION_ID)=")
if(release MATCHES "ID=debian" AND release MATCHES "VERSION_ID=\"?([0-9]+)")
  string(APPEND debian_version +deb${CMAKE_MATCH_1}) # a package is for the Debian that it was built on
endif()
set(CPACK_DEBIAN_PACKAGE_VERSION ${debian_version})
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)
configure_file(${CMAKE_SOURCE_DIR}/package/changelog.in ${ready}/changelog @ONLY)
add_custom_command(OUTPUT ${ready}/changelog.gz DEPENDS ${ready}/changelog VERBATIM
                   COMMAND gzip -9nkf ${ready}/changelog)
install(FILES ${ready}/changelog.gz ${CMAKE_SOURCE_DIR}/package/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR}
        COMPONENT debian EXCLUDE_FROM_ALL)
install(FILES ${CMAKE_SOURCE_DIR}/package/config.toml DESTINATION /etc/alli-mirror COMPONENT debian EXCLUDE_FROM_ALL)

set(CPACK_GENERATOR DEB)
set(CPACK_INSTALL_CMAKE_PROJECTS ${CMAKE_BINARY_DIR} ${PROJECT_NAME} ALL /
                                 ${CMAKE_BINARY_DIR} ${PROJECT_NAME} debian /)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "local, complete and searchable mirror of Alli conversations")
set(CPACK_PACKAGE_DESCRIPTION "Keeps every conversation of a project of Alli in a local file,
answers the same API from it on localhost with the network or without,
keeps writes until they can be delivered, and searches every message.")
set(CPACK_PACKAGING_INSTALL_PREFIX "")
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_SET_DESTDIR ON)
set(CPACK_DEBIAN_DEBUGINFO_PACKAGE ON) # strips the program, and puts what is taken off into alli-mirror-dbgsym
set(CPACK_POST_BUILD_SCRIPTS ${CMAKE_SOURCE_DIR}/cmake/debug_package.cmake)
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR})
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# For the service's user; what has none of these runs as a person's own, or makes the user by hand.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ca-certificates, systemd | systemd-standalone-sysusers")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_SOURCE_DIR}/package/conffiles ${CMAKE_SOURCE_DIR}/package/postinst
    ${CMAKE_SOURCE_DIR}/package/prerm ${CMAKE_SOURCE_DIR}/package/postrm)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
# Only the program and its pages are needed, not every test.
add_custom_target(deb COMMAND ${CMAKE_CPACK_COMMAND} -G DEB DEPENDS alli-mirror manual ${ready}/changelog.gz
                  WORKING_DIRECTORY ${CMAKE_BINARY_DIR} VERBATIM)
