#pragma once

#include <cstdint>
#include <fstream>
#include <span>
#include <string>
#include <vector>

namespace lorp {

/** Rows of logits on disk, one after the other from an offset on: distributions that are compared with more than once.
 */
class LogitsFile {
public:
    enum class Mode { read, append };

    /** @param offset in bytes where the first row begins; a file to append to ends there. @throws std::runtime_error */
    LogitsFile(const std::string& path, Mode mode, std::uint64_t offset);

    bool appends() const { return mode_ == Mode::append; }
    /** @throws std::runtime_error when the disk is full */
    void append(std::span<const float> row);
    /** The next row. @throws std::runtime_error at the end of the file */
    std::span<const float> read(std::size_t size);

private:
    std::fstream file_;
    Mode mode_;
    std::vector<float> row_;
};

}  // namespace lorp
