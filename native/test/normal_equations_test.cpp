// Ridge regression against PyTorch's and against Gaussian elimination in long double: sizes at and around the storage's
// edges, several additions, several threads, features that depend on each other, and what must be refused.

#include "normal_equations.h"

#include <cmath>
#include <cstdio>
#include <limits>
#include <random>
#include <stdexcept>
#include <utility>
#include <vector>

#include "ridge_fixture.h"

namespace {

int failures = 0;

void check(bool condition, const char* what, std::size_t features, std::size_t targets) {
    if (condition) return;
    std::printf("FAILED: %s with %zu features, %zu targets\n", what, features, targets);
    ++failures;
}

std::vector<float> normals(std::size_t n, std::mt19937& random) {
    std::normal_distribution<float> normal;
    std::vector<float> values(n);
    for (float& value : values) value = normal(random);
    return values;
}

/** (FᵀF + λ mean diag · I) Mᵀ = FᵀT, solved with pivoting. */
std::vector<long double> brute_force(const std::vector<float>& features, const std::vector<float>& targets,
                                     std::size_t n, std::size_t m, double ridge) {
    const std::size_t rows = features.size() / n;
    std::vector<std::vector<long double>> a(n, std::vector<long double>(n + m));
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t k = 0; k < rows; ++k) {
            for (std::size_t j = 0; j < n; ++j)
                a[i][j] += static_cast<long double>(features[k * n + i]) * features[k * n + j];
            for (std::size_t j = 0; j < m; ++j)
                a[i][n + j] += static_cast<long double>(features[k * n + i]) * targets[k * m + j];
        }
    }
    long double mean = 0;
    for (std::size_t i = 0; i < n; ++i) mean += a[i][i] / static_cast<long double>(n);
    for (std::size_t i = 0; i < n; ++i) a[i][i] += ridge * mean;
    for (std::size_t i = 0; i < n; ++i) {
        std::size_t pivot = i;
        for (std::size_t r = i; r < n; ++r)
            if (std::abs(a[r][i]) > std::abs(a[pivot][i])) pivot = r;
        std::swap(a[i], a[pivot]);
        for (std::size_t r = 0; r < n; ++r) {
            if (r == i) continue;
            const long double by = a[r][i] / a[i][i];
            for (std::size_t c = i; c < n + m; ++c) a[r][c] -= by * a[i][c];
        }
    }
    std::vector<long double> map(m * n);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < m; ++j) map[j * n + i] = a[i][n + j] / a[i][i];
    return map;
}

/** ‖a − b‖ / ‖b‖ */
template <typename Number>
long double relative_difference(std::span<const float> a, std::span<const Number> b) {
    long double difference = 0, size = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        difference += (a[i] - b[i]) * (a[i] - b[i]);
        size += b[i] * b[i];
    }
    return std::sqrt(difference / size);
}

void compare_with_pytorch() {
    const lorp::Control control;
    lorp::NormalEquations sums(ridge_fixture::n_features, ridge_fixture::n_targets);
    sums.add(ridge_fixture::features, ridge_fixture::targets, 1);
    for (const auto& [ridge, map] : ridge_fixture::solutions) {
        const std::vector<float> own = sums.solve(ridge, 1, control);
        check(relative_difference<float>(own, map) < 1e-6L, "PyTorch's solution", sums.n_features(), sums.n_targets());
    }
}

void compare(std::size_t n, std::size_t m, std::size_t rows, std::size_t threads, double ridge, bool dependent,
             std::mt19937& random) {
    const lorp::Control control;
    std::vector<float> features = normals(rows * n, random);
    const std::vector<float> targets = normals(rows * m, random);
    if (dependent)
        for (std::size_t k = 0; k < rows; ++k) features[k * n + n - 1] = 2 * features[k * n];
    lorp::NormalEquations sums(n, m);
    const std::size_t first = rows / 3;
    const std::span<const float> f(features), t(targets);
    sums.add(f.first(first * n), t.first(first * m), threads);
    sums.add(f.subspan(first * n), t.subspan(first * m), threads);
    check(sums.n_rows() == rows, "number of rows", n, m);
    const std::vector<float> map = sums.solve(ridge, threads, control);
    const std::vector<long double> expected = brute_force(features, targets, n, m, ridge);
    check(relative_difference<long double>(map, expected) < 1e-6L, "solution", n, m);
    // Solving leaves the sums as they were.
    check(sums.solve(ridge, 1, control) == map, "second solution", n, m);
    double square = 0;
    for (std::size_t k = 0; k < rows; ++k) square += static_cast<double>(features[k * n]) * features[k * n];
    check(std::abs(sums.mean_squares()[0] - square / static_cast<double>(rows)) < 1e-5, "mean squares", n, m);
}

template <typename Error, typename Function>
bool throws(Function function) {
    try {
        function();
    } catch (const Error&) {
        return true;
    }
    return false;
}

}  // namespace

int main() {
    compare_with_pytorch();
    std::mt19937 random(1);
    for (const auto& [n, m] : std::vector<std::pair<std::size_t, std::size_t>>{
             {1, 1}, {7, 3}, {8, 8}, {63, 9}, {64, 1}, {65, 17}, {130, 40}, {192, 5}}) {
        for (const std::size_t threads : {1, 3}) compare(n, m, 2 * n + 5, threads, 1e-3, false, random);
    }
    compare(70, 10, 300, 2, 1e-6, true, random);
    compare(70, 10, 20, 2, 1e-2, false, random);

    lorp::Control control;
    lorp::NormalEquations sums(70, 2);
    check(throws<std::runtime_error>([&] { sums.solve(1e-2, 1, control); }), "singular sums", 70, 2);
    std::vector<float> features(70, 1.0F), targets(2, 1.0F);
    features[69] = std::numeric_limits<float>::quiet_NaN();
    check(throws<std::domain_error>([&] { sums.add(features, targets, 1); }), "NaN", 70, 2);
    check(sums.n_rows() == 0, "nothing added", 70, 2);
    features[69] = 1;
    sums.add(features, targets, 1);
    control.stop();
    check(throws<lorp::Stopped>([&] { sums.solve(1e-2, 1, control); }), "stop", 70, 2);

    if (failures == 0) std::printf("normal equations: all as brute force\n");
    return failures == 0 ? 0 : 1;
}
