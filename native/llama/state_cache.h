#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "block_states.h"

namespace lorp {

/**
 * The block inputs of the sequence scored last, so that scoring it again with other blocks skipped starts at the first
 * block that differs.
 */
class StateCache {
public:
    /** @param bytes to keep states in; every so many are kept where they are not all that fit */
    StateCache(const BlockLayout& layout, std::size_t bytes) : layout_(layout), bytes_(bytes) {}

    /** The state that a pass over these tokens can start from. Nothing is recalled again until `keep` is called. */
    std::int32_t recall(std::span<const llama_token> tokens, const std::vector<bool>& skipped);

    /** Where the states of a micro-batch are, tokens from … from+count−1 of a pass that begins with state `start`. */
    KeptStates micro_batch(std::int32_t start, std::size_t from, std::size_t count);

    /** Says that the pass over these tokens, without these blocks, has come to its end. */
    void keep(std::span<const llama_token> tokens, const std::vector<bool>& skipped);

private:
    const BlockLayout layout_;
    const std::size_t bytes_;
    std::vector<llama_token> tokens_;
    std::vector<bool> skipped_;
    /** By state, n_tokens × state_size, or empty. */
    std::vector<std::vector<float>> states_;
};

}  // namespace lorp
