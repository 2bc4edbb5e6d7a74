#include "llama_api.h"

#include <memory>
#include <optional>
#include <stdexcept>
#include <vector>

#if defined(_WIN32)
#include <windows.h>
#else
#include <dlfcn.h>
#endif
#if defined(__APPLE__)
#include <mach-o/dyld.h>
#endif

namespace lorp {
namespace {

#if defined(_WIN32)
using Library = HMODULE;

Library find_loaded(const std::string& name) { return GetModuleHandleA(name.c_str()); }

void* find_symbol(Library library, const char* symbol) {
    return reinterpret_cast<void*>(GetProcAddress(library, symbol));
}
#else
using Library = void*;

Library find_loaded(const std::string& name) {
#if defined(__APPLE__)
    for (std::uint32_t i = 0; i < _dyld_image_count(); ++i) {
        const std::string path = _dyld_get_image_name(i);
        if (path.ends_with("/" + name)) return dlopen(path.c_str(), RTLD_NOW | RTLD_NOLOAD);
    }
    return nullptr;
#else
    return dlopen(name.c_str(), RTLD_NOW | RTLD_NOLOAD);
#endif
}

void* find_symbol(Library library, const char* symbol) { return dlsym(library, symbol); }
#endif

std::optional<LlamaApi> table;

}  // namespace

void attach(std::span<const std::string> library_names) {
    // The handles are never closed: node-llama-cpp keeps its libraries for the life of the process.
    std::vector<Library> libraries;
    std::string names;
    for (const std::string& name : library_names) {
        if (const Library library = find_loaded(name)) libraries.push_back(library);
        names += (names.empty() ? "" : ", ") + name;
    }
    if (libraries.empty()) throw std::runtime_error("none of these libraries is loaded in this process: " + names);

    LlamaApi api;
    const auto resolve = [&](const char* symbol) {
        for (const Library library : libraries) {
            if (void* const address = find_symbol(library, symbol)) return address;
        }
        throw std::runtime_error(std::string("the loaded llama.cpp has no function ") + symbol);
    };
#define LORP_RESOLVE(name) api.name = reinterpret_cast<decltype(api.name)>(resolve(#name));
    LORP_LLAMA_FUNCTIONS(LORP_RESOLVE)
#undef LORP_RESOLVE
    table = api;
}

const LlamaApi& llama() {
    if (!table) throw std::runtime_error("the addon is not attached to llama.cpp yet");
    return *table;
}

}  // namespace lorp
