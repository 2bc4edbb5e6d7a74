#include "symmetric_eigen.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>

#include "vectorize.h"

namespace lorp {
namespace {

/// A = P T P^T with T tridiagonal, by reflections: T's diagonal and the one above it are left in `a`. Returns P.
LORP_VECTORIZE std::vector<double> tridiagonalise(std::vector<double>& a, std::size_t n) {
    std::vector<double> v(n), w(n), betas(n, 0.0);
    for (std::size_t c = 0; c + 2 < n; ++c) {
        const std::size_t first = c + 1;
        double squared = 0.0;
        for (std::size_t i = first; i < n; ++i) {
            v[i] = a[i * n + c];
            squared += v[i] * v[i];
        }
        if (squared == 0.0) continue;
        const double reflected = -std::copysign(std::sqrt(squared), v[first]);
        const double beta = 1.0 / (squared - reflected * v[first]);
        v[first] -= reflected;

        // A <- H A H = A - v w^T - w v^T on the trailing square, with w = beta A v - (beta^2 / 2) (v^T A v) v. A is
        // symmetric: A v is summed by rows, which can be vectorised.
        std::fill(w.begin(), w.end(), 0.0);
        for (std::size_t i = first; i < n; ++i) {
            for (std::size_t j = first; j < n; ++j) w[j] += beta * v[i] * a[i * n + j];
        }
        double vw = 0.0;
        for (std::size_t i = first; i < n; ++i) vw += v[i] * w[i];
        for (std::size_t i = first; i < n; ++i) w[i] -= 0.5 * beta * vw * v[i];
        for (std::size_t i = first; i < n; ++i) {
            for (std::size_t j = first; j < n; ++j) a[i * n + j] -= v[i] * w[j] + w[i] * v[j];
        }
        // What follows leaves this row and column alone: the row takes T's entry, the column keeps v.
        a[c * n + first] = reflected;
        for (std::size_t i = first; i < n; ++i) a[i * n + c] = v[i];
        betas[c] = beta;
    }

    // P = H_0 H_1 ..., from the last on: what H_c meets is still the identity outside its own square.
    std::vector<double> p(n * n, 0.0);
    for (std::size_t i = 0; i < n; ++i) p[i * n + i] = 1.0;
    for (std::size_t c = n; c-- > 0;) {
        if (betas[c] == 0.0) continue;
        std::fill(w.begin(), w.end(), 0.0);
        for (std::size_t i = c + 1; i < n; ++i) {
            v[i] = a[i * n + c];
            for (std::size_t j = c + 1; j < n; ++j) w[j] += v[i] * p[i * n + j];
        }
        for (std::size_t i = c + 1; i < n; ++i) {
            for (std::size_t j = c + 1; j < n; ++j) p[i * n + j] -= betas[c] * v[i] * w[j];
        }
    }
    return p;
}

/// One implicit QR step on the unreduced block lo...hi of the tridiagonal matrix (d, e), followed by the rows of `q`.
LORP_VECTORIZE void qr_step(std::vector<double>& d, std::vector<double>& e, std::vector<double>& q, std::size_t n,
                            std::size_t lo, std::size_t hi) {
    const double delta = (d[hi - 1] - d[hi]) / 2.0;
    const double last = e[hi - 1];
    const double shift = d[hi] - last * last / (delta + std::copysign(std::hypot(delta, last), delta));
    double x = d[lo] - shift;
    double bulge = e[lo];
    for (std::size_t i = lo; i < hi; ++i) {
        const double r = std::hypot(x, bulge);
        const double c = r == 0.0 ? 1.0 : x / r;
        const double s = r == 0.0 ? 0.0 : bulge / r;
        if (i > lo) e[i - 1] = r;
        const double upper = d[i], lower = d[i + 1], beside = e[i];
        d[i] = c * c * upper + 2.0 * c * s * beside + s * s * lower;
        d[i + 1] = s * s * upper - 2.0 * c * s * beside + c * c * lower;
        e[i] = c * s * (lower - upper) + (c * c - s * s) * beside;
        if (i + 1 < hi) {
            x = e[i];
            bulge = s * e[i + 1];
            e[i + 1] *= c;
        }
        for (std::size_t j = 0; j < n; ++j) {
            const double a = q[i * n + j], b = q[(i + 1) * n + j];
            q[i * n + j] = c * a + s * b;
            q[(i + 1) * n + j] = c * b - s * a;
        }
    }
}

}  // namespace

SymmetricEigen symmetric_eigen(std::vector<double> matrix, std::size_t n) {
    if (n == 0 || matrix.size() != n * n) throw std::invalid_argument("symmetric_eigen needs an n*n matrix");
    const std::vector<double> p = tridiagonalise(matrix, n);
    std::vector<double> d(n), e(n - 1), q(n * n);
    for (std::size_t i = 0; i < n; ++i) d[i] = matrix[i * n + i];
    for (std::size_t i = 0; i + 1 < n; ++i) e[i] = matrix[i * n + i + 1];
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) q[j * n + i] = p[i * n + j];
    }

    const auto negligible = [&](std::size_t i) {
        return std::abs(e[i]) <= std::numeric_limits<double>::epsilon() * (std::abs(d[i]) + std::abs(d[i + 1]));
    };
    // Two or three steps an eigenvalue are usual; the bound only stops an endless loop.
    std::size_t steps_left = 60 * n;
    for (std::size_t hi = n - 1; hi > 0;) {
        if (negligible(hi - 1)) {
            --hi;
            continue;
        }
        std::size_t lo = hi - 1;
        while (lo > 0 && !negligible(lo - 1)) --lo;
        if (steps_left-- == 0) throw std::runtime_error("the eigenvalue iteration did not converge");
        qr_step(d, e, q, n, lo, hi);
    }

    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return d[a] < d[b]; });
    SymmetricEigen result{std::vector<double>(n), std::vector<double>(n * n)};
    for (std::size_t i = 0; i < n; ++i) {
        result.values[i] = d[order[i]];
        std::copy_n(q.begin() + static_cast<std::ptrdiff_t>(order[i] * n), n,
                    result.vectors.begin() + static_cast<std::ptrdiff_t>(i * n));
    }
    return result;
}

}  // namespace lorp
