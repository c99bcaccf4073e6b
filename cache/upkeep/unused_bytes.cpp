// SPDX-License-Identifier: Apache-2.0
// Bytes between the cells of a page and its list of them belong to nobody, and where SQLite has moved cells to another
// page, copies of them stay there, whatever secure_delete says. They are overwritten in the file itself: no reader ever
// looks at them, and a write of them that is cut short changes nothing that anybody reads.
#include "cache/upkeep/unused_bytes.hpp"

namespace alli::cache {
namespace {

// https://www.sqlite.org/fileformat.html: leaf and interior pages of tables and indexes. Of all other kinds of pages
// the first byte is that of a page number, and that small.
std::size_t number(const unsigned char* at)
{
    return static_cast<std::size_t>(at[0]) << 8 | at[1];
}

PagePart unused_part_of(std::span<const unsigned char> page, std::int64_t page_number)
{
    const std::size_t header = page_number == 0 ? 100 : 0; // behind that of the file
    const unsigned char* at = page.data() + header;
    const bool interior = at[0] == 0x02 || at[0] == 0x05, leaf = at[0] == 0x0a || at[0] == 0x0d;
    if (!interior && !leaf) return {};
    const std::size_t from = header + (interior ? 12 : 8) + 2 * number(at + 3);
    const std::size_t content = number(at + 5) == 0 ? 65536 : number(at + 5);
    if (content > page.size() || from >= content) return {};
    return {from, content - from};
}

} // namespace

std::optional<std::int64_t> clear_unused_bytes(Writer& db, std::int64_t first, std::int64_t count)
{
    return db.overwrite(first, count, &unused_part_of);
}

} // namespace alli::cache
