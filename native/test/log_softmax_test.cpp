// log-sum-exp and Kullback-Leibler divergence against the definitions, written out in long double.

#include "log_softmax.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <span>
#include <vector>

namespace {

int failures = 0;

void check_near(double value, long double expected, double tolerance, const char* what, std::size_t n, float scale) {
    if (std::abs(static_cast<long double>(value) - expected) <= tolerance) return;
    std::printf("FAILED: %s of %zu logits at scale %g: %.12g, not %.12Lg\n", what, n, static_cast<double>(scale), value,
                expected);
    ++failures;
}

void check(bool condition, const char* what) {
    if (condition) return;
    std::printf("FAILED: %s\n", what);
    ++failures;
}

long double exact_log_sum_exp(std::span<const float> logits) {
    const long double top = *std::max_element(logits.begin(), logits.end());
    long double sum = 0;
    for (const float x : logits) sum += std::exp(static_cast<long double>(x) - top);
    return top + std::log(sum);
}

long double exact_kl(std::span<const float> base, std::span<const float> other) {
    const long double base_norm = exact_log_sum_exp(base), other_norm = exact_log_sum_exp(other);
    long double sum = 0;
    for (std::size_t i = 0; i < base.size(); ++i) {
        const long double log_p = base[i] - base_norm, log_q = other[i] - other_norm;
        sum += std::exp(log_p) * (log_p - log_q);
    }
    return sum;
}

std::vector<float> normal_logits(std::size_t n, float scale, std::mt19937& random) {
    std::normal_distribution<float> normal(0, scale);
    std::vector<float> logits(n);
    for (float& x : logits) x = normal(random);
    return logits;
}

}  // namespace

int main() {
    std::mt19937 random(2);
    for (const std::size_t n : {1, 2, 5, 15, 16, 17, 255, 256, 257, 4096, 32003}) {
        for (const float scale : {0.0F, 0.01F, 1.0F, 10.0F, 60.0F}) {
            const std::vector<float> base = normal_logits(n, scale, random);
            std::vector<float> other = base;
            for (float& x : other) x += std::normal_distribution<float>(0, 0.3F)(random);
            const double base_norm = lorp::log_sum_exp(base), other_norm = lorp::log_sum_exp(other);
            check_near(base_norm, exact_log_sum_exp(base), 2e-6, "log-sum-exp", n, scale);
            const lorp::Divergence divergence = lorp::compare_distributions(base, base_norm, other, other_norm);
            // The logits' own rounding is what remains: up to 4e-6 for logits around 60.
            check_near(divergence.kl, exact_kl(base, other), 2e-5, "divergence", n, scale);
            const lorp::Divergence itself = lorp::compare_distributions(base, base_norm, base, base_norm);
            check_near(itself.kl, 0, 1e-6, "divergence from itself", n, scale);
            check(itself.same_top, "the token on top is that of the same logits");
        }
    }

    const std::vector<float> far{1000.0F, -1000.0F, 999.0F};
    check_near(lorp::log_sum_exp(far), 1000 + std::log1p(std::exp(-1.0L)), 1e-5, "log-sum-exp far from 0", far.size(),
               1000);
    const std::vector<float> a{0.0F, 2.0F, 1.0F}, b{0.0F, 1.0F, 2.0F}, tie{0.0F, 2.0F, 2.0F};
    const auto same_top = [](const std::vector<float>& x, const std::vector<float>& y) {
        return lorp::compare_distributions(x, lorp::log_sum_exp(x), y, lorp::log_sum_exp(y)).same_top;
    };
    check(!same_top(a, b), "different tokens on top");
    check(same_top(a, tie), "of equals the first is on top");

    if (failures == 0) std::printf("log_softmax: all comparisons passed\n");
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
