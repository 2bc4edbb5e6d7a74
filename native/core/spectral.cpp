#include "spectral.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

#include "kmeans.h"
#include "symmetric_eigen.h"

namespace lorp {
namespace {

/// Cosines of float vectors summed in any order stay well within this of [-1, 1].
constexpr double cosine_tolerance = 1e-4;

/// Enough for the best inertia to be found again and again with any seed at the sizes of language models.
constexpr std::size_t n_restarts = 64;

void check(std::span<const double> similarity, std::size_t n, std::size_t k) {
    if (n == 0 || similarity.size() / n != n || similarity.size() % n != 0) {
        throw std::invalid_argument("the similarity matrix must have n*n entries");
    }
    if (k < 1 || k > n) {
        throw std::invalid_argument("the number of clusters must be between 1 and " + std::to_string(n) + ", not " +
                                    std::to_string(k));
    }
    for (std::size_t i = 0; i < similarity.size(); ++i) {
        if (!(std::abs(similarity[i]) <= 1.0 + cosine_tolerance)) {
            throw std::invalid_argument("the similarity of layers " + std::to_string(i / n) + " and " +
                                        std::to_string(i % n) + " is not a cosine: " + std::to_string(similarity[i]));
        }
    }
}

/// Coordinates of the layers, n*k row-major.
std::vector<double> embed(std::span<const double> similarity, std::size_t n, std::size_t k) {
    // A layer's affinity to itself says nothing about its neighbours: the graph has no loops, as is usual.
    std::vector<double> affinity(n * n, 0.0), degree(n, 0.0);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            const double value = std::max(0.0, (similarity[i * n + j] + 1.0) / 2.0);
            affinity[i * n + j] = affinity[j * n + i] = value;
            degree[i] += value;
            degree[j] += value;
        }
    }
    // A layer opposed to all others has degree 0 and an empty row; it is its own component of the graph.
    std::vector<double> root(n);
    for (std::size_t i = 0; i < n; ++i) root[i] = degree[i] > 0.0 ? std::sqrt(degree[i]) : 1.0;

    std::vector<double> laplacian(n * n);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) laplacian[i * n + j] = -affinity[i * n + j] / (root[i] * root[j]);
        laplacian[i * n + i] = degree[i] > 0.0 ? 1.0 : 0.0;
    }

    const SymmetricEigen eigen = symmetric_eigen(std::move(laplacian), n);
    std::vector<double> coordinates(n * k);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t c = 0; c < k; ++c) coordinates[i * k + c] = eigen.vectors[c * n + i] / root[i];
    }
    return coordinates;
}

std::vector<std::int32_t> number_by_first_layer(const std::vector<std::size_t>& labels, std::size_t k) {
    std::vector<std::int32_t> numbers(k, -1), result;
    result.reserve(labels.size());
    std::int32_t next = 0;
    for (const std::size_t label : labels) {
        if (numbers[label] < 0) numbers[label] = next++;
        result.push_back(numbers[label]);
    }
    return result;
}

}  // namespace

std::vector<std::int32_t> spectral_clusters(std::span<const double> similarity, std::size_t n, std::size_t k,
                                            std::uint64_t seed) {
    check(similarity, n, k);
    const std::vector<double> coordinates = embed(similarity, n, k);
    return number_by_first_layer(kmeans(coordinates, n, k, k, n_restarts, seed).labels, k);
}

}  // namespace lorp
