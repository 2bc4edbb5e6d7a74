// KL against distributions cut to their most probable tokens, against the definition in long double.

#include "top_distribution.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <random>
#include <vector>

namespace {

int failures = 0;

void check_near(double value, long double expected, double tolerance, const char* what) {
    if (std::abs(static_cast<long double>(value) - expected) <= tolerance) return;
    std::printf("FAILED: %s: %.12g, not %.12Lg\n", what, value, expected);
    ++failures;
}

std::vector<long double> softmax(const std::vector<float>& logits) {
    const float top = *std::max_element(logits.begin(), logits.end());
    std::vector<long double> p(logits.size());
    std::transform(logits.begin(), logits.end(), p.begin(),
                   [=](float x) { return std::exp(static_cast<long double>(x) - static_cast<long double>(top)); });
    const long double sum = std::accumulate(p.begin(), p.end(), 0.0L);
    for (long double& x : p) x /= sum;
    return p;
}

/** KL of the partition into each of the `width` most probable tokens of `base`, and the rest. */
long double coarse_kl(const std::vector<float>& base, const std::vector<float>& other, std::size_t width) {
    const auto p = softmax(base);
    const auto q = softmax(other);
    std::vector<std::size_t> order(p.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return base[a] > base[b]; });
    long double kl = 0, p_rest = 0, q_rest = 0;
    for (std::size_t i = 0; i < order.size(); ++i) {
        const std::size_t token = order[i];
        if (i < width) {
            kl += p[token] * std::log(p[token] / q[token]);
        } else {
            p_rest += p[token];
            q_rest += q[token];
        }
    }
    return p_rest > 0 ? kl + p_rest * std::log(p_rest / q_rest) : kl;
}

}  // namespace

int main() {
    std::mt19937 random(7);
    for (const std::size_t n : {2U, 3U, 1000U, 50000U}) {
        for (const float scale : {0.0F, 1.0F, 6.0F}) {
            std::normal_distribution<float> normal(0, 1);
            std::vector<std::vector<float>> bases(3), others(3);
            for (std::size_t row = 0; row < 3; ++row) {
                for (std::size_t i = 0; i < n; ++i) {
                    bases[row].push_back(scale * normal(random));
                    others[row].push_back(bases[row].back() + normal(random));
                }
            }
            for (const std::size_t width : {std::size_t{1}, n / 2, n}) {
                lorp::TopDistributions top{width, {}, {}};
                for (const auto& base : bases) top.append(base, lorp::log_sum_exp(base));
                if (top.rows() != 3) ++failures;
                for (std::size_t row = 0; row < 3; ++row) {
                    const auto& other = others[row];
                    const auto [kl, same_top] = top.compare(row, other, lorp::log_sum_exp(other));
                    check_near(kl, coarse_kl(bases[row], other, width), 2e-5, "KL");
                    const auto index = [](const std::vector<float>& x) {
                        return std::max_element(x.begin(), x.end()) - x.begin();
                    };
                    if (same_top != (index(bases[row]) == index(other))) {
                        std::printf("FAILED: same top token of %zu logits at scale %g\n", n,
                                    static_cast<double>(scale));
                        ++failures;
                    }
                }
            }
        }
    }
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
