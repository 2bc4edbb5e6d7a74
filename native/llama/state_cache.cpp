#include "state_cache.h"

#include <algorithm>

namespace lorp {

std::int32_t StateCache::recall(std::span<const llama_token> tokens, const std::vector<bool>& skipped) {
    const auto n_blocks = static_cast<std::size_t>(layout_.n_blocks);
    std::size_t start = 0;
    if (std::ranges::equal(tokens_, tokens)) {
        const auto [mine, other] = std::ranges::mismatch(skipped, skipped_);
        start = std::min(static_cast<std::size_t>(mine - skipped.begin()), n_blocks - 1);
        while (start > 0 && states_[start].empty()) --start;
    } else {
        const std::size_t floats = tokens.size() * static_cast<std::size_t>(layout_.state_size());
        const std::size_t step = n_blocks * floats * sizeof(float) / bytes_ + 1;
        states_.resize(n_blocks);
        for (std::size_t state = 1; state < n_blocks; ++state) {
            const bool has_node = !layout_.is_empty(static_cast<std::int32_t>(state) - 1);
            states_[state].resize(state % step == 0 && has_node ? floats : 0);
        }
    }
    tokens_.clear();
    return static_cast<std::int32_t>(start);
}

KeptStates StateCache::micro_batch(std::int32_t start, std::size_t from, std::size_t count) {
    const auto size = static_cast<std::size_t>(layout_.state_size());
    KeptStates kept{start, {}};
    for (std::vector<float>& state : states_) {
        kept.states.push_back(state.empty() ? std::span<float>() : std::span(state).subspan(from * size, count * size));
    }
    return kept;
}

void StateCache::keep(std::span<const llama_token> tokens, const std::vector<bool>& skipped) {
    tokens_.assign(tokens.begin(), tokens.end());
    skipped_ = skipped;
}

}  // namespace lorp
