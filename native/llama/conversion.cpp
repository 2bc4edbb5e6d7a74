#include "conversion.h"

#include <cstring>
#include <stdexcept>
#include <string>

namespace lorp {
namespace {

const ggml_type_traits& traits_of(ggml_type type) {
    const ggml_type_traits* const traits = llama().ggml_get_type_traits(type);
    if (traits->blck_size == 0 || traits->type_size == 0) {
        throw std::runtime_error("llama.cpp has no tensor type " + std::to_string(type));
    }
    return *traits;
}

}  // namespace

bool is_quantizable(ggml_type type) {
    // What llama.cpp quantises it also reads back, and it ends the process when asked for anything else.
    return type == GGML_TYPE_F32 || traits_of(type).to_float != nullptr;
}

std::vector<std::uint8_t> quantize(ggml_type type, std::span<const float> values, std::size_t row_length,
                                   std::span<const float> importance) {
    const ggml_type_traits& traits = traits_of(type);
    if (!is_quantizable(type)) {
        throw std::runtime_error(std::string("llama.cpp does not quantise to ") + traits.type_name);
    }
    const auto block = static_cast<std::size_t>(traits.blck_size);
    if (row_length == 0 || row_length % block != 0 || values.size() % row_length != 0) {
        throw std::runtime_error("the values are no whole rows of whole blocks");
    }
    if (!importance.empty() && importance.size() != row_length) {
        throw std::runtime_error("the importance has another length than the rows");
    }
    const std::vector<float> alike(importance.empty() ? row_length : 0, 1.0F);
    std::vector<std::uint8_t> bytes(values.size() / block * traits.type_size);
    llama().ggml_quantize_chunk(
        type, values.data(), bytes.data(), 0, static_cast<std::int64_t>(values.size() / row_length),
        static_cast<std::int64_t>(row_length), importance.empty() ? alike.data() : importance.data());
    return bytes;
}

std::vector<float> dequantize(ggml_type type, std::span<const std::uint8_t> bytes) {
    const ggml_type_traits& traits = traits_of(type);
    const std::size_t blocks = bytes.size() / traits.type_size;
    if (bytes.size() % traits.type_size != 0) throw std::runtime_error("the bytes are no whole blocks");
    std::vector<float> values(blocks * static_cast<std::size_t>(traits.blck_size));
    if (type == GGML_TYPE_F32) {
        std::memcpy(values.data(), bytes.data(), bytes.size());
        return values;
    }
    if (traits.to_float == nullptr) {
        throw std::runtime_error(std::string("llama.cpp does not dequantise ") + traits.type_name);
    }
    traits.to_float(bytes.data(), values.data(), static_cast<std::int64_t>(values.size()));
    return values;
}

}  // namespace lorp
