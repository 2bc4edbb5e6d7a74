#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lorp {

/// Spectral clustering of layers by their similarity (arXiv 2605.27786; the relaxation of Shi & Malik 2000).
///
/// The affinity (S + 1) / 2 gives the symmetric normalised Laplacian; its k smallest eigenvectors, the trivial one
/// included, rescaled by D^-1/2, are the layers' coordinates, which k-means++ with restarts divides. The same
/// arguments give the same labels; every cluster has at least one member.
///
/// @param similarity n*n cosines, row-major, symmetric (the lower triangle is what is read)
/// @param k number of clusters, 1...n
/// @param seed of the k-means restarts
/// @return n labels 0...k-1, numbered by the first layer that bears them
/// @throws std::invalid_argument for a wrong size or k, or an entry that is not a cosine
std::vector<std::int32_t> spectral_clusters(std::span<const double> similarity, std::size_t n, std::size_t k,
                                            std::uint64_t seed);

}  // namespace lorp
