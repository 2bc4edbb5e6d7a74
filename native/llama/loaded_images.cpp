#include "loaded_images.h"

#include <cstdint>
#include <string>

#if defined(_WIN32)
#include <windows.h>

#include <psapi.h>
#else
#include <dlfcn.h>
#endif
#if defined(__APPLE__)
#include <mach-o/dyld.h>
#elif !defined(_WIN32)
#include <link.h>
#endif

namespace lorp {

#if defined(_WIN32)
namespace {

std::vector<HMODULE> modules() {
    std::vector<HMODULE> found(256);
    for (;;) {
        const auto room = static_cast<DWORD>(found.size() * sizeof(HMODULE));
        DWORD needed = 0;
        if (!K32EnumProcessModules(GetCurrentProcess(), found.data(), room, &needed)) return {};
        found.resize(needed / sizeof(HMODULE));
        if (needed <= room) return found;
    }
}

std::wstring folder_of(HMODULE module) {
    std::wstring path(32768, L'\0');
    path.resize(GetModuleFileNameW(module, path.data(), static_cast<DWORD>(path.size())));
    return path.substr(0, path.find_last_of(L"\\/") + 1);
}

void* exported(HMODULE module, const char* symbol) { return reinterpret_cast<void*>(GetProcAddress(module, symbol)); }

}  // namespace

// Windows looks into one module only; what it is linked to lies beside it.
void* LoadedImage::find(const char* symbol) const {
    const auto own = static_cast<HMODULE>(handle_);
    if (void* const address = exported(own, symbol)) return address;
    const std::wstring folder = folder_of(own);
    for (HMODULE module : modules()) {
        void* const address = exported(module, symbol);
        if (address != nullptr && folder_of(module) == folder) return address;
    }
    return nullptr;
}

std::vector<LoadedImage> loaded_images() {
    std::vector<LoadedImage> images;
    for (HMODULE module : modules()) images.emplace_back(module);
    return images;
}

#else
namespace {

std::vector<std::string> paths() {
    std::vector<std::string> found;
#if defined(__APPLE__)
    for (std::uint32_t i = 0; i < _dyld_image_count(); ++i) {
        // Another thread may have unloaded the image meanwhile.
        if (const char* const path = _dyld_get_image_name(i)) found.emplace_back(path);
    }
#else
    dl_iterate_phdr(
        [](dl_phdr_info* image, std::size_t, void* all) {
            static_cast<std::vector<std::string>*>(all)->emplace_back(image->dlpi_name);
            return 0;
        },
        &found);
#endif
    return found;
}

}  // namespace

void* LoadedImage::find(const char* symbol) const { return dlsym(handle_, symbol); }

std::vector<LoadedImage> loaded_images() {
    std::vector<LoadedImage> images;
    for (const std::string& path : paths()) {
        // The executable has no name; the kernel's own image has one that cannot be opened.
        if (path.empty()) continue;
        if (void* const handle = dlopen(path.c_str(), RTLD_NOW | RTLD_NOLOAD)) images.emplace_back(handle);
    }
    return images;
}
#endif

}  // namespace lorp
