#pragma once

#include <vector>

namespace lorp {

/** An executable or library that is in this process. */
class LoadedImage {
public:
    /** What the system knows the image by: a handle on POSIX, a module on Windows. */
    using Handle = void*;

    explicit LoadedImage(Handle handle) : handle_(handle) {}

    /** The address of an exported function, in the image or in what it is linked to; null if there is none. */
    void* find(const char* symbol) const;

private:
    Handle handle_;
};

/** The libraries of this process in the order in which they were loaded; loads none and keeps each where it is. */
std::vector<LoadedImage> loaded_images();

}  // namespace lorp
