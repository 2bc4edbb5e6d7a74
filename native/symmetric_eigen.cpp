#include "symmetric_eigen.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>

namespace lorp {
namespace {

/// Turns `a` into tridiagonal form T by reflections, A = Q^T T Q with the rows of `q` (given as the identity).
void tridiagonalise(std::vector<double>& a, std::vector<double>& q, std::size_t n) {
  std::vector<double> v(n), w(n);
  for (std::size_t c = 0; c + 2 < n; ++c) {
    const std::size_t first = c + 1;
    double norm = 0.0;
    for (std::size_t i = first; i < n; ++i) {
      v[i] = a[i * n + c];
      norm = std::hypot(norm, v[i]);
    }
    if (norm == 0.0) continue;
    const double reflected = -std::copysign(norm, v[first]);
    v[first] -= reflected;
    double squared = 0.0;
    for (std::size_t i = first; i < n; ++i) squared += v[i] * v[i];
    const double beta = 2.0 / squared;

    // A <- H A H = A - v w^T - w v^T on the trailing square, with w = beta A v - (beta^2 / 2) (v^T A v) v.
    double vw = 0.0;
    for (std::size_t i = first; i < n; ++i) {
      double sum = 0.0;
      for (std::size_t j = first; j < n; ++j) sum += a[i * n + j] * v[j];
      w[i] = beta * sum;
      vw += v[i] * w[i];
    }
    for (std::size_t i = first; i < n; ++i) w[i] -= 0.5 * beta * vw * v[i];
    for (std::size_t i = first; i < n; ++i) {
      for (std::size_t j = first; j < n; ++j) a[i * n + j] -= v[i] * w[j] + w[i] * v[j];
    }
    a[first * n + c] = reflected;

    // Q <- H Q.
    std::fill(w.begin(), w.end(), 0.0);
    for (std::size_t i = first; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) w[j] += v[i] * q[i * n + j];
    }
    for (std::size_t i = first; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) q[i * n + j] -= beta * v[i] * w[j];
    }
  }
}

/// One implicit QR step on the unreduced block lo...hi of the tridiagonal matrix (d, e), followed by the rows of `q`.
void qr_step(std::vector<double>& d, std::vector<double>& e, std::vector<double>& q, std::size_t n, std::size_t lo,
             std::size_t hi) {
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
  std::vector<double> q(n * n, 0.0);
  for (std::size_t i = 0; i < n; ++i) q[i * n + i] = 1.0;
  tridiagonalise(matrix, q, n);

  std::vector<double> d(n), e(n - 1);
  for (std::size_t i = 0; i < n; ++i) d[i] = matrix[i * n + i];
  for (std::size_t i = 0; i + 1 < n; ++i) e[i] = matrix[(i + 1) * n + i];

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
