#pragma once

#include <cstdint>

#include "control.h"

namespace lorp {

/** `length` bytes from offset `from` of one open file to offset `to` of another. */
struct FileRange {
    int source;
    std::uint64_t from;
    int target;
    std::uint64_t to;
    std::uint64_t length;
};

/**
 * Lets the kernel move bytes between files: shares the blocks where the file system can (both offsets must then be the
 * same distance from a block's start) and copies the rest without a way through this process.
 * @return how many bytes of the range, from its start, are moved. Fewer than all means that the kernel cannot go on,
 *         whatever the cause; the caller goes on by reading and writing, or so learns which of the two fails.
 * @throws Stopped
 */
std::uint64_t copy_in_kernel(const FileRange& range, const Control& control);

}  // namespace lorp
