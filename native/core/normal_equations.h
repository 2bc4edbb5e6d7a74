#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "control.h"

namespace lorp {

/**
 * The sums of a least-squares problem with many targets, min over M of Σ ‖target − M·feature‖² over rows, and its
 * solution. Everything is in double precision.
 *
 * Features and targets stand below each other in one lower-trapezoidal matrix, whose upper part is Σ feature·featureᵀ
 * and whose lower part Σ target·featureᵀ. It is stored by columns of 64, each by panels of 8 rows, 64 × 8 numbers with
 * the 8 rows of a column side by side: so the one inner product that sums and solution need reads and writes in order.
 */
class NormalEquations {
public:
    NormalEquations(std::size_t n_features, std::size_t n_targets);

    /** Bytes that the sums take; `solve` takes as many again. */
    static std::size_t bytes(std::size_t n_features, std::size_t n_targets);

    std::size_t n_features() const { return n_features_; }
    std::size_t n_targets() const { return n_targets_; }
    /** Rows added so far. */
    std::size_t n_rows() const { return n_rows_; }

    /**
     * @param features n_rows × n_features
     * @param targets  n_rows × n_targets
     * @throws std::domain_error for a number that is not finite, and std::runtime_error for sizes that do not fit;
     * nothing is added then
     */
    void add(std::span<const float> features, std::span<const float> targets, std::size_t n_threads);

    /**
     * M, n_targets × n_features, that minimises the sum + λ ‖M‖², by Cholesky factorisation.
     * @param ridge λ relative to the mean of Σ feature²; > 0
     * @throws std::runtime_error when the matrix is singular all the same; Stopped
     */
    std::vector<float> solve(double ridge, std::size_t n_threads, const Control& control) const;

    /** Mean of each feature's square. */
    std::vector<float> mean_squares() const;

private:
    using Columns = std::vector<std::vector<double>>;

    double diagonal(std::size_t feature) const;
    /** The lower-triangular factor in the upper part, and Y = targets·L⁻ᵀ below it. */
    Columns factor(double ridge, std::size_t n_threads, const Control& control) const;

    std::size_t n_features_;
    std::size_t n_targets_;
    std::size_t n_rows_ = 0;
    /** Number of columns of 64, and of panels of 8 rows. */
    std::size_t n_columns_;
    std::size_t n_panels_;
    Columns sums_;
};

}  // namespace lorp
