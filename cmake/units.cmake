# SPDX-License-Identifier: Apache-2.0
# The units: for the system, for one of several projects (a template), for one user. All name the program by its full path,
# so that they are made twice: while configuring, for the checks, and while installing, for the prefix that is then known.

function(alli_units program to)
  set(here ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../systemd)
  set(place /etc/alli-mirror)
  configure_file(${here}/alli-mirror.service.in ${to}/system/alli-mirror.service @ONLY)
  configure_file(${here}/alli-mirror-user.service.in ${to}/user/alli-mirror.service @ONLY)

  set(of " (%i)")
  set(instance "@%i")
  set(place /etc/alli-mirror/%i)
  set(flags " --config ${place}/config.toml")
  configure_file(${here}/alli-mirror.service.in ${to}/system/alli-mirror@.service @ONLY)
endfunction()
