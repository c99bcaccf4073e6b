#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# hardened.sh PROGRAM: a released program is protected as the preset release asks for: at an address of chance (PIE), bound at its start
# and read-only from then on, no stack that can be run, stack protectors, checked calls of the C library. (Debian 12's own start files
# have no mark of control flow protection, so no program has.)
set -eu
program=$1
fail() { echo "$program: $*"; exit 1; }
has() { # has WHAT WORDS OPTION...
  what=$1 words=$2
  shift 2
  readelf -W "$@" "$program" | grep -Eq -- "$words" || fail "no $what"
}
has PIE 'Type: +DYN' -h
has 'flag PIE' 'FLAGS_1.* PIE' -d
has RELRO 'GNU_RELRO' -l
has BIND_NOW 'FLAGS_1.* NOW' -d
has 'stack that cannot be run' 'GNU_STACK .* RW +0x' -l
has 'stack protector' ' __stack_chk_fail' --dyn-syms
has 'fortified call' ' __[a-z]+_chk(@|$)' --dyn-syms
