#pragma once

#include <array>
#include <cstddef>

namespace lorp {

/** Vectors on each side whose dot products are formed together. */
constexpr std::size_t dot_tile_size = 4;

/** sums[a][b] += rows[a] · columns[b], of n numbers, for all a and b; to 1e-7 relative. */
void dot_tile(const std::array<const float*, dot_tile_size>& rows,
              const std::array<const float*, dot_tile_size>& columns, std::size_t n,
              std::array<double, dot_tile_size * dot_tile_size>& sums);

}  // namespace lorp
