// Properties of the spectral clustering and of its two parts, against definitions and brute force.

#include "spectral.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <limits>
#include <random>
#include <set>
#include <stdexcept>

#include "kmeans.h"
#include "symmetric_eigen.h"

namespace {

using Matrix = std::vector<double>;

void require(bool condition, const char* what, int line) {
    if (condition) return;
    std::fprintf(stderr, "spectral_test.cpp:%d: %s\n", line, what);
    std::exit(1);
}
#define REQUIRE(condition) require((condition), #condition, __LINE__)

bool refuses(const std::function<void()>& call) {
    try {
        call();
    } catch (const std::invalid_argument&) {
        return true;
    }
    return false;
}

class Draws {
public:
    explicit Draws(std::uint64_t seed) : random_(seed) {}
    double between(double low, double high) {
        return low + (high - low) * (static_cast<double>(random_() >> 11) * 0x1.0p-53);
    }
    std::size_t below(std::size_t bound) { return static_cast<std::size_t>(random_() % bound); }

private:
    std::mt19937_64 random_;
};

Matrix random_symmetric(Draws& draws, std::size_t n) {
    Matrix matrix(n * n);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j <= i; ++j) matrix[i * n + j] = matrix[j * n + i] = draws.between(-1.0, 1.0);
    }
    return matrix;
}

Matrix uniform_similarity(std::size_t n, double value) {
    Matrix matrix(n * n, value);
    for (std::size_t i = 0; i < n; ++i) matrix[i * n + i] = 1.0;
    return matrix;
}

/// Layers of the same block are alike, others are opposed.
Matrix block_similarity(const std::vector<std::int32_t>& blocks) {
    const std::size_t n = blocks.size();
    Matrix matrix(n * n);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) matrix[i * n + j] = i == j ? 1.0 : blocks[i] == blocks[j] ? 0.9 : -0.95;
    }
    return matrix;
}

void check_eigen(const Matrix& matrix, std::size_t n) {
    const lorp::SymmetricEigen eigen = lorp::symmetric_eigen(matrix, n);
    REQUIRE(std::is_sorted(eigen.values.begin(), eigen.values.end()));
    const double tolerance = 1e-12 * static_cast<double>(n);
    for (std::size_t v = 0; v < n; ++v) {
        const double* vector = &eigen.vectors[v * n];
        for (std::size_t i = 0; i < n; ++i) {
            double product = 0.0;
            for (std::size_t j = 0; j < n; ++j) product += matrix[i * n + j] * vector[j];
            REQUIRE(std::abs(product - eigen.values[v] * vector[i]) < tolerance);
        }
        for (std::size_t u = 0; u <= v; ++u) {
            double product = 0.0;
            for (std::size_t j = 0; j < n; ++j) product += vector[j] * eigen.vectors[u * n + j];
            REQUIRE(std::abs(product - (u == v ? 1.0 : 0.0)) < tolerance);
        }
    }
}

void test_eigen() {
    Draws draws(1);
    for (std::size_t n = 1; n <= 40; ++n) check_eigen(random_symmetric(draws, n), n);
    check_eigen(random_symmetric(draws, 150), 150);
    check_eigen(Matrix(36, 0.0), 6);
    check_eigen(Matrix(36, 1.0), 6);
    check_eigen(uniform_similarity(9, 0.0), 9);
    check_eigen(block_similarity({0, 0, 1, 1, 2, 2, 2}), 7);
    REQUIRE(refuses([] { lorp::symmetric_eigen(Matrix(5), 2); }));
}

double inertia_of(const Matrix& points, std::size_t dimensions, const std::vector<std::size_t>& labels, std::size_t k) {
    double total = 0.0;
    for (std::size_t c = 0; c < k; ++c) {
        const double size = static_cast<double>(std::count(labels.begin(), labels.end(), c));
        for (std::size_t d = 0; d < dimensions; ++d) {
            double sum = 0.0;
            for (std::size_t i = 0; i < labels.size(); ++i) sum += labels[i] == c ? points[i * dimensions + d] : 0.0;
            for (std::size_t i = 0; i < labels.size(); ++i) {
                if (labels[i] == c) total += std::pow(points[i * dimensions + d] - sum / size, 2);
            }
        }
    }
    return total;
}

/// The least inertia of all k^n labellings.
double least_inertia(const Matrix& points, std::size_t n, std::size_t dimensions, std::size_t k) {
    double least = std::numeric_limits<double>::infinity();
    std::vector<std::size_t> labels(n, 0);
    for (;;) {
        least = std::min(least, inertia_of(points, dimensions, labels, k));
        std::size_t i = 0;
        while (i < n && ++labels[i] == k) labels[i++] = 0;
        if (i == n) return least;
    }
}

