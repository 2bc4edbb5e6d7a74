#include "random_token.h"

#include <algorithm>
#include <cmath>

namespace lorp {

std::size_t likeliest(std::span<const float> logits) {
    return static_cast<std::size_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

RandomToken::RandomToken(std::uint32_t seed, std::size_t stream) {
    std::seed_seq sequence{seed, static_cast<std::uint32_t>(stream)};
    random_.seed(sequence);
}

std::size_t RandomToken::draw(std::span<const float> logits, double log_sum_exp) {
    // Of the standard's distributions each library has its own; 53 bits are a double's.
    double left = std::ldexp(static_cast<double>(random_() >> 11), -53);
    for (std::size_t i = 0; i < logits.size(); ++i) {
        left -= std::exp(static_cast<double>(logits[i]) - log_sum_exp);
        if (left < 0) return i;
    }
    // Rounding may leave a little.
    return likeliest(logits);
}

}  // namespace lorp
