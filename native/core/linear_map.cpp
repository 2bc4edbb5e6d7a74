#include "linear_map.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "dot_tile.h"
#include "parallel.h"

namespace lorp {

void add_mapped(std::span<const float> map, std::span<const float> features, std::size_t n_inputs,
                std::span<float> states, std::size_t n_outputs, std::size_t n_threads) {
    constexpr std::size_t size = dot_tile_size;
    const std::size_t n_tokens = features.size() / n_inputs;
    // The rows of a tile over the edge repeat the last one; their products are not read.
    parallel_for((n_outputs + size - 1) / size, n_threads, [&](std::size_t tile) {
        std::array<const float*, size> outputs{};
        for (std::size_t i = 0; i < size; ++i) {
            outputs[i] = map.data() + std::min(tile * size + i, n_outputs - 1) * n_inputs;
        }
        for (std::size_t token = 0; token < n_tokens; token += size) {
            std::array<const float*, size> tokens{};
            for (std::size_t i = 0; i < size; ++i) {
                tokens[i] = features.data() + std::min(token + i, n_tokens - 1) * n_inputs;
            }
            std::array<double, size * size> products{};
            dot_tile(tokens, outputs, n_inputs, products);
            for (std::size_t a = 0; a < size && token + a < n_tokens; ++a) {
                for (std::size_t b = 0; b < size && tile * size + b < n_outputs; ++b) {
                    states[(token + a) * n_outputs + tile * size + b] += static_cast<float>(products[a * size + b]);
                }
            }
        }
    });
}

void rms_normalize(std::span<const float> states, std::size_t n_embd, double epsilon, std::span<float> normalized) {
    for (std::size_t from = 0; from + n_embd <= states.size(); from += n_embd) {
        const float* const state = states.data() + from;
        const double squared = std::inner_product(state, state + n_embd, state, 0.0);
        const auto scale = static_cast<float>(1 / std::sqrt(squared / static_cast<double>(n_embd) + epsilon));
        for (std::size_t i = 0; i < n_embd; ++i) normalized[from + i] = state[i] * scale;
    }
}

}  // namespace lorp
