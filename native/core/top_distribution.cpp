#include "top_distribution.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace lorp {

void TopDistributions::append(std::span<const float> logits, double log_sum_exp) {
    std::vector<std::int32_t> order(logits.size());
    std::iota(order.begin(), order.end(), 0);
    const auto more_probable = [&](std::int32_t a, std::int32_t b) {
        const float x = logits[static_cast<std::size_t>(a)];
        const float y = logits[static_cast<std::size_t>(b)];
        return x > y || (x == y && a < b);
    };
    const auto end = order.begin() + static_cast<std::ptrdiff_t>(width);
    std::nth_element(order.begin(), end - 1, order.end(), more_probable);
    std::sort(order.begin(), end, more_probable);
    for (auto token = order.begin(); token != end; ++token) {
        tokens.push_back(*token);
        log_prob.push_back(
            static_cast<float>(static_cast<double>(logits[static_cast<std::size_t>(*token)]) - log_sum_exp));
    }
}

Divergence TopDistributions::compare(std::size_t row, std::span<const float> logits, double log_sum_exp) const {
    const auto ids = std::span(tokens).subspan(row * width, width);
    const auto base = std::span(log_prob).subspan(row * width, width);
    // What rounding may leave of a rest that is nothing.
    constexpr double least = 1e-9;
    double kl = 0;
    double base_rest = 1;
    double rest = 1;
    for (std::size_t i = 0; i < width; ++i) {
        const double log_p = static_cast<double>(base[i]);
        const double log_q = static_cast<double>(logits[static_cast<std::size_t>(ids[i])]) - log_sum_exp;
        const double p = std::exp(log_p);
        kl += p * (log_p - log_q);
        base_rest -= p;
        rest -= std::exp(log_q);
    }
    if (base_rest > least) kl += base_rest * std::log(base_rest / std::max(rest, least));
    const auto top = std::max_element(logits.begin(), logits.end()) - logits.begin();
    return {kl, top == ids.front()};
}

}  // namespace lorp
