#include "similarity.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "vectorize.h"

namespace lorp {
namespace {

/** Layers whose dot products are formed together: each vector loaded is used this many times. */
constexpr std::size_t tile = 4;
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

/** sums[a][b] += rows[a] · columns[b] for all a, b < tile. */
LORP_VECTORIZE void dot_tile(const std::array<const float*, tile>& rows, const std::array<const float*, tile>& columns,
                             std::size_t n, std::array<double, tile * tile>& sums) {
    const float *r0 = rows[0], *r1 = rows[1], *r2 = rows[2], *r3 = rows[3];
    const float *c0 = columns[0], *c1 = columns[1], *c2 = columns[2], *c3 = columns[3];
    for (std::size_t from = 0; from < n; from += chunk) {
        const std::size_t to = std::min(n, from + chunk);
        float s00 = 0, s01 = 0, s02 = 0, s03 = 0, s10 = 0, s11 = 0, s12 = 0, s13 = 0;
        float s20 = 0, s21 = 0, s22 = 0, s23 = 0, s30 = 0, s31 = 0, s32 = 0, s33 = 0;
        for (std::size_t e = from; e < to; ++e) {
            s00 += r0[e] * c0[e], s01 += r0[e] * c1[e], s02 += r0[e] * c2[e], s03 += r0[e] * c3[e];
            s10 += r1[e] * c0[e], s11 += r1[e] * c1[e], s12 += r1[e] * c2[e], s13 += r1[e] * c3[e];
            s20 += r2[e] * c0[e], s21 += r2[e] * c1[e], s22 += r2[e] * c2[e], s23 += r2[e] * c3[e];
            s30 += r3[e] * c0[e], s31 += r3[e] * c1[e], s32 += r3[e] * c2[e], s33 += r3[e] * c3[e];
        }
        const std::array<float, tile * tile> part{s00, s01, s02, s03, s10, s11, s12, s13,
                                                  s20, s21, s22, s23, s30, s31, s32, s33};
        for (std::size_t p = 0; p < part.size(); ++p) sums[p] += static_cast<double>(part[p]);
    }
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
