#include "logits_file.h"

#include <filesystem>
#include <stdexcept>

namespace lorp {

LogitsFile::LogitsFile(const std::string& path, Mode mode, std::uint64_t offset) : mode_(mode) {
    const auto direction = mode == Mode::read ? std::ios::in : std::ios::in | std::ios::out;
    file_.open(std::filesystem::path(std::u8string(path.begin(), path.end())), direction | std::ios::binary);
    file_.seekg(static_cast<std::streamoff>(offset));
    if (appends()) file_.seekp(static_cast<std::streamoff>(offset));
    if (!file_) throw std::runtime_error("the file of logits cannot be opened");
}

void LogitsFile::append(std::span<const float> row) {
    file_.write(reinterpret_cast<const char*>(row.data()), static_cast<std::streamsize>(row.size_bytes()));
    if (!file_.flush()) throw std::runtime_error("the file of logits cannot be written");
}

std::span<const float> LogitsFile::read(std::size_t size) {
    row_.resize(size);
    file_.read(reinterpret_cast<char*>(row_.data()), static_cast<std::streamsize>(size * sizeof(float)));
    if (!file_) throw std::runtime_error("the file of logits ends early");
    return row_;
}

}  // namespace lorp
