#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "llama_api.h"

namespace lorp {

/** llama.cpp's own conversions between floats and the bytes of a tensor type, which ours are held against. */

/** Whether llama.cpp quantises to a type. @throws std::runtime_error for a number that is no type */
bool is_quantizable(ggml_type type);

/**
 * ggml_quantize_chunk.
 * @param importance of each column; empty: all alike
 * @throws std::runtime_error for a type that llama.cpp does not make, values that are no whole rows, or an importance
 * of another length
 */
std::vector<std::uint8_t> quantize(ggml_type type, std::span<const float> values, std::size_t row_length,
                                   std::span<const float> importance = {});

/** ggml_type_traits::to_float. @throws std::runtime_error for a type that has none, or bytes that are no whole blocks
 */
std::vector<float> dequantize(ggml_type type, std::span<const std::uint8_t> bytes);

}  // namespace lorp
