#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lorp {

struct KMeansResult {
    /// The cluster of each point, 0...k-1; no cluster is empty.
    std::vector<std::size_t> labels;
    /// Sum of the squared distances of the points to their cluster's mean.
    double inertia;
};

/// Lloyd's algorithm from k-means++ starts (Arthur & Vassilvitskii 2007), the best of `restarts` by inertia.
/// Draws come from mt19937_64 by arithmetic of our own, so a seed means the same on every platform.
///
/// @param points n*dimensions, row-major, finite
/// @param k 1...n
/// @throws std::invalid_argument for a wrong size, k or number of restarts
KMeansResult kmeans(std::span<const double> points, std::size_t n, std::size_t dimensions, std::size_t k,
                    std::size_t restarts, std::uint64_t seed);

}  // namespace lorp
