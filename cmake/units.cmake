# SPDX-License-Identifier: Apache-2.0
# The units: for the system, for one of several projects (a template), for one user. All name the program by its full path,
# so that they are made twice: while configuring, for the checks, and while installing, for the prefix that is then known.

function(alli_units program to)
  set(here ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../systemd)
  set(place /etc/alli-mirror)
  set(service alli-mirror.service)
  set(from boot)
  # The file lies outside of the service's runtime directory, which goes with it; commands look for it beside.
  set(listen "ListenStream=127.0.0.1:8787\n# For root; others need a key here as by TCP.\nListenStream=/run/alli-mirror.sock")
  configure_file(${here}/alli-mirror.service.in ${to}/system/alli-mirror.service @ONLY)
  configure_file(${here}/alli-mirror.socket.in ${to}/system/alli-mirror.socket @ONLY)

  set(from login)
  set(listen "ListenStream=127.0.0.1:8787\nListenStream=%t/alli-mirror/proxy.sock")
  configure_file(${here}/alli-mirror-user.service.in ${to}/user/alli-mirror.service @ONLY)
  configure_file(${here}/alli-mirror.socket.in ${to}/user/alli-mirror.socket @ONLY)

  set(of " (%i)")
  set(instance "@%i")
  set(place /etc/alli-mirror/%i)
  set(flags " --config ${place}/config.toml")
  set(service "alli-mirror@NAME.service")
  set(from boot)
  set(listen "# Its port is a line of yours: systemctl edit alli-mirror@NAME.socket\nListenStream=/run/alli-mirror@%i.sock")
  configure_file(${here}/alli-mirror.service.in ${to}/system/alli-mirror@.service @ONLY)
  configure_file(${here}/alli-mirror.socket.in ${to}/system/alli-mirror@.socket @ONLY)
endfunction()
