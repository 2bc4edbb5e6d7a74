#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "log_softmax.h"

namespace lorp {

/**
 * Distributions over a vocabulary, of each the `width` most probable tokens and the rest as one: what a base says of a
 * text, in a hundredth of the memory of its logits. KL against it is a lower bound of KL against the whole distribution
 * (log sum inequality), and falls short by what happens inside the rest.
 */
struct TopDistributions {
    std::size_t width = 0;
    /** rows × width, the most probable first. */
    std::vector<std::int32_t> tokens;
    /** rows × width, natural logarithms. */
    std::vector<float> log_prob;

    std::size_t rows() const { return width == 0 ? 0 : tokens.size() / width; }

    /** Adds the row of these logits. @param log_sum_exp theirs */
    void append(std::span<const float> logits, double log_sum_exp);

    /** KL(row ‖ logits), and whether both put the most probability on the same token. @param log_sum_exp of the logits
     */
    Divergence compare(std::size_t row, std::span<const float> logits, double log_sum_exp) const;
};

}  // namespace lorp
