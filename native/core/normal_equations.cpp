#include "normal_equations.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

#include "parallel.h"
#include "vectorize.h"

namespace lorp {
namespace {

/** Rows of a panel. */
constexpr std::size_t rows = 8;
/** Features of a column. */
constexpr std::size_t width = 64;
constexpr std::size_t panels_per_column = width / rows;
constexpr std::size_t panel_size = width * rows;
/** Rows of the problem that are packed at once. */
constexpr std::size_t chunk = 128;

using Tile = std::array<double, rows * rows>;

/**
 * tile[c][r] += Σ_k columns[k][c] · rows[k][r]; both have 8 numbers for each k. Four columns at a time, in arrays of
 * their own, which the compiler then keeps in registers.
 */
LORP_VECTORIZE void add_products(Tile& tile, const double* of_rows, const double* of_columns, std::size_t n) {
    for (std::size_t half = 0; half < rows; half += rows / 2) {
        double s0[rows] = {}, s1[rows] = {}, s2[rows] = {}, s3[rows] = {};
        for (std::size_t k = 0; k < n; ++k) {
            const double* const row = of_rows + k * rows;
            const double* const column = of_columns + k * rows + half;
            for (std::size_t r = 0; r < rows; ++r) {
                s0[r] += column[0] * row[r], s1[r] += column[1] * row[r];
                s2[r] += column[2] * row[r], s3[r] += column[3] * row[r];
            }
        }
        double* const sums = tile.data() + half * rows;
        for (std::size_t r = 0; r < rows; ++r) {
            sums[r] += s0[r], sums[rows + r] += s1[r], sums[2 * rows + r] += s2[r], sums[3 * rows + r] += s3[r];
        }
    }
}

void add_to(double* stored, const Tile& tile, double sign) {
    for (std::size_t i = 0; i < tile.size(); ++i) stored[i] += sign * tile[i];
}

std::size_t divided_up(std::size_t count, std::size_t by) { return (count + by - 1) / by; }

/** Where a panel of rows begins in a column's storage, which starts at the diagonal. */
std::size_t panel_at(std::size_t panel, std::size_t column) {
    return (panel - column * panels_per_column) * panel_size;
}

/** 8 columns of `values` (n × width of a row), of which some may lie beyond its edge, as n × 8. */
void pack(std::span<const float> values, std::size_t row_length, std::size_t from, std::size_t n, std::size_t panel,
          double* packed) {
    for (std::size_t k = 0; k < n; ++k) {
        for (std::size_t r = 0; r < rows; ++r) {
            const std::size_t index = panel * rows + r;
            packed[k * rows + r] =
                index < row_length ? static_cast<double>(values[(from + k) * row_length + index]) : 0.0;
        }
    }
}

/** x[c] = (x[c] − Σ_{k<c} x[k] · l(c, k)) / l(c, c) for 8 rows at once. */
template <typename Lower>
void solve_forward(double* x, const Lower& lower) {
    for (std::size_t c = 0; c < width; ++c) {
        double* const result = x + c * rows;
        for (std::size_t k = 0; k < c; ++k) {
            const double by = lower(c, k);
            for (std::size_t r = 0; r < rows; ++r) result[r] -= by * x[k * rows + r];
        }
        const double by = 1 / lower(c, c);
        for (std::size_t r = 0; r < rows; ++r) result[r] *= by;
    }
}

/** x[c] = (x[c] − Σ_{k>c} x[k] · l(k, c)) / l(c, c) for 8 rows at once. */
template <typename Lower>
void solve_backward(double* x, const Lower& lower) {
    for (std::size_t c = width; c-- > 0;) {
        double* const result = x + c * rows;
        for (std::size_t k = c + 1; k < width; ++k) {
            const double by = lower(k, c);
            for (std::size_t r = 0; r < rows; ++r) result[r] -= by * x[k * rows + r];
        }
        const double by = 1 / lower(c, c);
        for (std::size_t r = 0; r < rows; ++r) result[r] *= by;
    }
}

/** Element (row, column) of the square at the top of a column's storage. */
struct Corner {
    const double* stored;
    double operator()(std::size_t row, std::size_t column) const {
        return stored[row / rows * panel_size + column * rows + row % rows];
    }
};

/** Factorises the square at the top of a column in place. */
void factor_corner(double* stored) {
    const auto at = [stored](std::size_t row, std::size_t column) -> double& {
        return stored[row / rows * panel_size + column * rows + row % rows];
    };
    for (std::size_t c = 0; c < width; ++c) {
        double pivot = at(c, c);
        for (std::size_t k = 0; k < c; ++k) pivot -= at(c, k) * at(c, k);
        if (!(pivot > 0)) throw std::runtime_error("the features' sums are singular");
        at(c, c) = std::sqrt(pivot);
        for (std::size_t r = c + 1; r < width; ++r) {
            double value = at(r, c);
            for (std::size_t k = 0; k < c; ++k) value -= at(r, k) * at(c, k);
            at(r, c) = value / at(c, c);
        }
    }
}

bool all_finite(std::span<const float> values) {
    return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
}

}  // namespace

NormalEquations::NormalEquations(std::size_t n_features, std::size_t n_targets)
    : n_features_(n_features),
      n_targets_(n_targets),
      n_columns_(divided_up(n_features, width)),
      n_panels_(n_columns_ * panels_per_column + divided_up(n_targets, rows)),
      sums_(n_columns_) {
    for (std::size_t column = 0; column < n_columns_; ++column) sums_[column].resize(panel_at(n_panels_, column));
}

std::size_t NormalEquations::bytes(std::size_t n_features, std::size_t n_targets) {
    const std::size_t columns = divided_up(n_features, width);
    const std::size_t panels = columns * panels_per_column + divided_up(n_targets, rows);
    std::size_t total = 0;
    for (std::size_t column = 0; column < columns; ++column) total += panel_at(panels, column) * sizeof(double);
    return total;
}

void NormalEquations::add(std::span<const float> features, std::span<const float> targets, std::size_t n_threads) {
    if (!all_finite(features) || !all_finite(targets)) {
        throw std::domain_error("the model's hidden states hold numbers that are not finite");
    }
    const std::size_t n = targets.size() / n_targets_;
    if (features.size() != n * n_features_) throw std::runtime_error("features and targets differ in their rows");
    const std::size_t feature_panels = n_columns_ * panels_per_column;
    std::vector<double> packed(n_panels_ * chunk * rows);
    for (std::size_t from = 0; from < n; from += chunk) {
        const std::size_t count = std::min(chunk, n - from);
        const auto panel = [&](std::size_t index) { return packed.data() + index * chunk * rows; };
        parallel_for(n_panels_, n_threads, [&](std::size_t index) {
            if (index < feature_panels)
                pack(features, n_features_, from, count, index, panel(index));
            else
                pack(targets, n_targets_, from, count, index - feature_panels, panel(index));
        });
        parallel_for(n_panels_, n_threads, [&](std::size_t index) {
            const std::size_t columns = std::min(n_columns_, index / panels_per_column + 1);
            for (std::size_t column = 0; column < columns; ++column) {
                double* const stored = sums_[column].data() + panel_at(index, column);
                for (std::size_t part = 0; part < panels_per_column; ++part) {
                    Tile tile{};
                    add_products(tile, panel(index), panel(column * panels_per_column + part), count);
                    add_to(stored + part * tile.size(), tile, 1);
                }
            }
        });
    }
    n_rows_ += n;
}

double NormalEquations::diagonal(std::size_t feature) const {
    return Corner{sums_[feature / width].data()}(feature % width, feature % width);
}

std::vector<float> NormalEquations::mean_squares() const {
    std::vector<float> means(n_features_);
    for (std::size_t feature = 0; feature < n_features_; ++feature) {
        means[feature] = static_cast<float>(diagonal(feature) / static_cast<double>(std::max<std::size_t>(1, n_rows_)));
    }
    return means;
}

NormalEquations::Columns NormalEquations::factor(double ridge, std::size_t n_threads, const Control& control) const {
    Columns lower = sums_;
    double mean = 0;
    for (std::size_t feature = 0; feature < n_features_; ++feature) mean += diagonal(feature);
    mean /= static_cast<double>(n_features_);
    if (!(mean > 0)) throw std::runtime_error("the features' sums are singular");
    for (std::size_t feature = 0; feature < n_columns_ * width; ++feature) {
        const std::size_t within = feature % width;
        // Beyond the features stand zeros, which must not make the matrix singular.
        lower[feature / width][within / rows * panel_size + within * rows + within % rows] +=
            feature < n_features_ ? ridge * mean : mean;
    }
    for (std::size_t column = 0; column < n_columns_; ++column) {
        if (control.stop_requested()) throw Stopped{};
        const std::size_t first = column * panels_per_column;
        double* const stored = lower[column].data();
        parallel_for(n_panels_ - first, n_threads, [&](std::size_t index) {
            for (std::size_t part = 0; part < panels_per_column; ++part) {
                Tile tile{};
                for (std::size_t before = 0; before < column; ++before) {
                    const double* const left = lower[before].data();
                    add_products(tile, left + panel_at(first + index, before), left + panel_at(first + part, before),
                                 width);
                }
                add_to(stored + index * panel_size + part * tile.size(), tile, -1);
            }
        });
        factor_corner(stored);
        parallel_for(n_panels_ - first - panels_per_column, n_threads, [&](std::size_t index) {
            solve_forward(stored + (panels_per_column + index) * panel_size, Corner{stored});
        });
    }
    return lower;
}

std::vector<float> NormalEquations::solve(double ridge, std::size_t n_threads, const Control& control) const {
    Columns lower = factor(ridge, n_threads, control);
    const std::size_t feature_panels = n_columns_ * panels_per_column;
    const std::size_t target_panels = n_panels_ - feature_panels;
    std::vector<double> turned(n_columns_ * panel_size * panels_per_column);
    for (std::size_t column = n_columns_; column-- > 0;) {
        if (control.stop_requested()) throw Stopped{};
        const double* const stored = lower[column].data();
        // The factor's rows below the corner, with 8 columns of a row side by side.
        parallel_for(n_columns_ - column - 1, n_threads, [&](std::size_t below) {
            for (std::size_t part = 0; part < panels_per_column; ++part) {
                for (std::size_t row = 0; row < width; ++row) {
                    for (std::size_t c = 0; c < rows; ++c) {
                        const Corner square{stored + (below + 1) * panels_per_column * panel_size};
                        turned[(below * panels_per_column + part) * panel_size + row * rows + c] =
                            square(row, part * rows + c);
                    }
                }
            }
        });
        parallel_for(target_panels, n_threads, [&](std::size_t index) {
            double* const solved = lower[column].data() + panel_at(feature_panels + index, column);
            for (std::size_t part = 0; part < panels_per_column; ++part) {
                Tile tile{};
                for (std::size_t other = column + 1; other < n_columns_; ++other) {
                    const std::size_t below = other - column - 1;
                    add_products(tile, lower[other].data() + panel_at(feature_panels + index, other),
                                 turned.data() + (below * panels_per_column + part) * panel_size, width);
                }
                add_to(solved + part * tile.size(), tile, -1);
            }
            solve_backward(solved, Corner{stored});
        });
    }
    std::vector<float> map(n_targets_ * n_features_);
    for (std::size_t target = 0; target < n_targets_; ++target) {
        for (std::size_t feature = 0; feature < n_features_; ++feature) {
            const std::size_t column = feature / width;
            const std::size_t at = panel_at(feature_panels + target / rows, column) + feature % width * rows;
            map[target * n_features_ + feature] = static_cast<float>(lower[column][at + target % rows]);
        }
    }
    return map;
}

}  // namespace lorp