void test_kmeans() {
    Draws draws(2);
    for (int round = 0; round < 40; ++round) {
        const std::size_t n = 3 + draws.below(5), dimensions = 1 + draws.below(3), k = 1 + draws.below(3);
        Matrix points(n * dimensions);
        for (double& value : points) value = draws.between(-1.0, 1.0);
        const lorp::KMeansResult result = lorp::kmeans(points, n, dimensions, k, 64, draws.below(1000));
        REQUIRE(std::set<std::size_t>(result.labels.begin(), result.labels.end()).size() == k);
        REQUIRE(std::abs(result.inertia - inertia_of(points, dimensions, result.labels, k)) < 1e-12);
        REQUIRE(std::abs(result.inertia - least_inertia(points, n, dimensions, k)) < 1e-12);
    }
    const lorp::KMeansResult same = lorp::kmeans(Matrix(12, 0.5), 6, 2, 4, 3, 0);
    REQUIRE(same.inertia == 0.0);
    REQUIRE(std::set<std::size_t>(same.labels.begin(), same.labels.end()).size() == 4);
    REQUIRE(refuses([] { lorp::kmeans(Matrix(6), 3, 2, 4, 1, 0); }));
    REQUIRE(refuses([] { lorp::kmeans(Matrix(6), 3, 2, 0, 1, 0); }));
    REQUIRE(refuses([] { lorp::kmeans(Matrix(5), 3, 2, 1, 1, 0); }));
    REQUIRE(refuses([] { lorp::kmeans(Matrix(6), 3, 2, 1, 0, 0); }));
}

void check_labels(const std::vector<std::int32_t>& labels, std::size_t n, std::size_t k) {
    REQUIRE(labels.size() == n);
    std::int32_t next = 0;
    for (const std::int32_t label : labels) {
        REQUIRE(label >= 0 && label <= next);
        if (label == next) ++next;
    }
    REQUIRE(static_cast<std::size_t>(next) == k);
}

void test_spectral() {
    const std::vector<std::vector<std::int32_t>> divisions = {
        {0, 0, 0, 1, 1, 1}, {0, 1, 0, 1, 2, 2, 2, 0}, {0, 1, 1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3}};
    for (const auto& blocks : divisions) {
        const auto k = static_cast<std::size_t>(*std::max_element(blocks.begin(), blocks.end()) + 1);
        const Matrix similarity = block_similarity(blocks);
        for (std::uint64_t seed = 0; seed < 20; ++seed) {
            REQUIRE(lorp::spectral_clusters(similarity, blocks.size(), k, seed) == blocks);
        }
    }

    // Layers joined by nothing: the graph falls into its components, an isolated layer is one of them.
    Matrix isolated = block_similarity({0, 0, 1, 2, 2, 2});
    for (double& value : isolated) value = value < 0.0 ? -1.0 : value;
    REQUIRE(lorp::spectral_clusters(isolated, 6, 3, 0) == (std::vector<std::int32_t>{0, 0, 1, 2, 2, 2}));

    Draws draws(3);
    for (std::size_t n = 1; n <= 24; ++n) {
        const Matrix random = random_symmetric(draws, n);
        for (std::size_t k = 1; k <= std::min<std::size_t>(n, 6); ++k) {
            const auto labels = lorp::spectral_clusters(random, n, k, 7);
            check_labels(labels, n, k);
            REQUIRE(labels == lorp::spectral_clusters(random, n, k, 7));
            for (const double value : {1.0, 0.5, 0.0, -1.0}) {
                check_labels(lorp::spectral_clusters(uniform_similarity(n, value), n, k, 7), n, k);
            }
        }
    }

    const Matrix good = uniform_similarity(3, 0.5);
    REQUIRE(refuses([&] { lorp::spectral_clusters(good, 3, 0, 0); }));
    REQUIRE(refuses([&] { lorp::spectral_clusters(good, 3, 4, 0); }));
    REQUIRE(refuses([&] { lorp::spectral_clusters(good, 0, 1, 0); }));
    REQUIRE(refuses([&] { lorp::spectral_clusters(good, 4, 2, 0); }));
    REQUIRE(refuses([] { lorp::spectral_clusters({}, 0, 0, 0); }));
    for (const double wrong : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
                               -std::numeric_limits<double>::infinity(), 1.01, -1.01}) {
        Matrix bad = good;
        bad[5] = wrong;
        REQUIRE(refuses([&] { lorp::spectral_clusters(bad, 3, 2, 0); }));
    }
}

}  // namespace

int main() {
    test_eigen();
    test_kmeans();
    test_spectral();
}
