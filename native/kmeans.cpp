#include "kmeans.h"

#include <algorithm>
#include <limits>
#include <random>
#include <stdexcept>

namespace lorp {
namespace {

/// Lloyd's algorithm settles within tens of rounds; the bound only stops rounding from cycling.
constexpr int kMaxRounds = 300;

class KMeans {
 public:
  KMeans(std::span<const double> points, std::size_t n, std::size_t dimensions, std::size_t k, std::uint64_t seed)
      : points_(points), n_(n), dimensions_(dimensions), k_(k), random_(seed), centres_(k * dimensions), sizes_(k) {}

  KMeansResult run() {
    start();
    std::vector<std::size_t> labels = assign();
    for (int round = 0; round < kMaxRounds; ++round) {
      average(labels);
      std::vector<std::size_t> next = assign();
      if (next == labels) break;
      labels = std::move(next);
    }
    average(labels);
    double inertia = 0.0;
    for (std::size_t i = 0; i < n_; ++i) inertia += distance(i, labels[i]);
    return {std::move(labels), inertia};
  }

 private:
  /// Uniform in [0, 1) with 53 random bits.
  double draw() { return static_cast<double>(random_() >> 11) * 0x1.0p-53; }

  /// Squared distance of a point to a centre.
  double distance(std::size_t point, std::size_t centre) const {
    double sum = 0.0;
    for (std::size_t d = 0; d < dimensions_; ++d) {
      const double difference = points_[point * dimensions_ + d] - centres_[centre * dimensions_ + d];
      sum += difference * difference;
    }
    return sum;
  }

  /// The first point is uniform, each next one is drawn in proportion to its squared distance to the nearest chosen.
  void start() {
    std::vector<double> nearest(n_, 1.0);
    for (std::size_t c = 0; c < k_; ++c) {
      double total = 0.0;
      for (const double value : nearest) total += value;
      double left = draw() * total;
      std::size_t chosen = 0;
      // When fewer than k points differ, every distance is 0 and the choice no longer matters.
      while (chosen + 1 < n_ && left >= nearest[chosen]) left -= nearest[chosen++];
      std::copy_n(points_.begin() + static_cast<std::ptrdiff_t>(chosen * dimensions_), dimensions_,
                  centres_.begin() + static_cast<std::ptrdiff_t>(c * dimensions_));
      for (std::size_t i = 0; i < n_; ++i) {
        nearest[i] = c == 0 ? distance(i, c) : std::min(nearest[i], distance(i, c));
      }
    }
  }

  /// Gives each point to its nearest centre, then each empty cluster the point farthest from its own centre.
  std::vector<std::size_t> assign() {
    std::vector<std::size_t> labels(n_);
    std::vector<double> distances(n_);
    std::fill(sizes_.begin(), sizes_.end(), std::size_t{0});
    for (std::size_t i = 0; i < n_; ++i) {
      distances[i] = std::numeric_limits<double>::infinity();
      for (std::size_t c = 0; c < k_; ++c) {
        const double candidate = distance(i, c);
        if (candidate < distances[i]) {
          distances[i] = candidate;
          labels[i] = c;
        }
      }
      ++sizes_[labels[i]];
    }
    for (std::size_t c = 0; c < k_; ++c) {
      if (sizes_[c] > 0) continue;
      std::size_t farthest = n_;
      for (std::size_t i = 0; i < n_; ++i) {
        if (sizes_[labels[i]] > 1 && (farthest == n_ || distances[i] > distances[farthest])) farthest = i;
      }
      --sizes_[labels[farthest]];
      labels[farthest] = c;
      distances[farthest] = 0.0;
      sizes_[c] = 1;
    }
    return labels;
  }

  /// Moves each centre to the mean of its points; `sizes_` are those of `labels`.
  void average(const std::vector<std::size_t>& labels) {
    std::fill(centres_.begin(), centres_.end(), 0.0);
    for (std::size_t i = 0; i < n_; ++i) {
      for (std::size_t d = 0; d < dimensions_; ++d) {
        centres_[labels[i] * dimensions_ + d] += points_[i * dimensions_ + d];
      }
    }
    for (std::size_t c = 0; c < k_; ++c) {
      for (std::size_t d = 0; d < dimensions_; ++d) centres_[c * dimensions_ + d] /= static_cast<double>(sizes_[c]);
    }
  }

  std::span<const double> points_;
  std::size_t n_, dimensions_, k_;
  std::mt19937_64 random_;
  std::vector<double> centres_;
  std::vector<std::size_t> sizes_;
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
