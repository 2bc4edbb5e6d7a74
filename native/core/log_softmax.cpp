#include "log_softmax.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

#include "vectorize.h"

namespace lorp {
namespace {

/** Terms summed in single precision before they go into a double. */
constexpr std::size_t chunk = 256;

/**
 * exp(x) for x ≤ 0 without a call or a branch, so that a loop over it vectorises: 2^n · e^r with |r| ≤ ln2/2 and e^r
 * by its Taylor series to degree 7 (relative error below 2e-7). Below −87 the result is below 1e-38 and taken as e^-87.
 */
inline float exp_nonpositive(float x) {
    constexpr float log2e = 1.44269504F;
    constexpr float ln2_high = 0.693145752F;
    constexpr float ln2_low = 1.42860677e-6F;
    x = x < -87.0F ? -87.0F : x;
    // x ≤ 0, so truncation towards zero of (x·log2e − ½) rounds to nearest.
    const auto n = static_cast<std::int32_t>(x * log2e - 0.5F);
    const float whole = static_cast<float>(n);
    const float r = (x - whole * ln2_high) - whole * ln2_low;
    const float series =
        1 + r * (1 + r * (1.0F / 2 +
                          r * (1.0F / 6 + r * (1.0F / 24 + r * (1.0F / 120 + r * (1.0F / 720 + r * (1.0F / 5040)))))));
    return series * std::bit_cast<float>((n + 127) << 23);
}

LORP_VECTORIZE float maximum(const float* x, std::size_t n) {
    float top = x[0];
    for (std::size_t i = 1; i < n; ++i) top = x[i] > top ? x[i] : top;
    return top;
}

LORP_VECTORIZE double sum_exp(const float* x, std::size_t n, float top) {
    double sum = 0;
    for (std::size_t from = 0; from < n; from += chunk) {
        const std::size_t to = std::min(n, from + chunk);
        float part = 0;
        for (std::size_t i = from; i < to; ++i) part += exp_nonpositive(x[i] - top);
        sum += static_cast<double>(part);
    }
    return sum;
}

LORP_VECTORIZE double sum_kl(const float* base, float base_shift, const float* other, float other_shift,
                             std::size_t n) {
    double sum = 0;
    for (std::size_t from = 0; from < n; from += chunk) {
        const std::size_t to = std::min(n, from + chunk);
        float part = 0;
        for (std::size_t i = from; i < to; ++i) {
            const float log_p = base[i] - base_shift;
            const float log_q = other[i] - other_shift;
            part += exp_nonpositive(log_p < 0 ? log_p : 0) * (log_p - log_q);
        }
        sum += static_cast<double>(part);
    }
    return sum;
}

}  // namespace

double log_sum_exp(std::span<const float> logits) {
    const float top = maximum(logits.data(), logits.size());
    return static_cast<double>(top) + std::log(sum_exp(logits.data(), logits.size(), top));
}

Divergence compare_distributions(std::span<const float> base_logits, double base_log_sum_exp,
                                 std::span<const float> logits, double log_sum_exp) {
    const double kl = sum_kl(base_logits.data(), static_cast<float>(base_log_sum_exp), logits.data(),
                             static_cast<float>(log_sum_exp), logits.size());
    const auto top = [](std::span<const float> x) { return std::max_element(x.begin(), x.end()) - x.begin(); };
    return {kl, top(base_logits) == top(logits)};
}

}  // namespace lorp
