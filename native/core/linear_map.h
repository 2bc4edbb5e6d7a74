#pragma once

#include <cstddef>
#include <span>

namespace lorp {

/**
 * state += map · feature for each token.
 *
 * @param map      n_outputs × n_inputs
 * @param features n_tokens × n_inputs
 * @param states   n_tokens × n_outputs
 */
void add_mapped(std::span<const float> map, std::span<const float> features, std::size_t n_inputs,
                std::span<float> states, std::size_t n_outputs, std::size_t n_threads);

/** RMSNorm without weights: each token's vector divided by the root of its mean square + epsilon. */
void rms_normalize(std::span<const float> states, std::size_t n_embd, double epsilon, std::span<float> normalized);

}  // namespace lorp
