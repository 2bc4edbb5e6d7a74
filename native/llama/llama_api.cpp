#include "llama_api.h"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <vector>

#include "loaded_images.h"

namespace lorp {
namespace {

std::optional<LlamaApi> table;

/** @returns what llama_version says, e.g. 0.5.0-dev; empty where the image has no llama.cpp */
std::string version_of(const LoadedImage& image) {
    const auto version = reinterpret_cast<decltype(&::llama_version)>(image.find("llama_version"));
    return version ? version() : "";
}

/** @param release a tag of llama.cpp, e.g. v0.5.0 @param version e.g. 0.5.0-dev, as builds of that tag call themselves
 */
bool is_of_release(std::string_view version, std::string_view release) {
    const std::string_view numbers = version.substr(0, version.find('-'));
    return release.starts_with('v') && release.substr(1) == numbers;
}

}  // namespace

void attach(std::string_view release) {
    std::vector<LoadedImage> images = loaded_images();
    std::ranges::reverse(images);  // the last is what node-llama-cpp ended with, where it tried several
    std::string other;
    const auto found = std::ranges::find_if(images, [&](const LoadedImage& image) {
        const std::string version = version_of(image);
        if (is_of_release(version, release)) return true;
        if (!version.empty()) other = version;
        return false;
    });
    if (found == images.end()) {
        throw std::runtime_error(other.empty() ? "no library of this process is llama.cpp"
                                               : "the llama.cpp in this process is " + other +
                                                     ", and lorp was compiled for " + std::string(release));
    }

    LlamaApi api;
    const auto resolve = [&](const char* symbol) {
        if (void* const address = found->find(symbol)) return address;
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
