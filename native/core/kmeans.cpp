#include "kmeans.h"

#include <algorithm>
#include <limits>
#include <random>
#include <stdexcept>

#include "vectorize.h"

namespace lorp {
namespace {

/// Lloyd's algorithm settles within tens of rounds; the bound only stops rounding from cycling.
constexpr int max_rounds = 300;

/// Squared distances of n points to a centre. All points' first coordinates come first, then all their second ones …:
/// so the inner loop can be vectorised, and each sum is the same whatever the processor.
LORP_VECTORIZE void squared_distances(const double* coordinates, std::size_t n, const double* centre,
                                      std::size_t dimensions, double* distances) {
    std::fill_n(distances, n, 0.0);
    for (std::size_t d = 0; d < dimensions; ++d) {
        for (std::size_t i = 0; i < n; ++i) {
            const double difference = coordinates[d * n + i] - centre[d];
            distances[i] += difference * difference;
        }
    }
}

/// Gives to `cluster` the points that are nearer to it than to those before.
LORP_VECTORIZE void claim(std::size_t cluster, const double* distances, std::size_t n, double* nearest,
                          std::size_t* labels) {
    for (std::size_t i = 0; i < n; ++i) {
        const bool nearer = distances[i] < nearest[i];
        labels[i] = nearer ? cluster : labels[i];
        nearest[i] = nearer ? distances[i] : nearest[i];
    }
}

class KMeans {
public:
    KMeans(std::span<const double> points, std::size_t n, std::size_t dimensions, std::size_t k, std::uint64_t seed)
        : coordinates_(n * dimensions),
          n_(n),
          dimensions_(dimensions),
          k_(k),
          random_(seed),
          centres_(k * dimensions),
          sizes_(k),
          candidates_(n),
          nearest_(n) {
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t d = 0; d < dimensions; ++d) coordinates_[d * n + i] = points[i * dimensions + d];
        }
    }

    KMeansResult run() {
        start();
        std::vector<std::size_t> labels = assign();
        for (int round = 0; round < max_rounds; ++round) {
            average(labels);
            std::vector<std::size_t> next = assign();
            if (next == labels) break;
            labels = std::move(next);
        }
        average(labels);
        double inertia = 0.0;
        for (std::size_t c = 0; c < k_; ++c) {
            measure(c);
            for (std::size_t i = 0; i < n_; ++i) inertia += labels[i] == c ? candidates_[i] : 0.0;
        }
        return {std::move(labels), inertia};
    }

private:
    /// Uniform in [0, 1) with 53 random bits.
    double draw() { return static_cast<double>(random_() >> 11) * 0x1.0p-53; }

    /// Sets `candidates_` to the points' squared distances to a centre.
    void measure(std::size_t centre) {
        squared_distances(coordinates_.data(), n_, &centres_[centre * dimensions_], dimensions_, candidates_.data());
    }

    /// The first point is uniform, each next one is drawn in proportion to its squared distance to the nearest chosen.
    void start() {
        std::fill(nearest_.begin(), nearest_.end(), 1.0);
        for (std::size_t c = 0; c < k_; ++c) {
            double total = 0.0;
            for (const double value : nearest_) total += value;
            double left = draw() * total;
            std::size_t chosen = 0;
            // When fewer than k points differ, every distance is 0 and the choice no longer matters.
            while (chosen + 1 < n_ && left >= nearest_[chosen]) left -= nearest_[chosen++];
            for (std::size_t d = 0; d < dimensions_; ++d) centres_[c * dimensions_ + d] = coordinates_[d * n_ + chosen];
            measure(c);
            for (std::size_t i = 0; i < n_; ++i)
                nearest_[i] = c == 0 ? candidates_[i] : std::min(nearest_[i], candidates_[i]);
        }
    }

    /// Gives each point to its nearest centre, then each empty cluster the point farthest from its own centre.
    std::vector<std::size_t> assign() {
        std::vector<std::size_t> labels(n_);
        std::fill(nearest_.begin(), nearest_.end(), std::numeric_limits<double>::infinity());
        for (std::size_t c = 0; c < k_; ++c) {
            measure(c);
            claim(c, candidates_.data(), n_, nearest_.data(), labels.data());
        }
        std::fill(sizes_.begin(), sizes_.end(), std::size_t{0});
        for (const std::size_t label : labels) ++sizes_[label];
        for (std::size_t c = 0; c < k_; ++c) {
            if (sizes_[c] > 0) continue;
            std::size_t farthest = n_;
            for (std::size_t i = 0; i < n_; ++i) {
                if (sizes_[labels[i]] > 1 && (farthest == n_ || nearest_[i] > nearest_[farthest])) farthest = i;
            }
            --sizes_[labels[farthest]];
            labels[farthest] = c;
            nearest_[farthest] = 0.0;
            sizes_[c] = 1;
        }
        return labels;
    }

    /// Moves each centre to the mean of its points; `sizes_` are those of `labels`.
    void average(const std::vector<std::size_t>& labels) {
        std::fill(centres_.begin(), centres_.end(), 0.0);
        for (std::size_t i = 0; i < n_; ++i) {
            for (std::size_t d = 0; d < dimensions_; ++d) {
                centres_[labels[i] * dimensions_ + d] += coordinates_[d * n_ + i];
            }
        }
        for (std::size_t c = 0; c < k_; ++c) {
            for (std::size_t d = 0; d < dimensions_; ++d)
                centres_[c * dimensions_ + d] /= static_cast<double>(sizes_[c]);
        }
    }

    /// dimensions × n.
    std::vector<double> coordinates_;
    std::size_t n_, dimensions_, k_;
    std::mt19937_64 random_;
    std::vector<double> centres_;
    std::vector<std::size_t> sizes_;
    /// Squared distances of the points: to the centre measured last, and to the nearest one.
    std::vector<double> candidates_, nearest_;
};

}  // namespace

KMeansResult kmeans(std::span<const double> points, std::size_t n, std::size_t dimensions, std::size_t k,
                    std::size_t restarts, std::uint64_t seed) {
    if (points.size() != n * dimensions) throw std::invalid_argument("kmeans needs n*dimensions coordinates");
    if (k < 1 || k > n) throw std::invalid_argument("kmeans needs 1 <= k <= n");
    if (restarts < 1) throw std::invalid_argument("kmeans needs at least one start");
    KMeans clustering(points, n, dimensions, k, seed);
    KMeansResult best = clustering.run();
    for (std::size_t i = 1; i < restarts; ++i) {
        KMeansResult next = clustering.run();
        if (next.inertia < best.inertia) best = std::move(next);
    }
    return best;
}

}  // namespace lorp
