#pragma once

#include <cstddef>
#include <span>

namespace lorp {

/** log Σ exp(logits), in one pass over the row after its maximum is known; natural logarithm. */
double log_sum_exp(std::span<const float> logits);

/** How two distributions over the same vocabulary differ at one position, as llama-perplexity's KL mode defines it. */
struct Divergence {
    /** KL(base ‖ other) = Σ p_base (log p_base − log p_other), in nats. */
    double kl;
    /** Whether both put the most probability on the same token. */
    bool same_top;
};

Divergence compare_distributions(std::span<const float> base_logits, double base_log_sum_exp,
                                 std::span<const float> logits, double log_sum_exp);

}  // namespace lorp
