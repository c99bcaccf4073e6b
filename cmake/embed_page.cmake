# SPDX-License-Identifier: Apache-2.0
# cmake -DFOLDER=... -DOUT=... -P embed_page.cmake: the files of a folder as arrays in one source file, each as it is and
# gzipped. Made while building, whenever one of them changed. The same files give the same bytes.
cmake_minimum_required(VERSION 3.25)

function(bytes_of file out)
  file(READ ${file} hex HEX)
  if(file MATCHES "\\.gz$")
    string(SUBSTRING "${hex}" 0 8 start)
    string(SUBSTRING "${hex}" 16 -1 rest)
    set(hex "${start}00000000${rest}") # without the time of packing
  endif()
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "\\1\n" bytes "${bytes}")
  set(${out} "${bytes}" PARENT_SCOPE)
endfunction()

file(GLOB names RELATIVE ${FOLDER} ${FOLDER}/*)
list(SORT names)
set(arrays "")
set(rows "")
set(count 0)
foreach(name ${names})
  math(EXPR count "${count} + 1")
  file(ARCHIVE_CREATE OUTPUT ${OUT}.gz PATHS ${FOLDER}/${name} FORMAT raw COMPRESSION GZip COMPRESSION_LEVEL 9)
  bytes_of(${FOLDER}/${name} plain)
  bytes_of(${OUT}.gz packed)
  string(APPEND arrays "const unsigned char plain_${count}[] = {\n${plain}};\nconst unsigned char packed_${count}[] = {\n${packed}};\n")
  string(APPEND rows "    {\"${name}\", view(plain_${count}), view(packed_${count})},\n")
endforeach()
file(REMOVE ${OUT}.gz)

file(WRITE ${OUT}.new "// Made from page/; do not edit.
#include \"page/assets.hpp\"

namespace alli::page {
namespace {

template <std::size_t n>
std::string_view view(const unsigned char (&bytes)[n])
{
    return {reinterpret_cast<const char*>(bytes), n};
}

${arrays}
const Asset all[] = {
${rows}};

} // namespace

std::span<const Asset> assets() noexcept
{
    return all;
}

} // namespace alli::page
")
file(RENAME ${OUT}.new ${OUT})
