#include "dot_tile.h"

#include <algorithm>

#include "vectorize.h"

namespace lorp {
namespace {

/** Floats summed in single precision before they go into a double: short enough to keep 1e-7 relative. */
constexpr std::size_t chunk = 1024;

}  // namespace

LORP_VECTORIZE void dot_tile(const std::array<const float*, dot_tile_size>& rows,
                             const std::array<const float*, dot_tile_size>& columns, std::size_t n,
                             std::array<double, dot_tile_size * dot_tile_size>& sums) {
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
        const std::array<float, dot_tile_size * dot_tile_size> part{s00, s01, s02, s03, s10, s11, s12, s13,
                                                                    s20, s21, s22, s23, s30, s31, s32, s33};
        for (std::size_t p = 0; p < part.size(); ++p) sums[p] += static_cast<double>(part[p]);
    }
}

}  // namespace lorp
