#pragma once

#include <cstddef>
#include <span>

namespace lorp {

/**
 * Adds the cosine similarities of one micro-batch's hidden states to the running sums.
 *
 * @param states n_layers × n_tokens × n_embd floats, layer-major; each vector is scaled to unit length in place
 * @param sums   n_layers × n_layers, row-major; only the part above the diagonal is touched. Divided by the number of
 *               tokens it is S_ij of docs/lorp.md. A zero vector has cosine 0 with everything.
 */
void accumulate_cosines(std::span<float> states, std::size_t n_layers, std::size_t n_tokens, std::size_t n_embd,
                        std::span<double> sums);

}  // namespace lorp
