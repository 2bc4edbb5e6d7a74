#include "similarity.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "dot_tile.h"
#include "vectorize.h"

namespace lorp {
namespace {

/** Layers whose dot products are formed together: each vector loaded is used this many times. */
constexpr std::size_t tile = dot_tile_size;
/** Floats summed in single precision before they go into a double: short enough to keep 1e-7 relative. */
constexpr std::size_t chunk = 1024;

LORP_VECTORIZE double squared_norm(const float* x, std::size_t n) {
    double sum = 0;
    for (std::size_t from = 0; from < n; from += chunk) {
        const std::size_t to = std::min(n, from + chunk);
        float part = 0;
        for (std::size_t e = from; e < to; ++e) part += x[e] * x[e];
        sum += static_cast<double>(part);
    }
    return sum;
}

LORP_VECTORIZE void scale(float* x, std::size_t n, float factor) {
    for (std::size_t e = 0; e < n; ++e) x[e] *= factor;
}

void normalize(float* x, std::size_t n) {
    const double norm = std::sqrt(squared_norm(x, n));
    scale(x, n, norm > 0 ? static_cast<float>(1.0 / norm) : 0.0F);
}

}  // namespace

void accumulate_cosines(std::span<float> states, std::size_t n_layers, std::size_t n_tokens, std::size_t n_embd,
                        std::span<double> sums) {
    const auto state = [&](std::size_t layer, std::size_t token) {
        return states.data() + (layer * n_tokens + token) * n_embd;
    };
    for (std::size_t layer = 0; layer < n_layers; ++layer) {
        for (std::size_t token = 0; token < n_tokens; ++token) normalize(state(layer, token), n_embd);
    }
    for (std::size_t row = 0; row < n_layers; row += tile) {
        for (std::size_t column = row; column < n_layers; column += tile) {
            std::array<double, tile * tile> products{};
            for (std::size_t token = 0; token < n_tokens; ++token) {
                std::array<const float*, tile> rows{};
                std::array<const float*, tile> columns{};
                for (std::size_t t = 0; t < tile; ++t) {
                    // A tile over the edge repeats the last layer; its products are not read.
                    rows[t] = state(std::min(row + t, n_layers - 1), token);
                    columns[t] = state(std::min(column + t, n_layers - 1), token);
                }
                dot_tile(rows, columns, n_embd, products);
            }
            for (std::size_t a = 0; a < tile && row + a < n_layers; ++a) {
                for (std::size_t b = 0; b < tile && column + b < n_layers; ++b) {
                    if (row + a < column + b) sums[(row + a) * n_layers + column + b] += products[a * tile + b];
                }
            }
        }
    }
}

}  // namespace lorp
