#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>

namespace lorp {

/** Index of the largest logit. */
std::size_t likeliest(std::span<const float> logits);

/** Draws tokens from the distributions that a model predicts, the same ones on every machine for the same logits. */
class RandomToken {
public:
    /** @param stream tells apart the draws of texts that are generated side by side */
    RandomToken(std::uint32_t seed, std::size_t stream);

    /** @param log_sum_exp of these logits, finite */
    std::size_t draw(std::span<const float> logits, double log_sum_exp);

private:
    std::mt19937_64 random_;
};

}  // namespace lorp
