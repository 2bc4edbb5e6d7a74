#include "file_copy.h"

#if defined(__linux__)

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

namespace lorp {
namespace {

/** The block size of btrfs and XFS as they are made by default, and a multiple of any smaller one. */
constexpr std::uint64_t block = 4096;
/** Bytes copied between two looks at the control. */
constexpr std::uint64_t step = 32ULL << 20;

/** Makes the target's blocks the source's. Needs whole blocks. */
bool share_blocks(const FileRange& range) {
    file_clone_range request{};
    request.src_fd = range.source;
    request.src_offset = range.from;
    request.src_length = range.length;
    request.dest_offset = range.to;
    return ioctl(range.target, FICLONERANGE, &request) == 0;
}

/** The part of a range that begins `skip` bytes later and has `length` bytes. */
FileRange part(const FileRange& range, std::uint64_t skip, std::uint64_t length) {
    return {range.source, range.from + skip, range.target, range.to + skip, length};
}

std::uint64_t copy_bytes(const FileRange& range, const Control& control) {
    // Room in one piece if there is any; a disk that is too full is noticed by writing.
    fallocate(range.target, 0, static_cast<off_t>(range.to), static_cast<off_t>(range.length));
    std::uint64_t done = 0;
    while (done < range.length) {
        if (control.stop_requested()) throw Stopped{};
        auto from = static_cast<loff_t>(range.from + done);
        auto to = static_cast<loff_t>(range.to + done);
        const auto wanted = static_cast<std::size_t>(std::min(step, range.length - done));
        const ssize_t copied = copy_file_range(range.source, &from, range.target, &to, wanted, 0);
        if (copied <= 0) break;
        // Writing to the disk begins now, so that the fsync at the end finds little left to do.
        sync_file_range(range.target, static_cast<off_t>(range.to + done), copied, SYNC_FILE_RANGE_WRITE);
        done += static_cast<std::uint64_t>(copied);
        if (done < range.length) control.report(static_cast<double>(done) / static_cast<double>(range.length));
    }
    return done;
}

}  // namespace

std::uint64_t copy_in_kernel(const FileRange& range, const Control& control) {
    const std::uint64_t head = std::min((block - range.from % block) % block, range.length);
    const std::uint64_t middle = (range.length - head) / block * block;
    const bool alike = range.from % block == range.to % block;
    if (!alike || middle == 0 || !share_blocks(part(range, head, middle))) return copy_bytes(range, control);
    const std::uint64_t tail = range.length - head - middle;
    const std::uint64_t before = copy_bytes(part(range, 0, head), control);
    if (before < head) return before;
    return head + middle + copy_bytes(part(range, head + middle, tail), control);
}

}  // namespace lorp

#else

namespace lorp {

std::uint64_t copy_in_kernel(const FileRange&, const Control&) { return 0; }

}  // namespace lorp

#endif
