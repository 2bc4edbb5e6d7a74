#include "block_states.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <string_view>

namespace lorp {

std::optional<std::pair<std::string_view, std::int32_t>> split_index(std::string_view name) {
    const std::size_t dash = name.rfind('-');
    if (dash == std::string_view::npos) return std::nullopt;
    const std::string_view digits = name.substr(dash + 1);
    std::int32_t index = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return std::pair(name.substr(0, dash), index);
}

std::size_t element_count(const ggml_tensor& tensor) {
    return static_cast<std::size_t>(tensor.ne[0] * tensor.ne[1] * tensor.ne[2] * tensor.ne[3]);
}

void require_contiguous(const ggml_tensor& tensor) {
    if (!llama().ggml_is_contiguous(&tensor)) {
        throw std::runtime_error(std::string("the state tensor ") + tensor.name + " is not contiguous");
    }
}

namespace {

/** Reads a tensor of rows, which may be a view into wider rows (embeddings beside image features), without the gaps. */
void read_rows(const ggml_tensor& tensor, float* to) {
    if (llama().ggml_is_contiguous(&tensor)) {
        llama().ggml_backend_tensor_get(&tensor, to, 0, llama().ggml_nbytes(&tensor));
        return;
    }
    const std::int64_t width = tensor.ne[0];
    for (std::int64_t i2 = 0; i2 < tensor.ne[2]; ++i2) {
        for (std::int64_t i1 = 0; i1 < tensor.ne[1]; ++i1) {
            const std::size_t offset =
                static_cast<std::size_t>(i1) * tensor.nb[1] + static_cast<std::size_t>(i2) * tensor.nb[2];
            llama().ggml_backend_tensor_get(&tensor, to + (i2 * tensor.ne[1] + i1) * width, offset,
                                            static_cast<std::size_t>(width) * sizeof(float));
        }
    }
}

/** n_embd × n_tokens × streams → n_embd × streams × n_tokens */
std::vector<float> streams_inside(std::span<const float> outside, std::int64_t n_embd, std::int64_t streams) {
    const auto n_tokens = static_cast<std::int64_t>(outside.size()) / (n_embd * streams);
    std::vector<float> inside(outside.size());
    for (std::int64_t stream = 0; stream < streams; ++stream) {
        for (std::int64_t token = 0; token < n_tokens; ++token) {
            std::copy_n(outside.data() + (stream * n_tokens + token) * n_embd, n_embd,
                        inside.data() + (token * streams + stream) * n_embd);
        }
    }
    return inside;
}

enum class Weight { none, of_block, of_model };

bool is_computed(const ggml_tensor* tensor) { return tensor != nullptr && tensor->op != GGML_OP_NONE; }

/** Whose weight something computed meets in a node. Copies for other devices are named `device#name#number`. */
Weight weight_of(const ggml_tensor& node) {
    if (std::ranges::none_of(node.src, is_computed)) return Weight::none;
    for (const ggml_tensor* source : node.src) {
        if (source == nullptr || is_computed(source)) continue;
        const std::string_view name = source->name;
        if (name.starts_with("blk.") || name.find("#blk.") != std::string_view::npos) return Weight::of_block;
        if (name.find(".weight") != std::string_view::npos || name.find(".bias") != std::string_view::npos)
            return Weight::of_model;
    }
    return Weight::none;
}

}  // namespace

std::optional<State> StateFinder::find(const ggml_tensor& node) {
    const auto indexed = split_index(node.name);
    if (!inside_blocks_) {
        // A norm of the embeddings may be named as one of block 0 until the model's own weight follows.
        const Weight weight = weight_of(node);
        inside_blocks_ = weight == Weight::of_block;
        perhaps_inside_ =
            weight != Weight::of_model && (perhaps_inside_ || (indexed && indexed->second == loop_start_));
    }
    const bool is_state = node.type == GGML_TYPE_F32 && node.ne[0] == layout_.n_embd && node.ne[3] == 1 &&
                          element_count(node) % static_cast<std::size_t>(layout_.state_size()) == 0;
    if (!is_state) return std::nullopt;
    const std::string_view name = node.name;
    if (!layout_.input_name.empty() && name == layout_.input_name) return State{0};
    if (!layout_.last_output_name.empty() && name == layout_.last_output_name) return State{layout_.n_blocks};
    if (indexed && indexed->first == layout_.output_name) {
        const std::int32_t state = indexed->second + 1;
        if (layout_.begins_loop(state)) {
            loop_start_ = state;
            inside_blocks_ = perhaps_inside_ = false;
        }
        return State{state};
    }
    if (indexed && indexed->first == layout_.block_input_name) return State{indexed->second};
    if (layout_.input_name.empty() && !inside_blocks_ && !perhaps_inside_ && node.ne[1] == n_tokens_ && node.ne[2] == 1)
        return State{loop_start_, false};
    return std::nullopt;
}

bool CaptureStates::wants(ggml_tensor& node) {
    // After the last state: stop at the first node of what another backend would still compute.
    if (complete()) return true;
    const auto state = finder_.find(node);
    if (!state || state->index >= layout_.n_blocks) return false;
    found_ = state->index;
    return true;
}

bool CaptureStates::computed(ggml_tensor& node) {
    if (complete()) return false;
    const std::size_t size = states_.size() / static_cast<std::size_t>(layout_.n_blocks);
    if (element_count(node) != size)
        throw std::runtime_error(std::string("the state tensor ") + node.name + " has another size than the input");
    while (found_ > captured_ && layout_.is_empty(captured_ - 1)) repeat_state(size);
    if (found_ > captured_) {
        throw std::runtime_error("the output of block " + std::to_string(captured_ - 1) +
                                 " was not found in the graph");
    }
    const std::span<float> state = states_.subspan(static_cast<std::size_t>(found_) * size, size);
    read_rows(node, state.data());
    if (layout_.streams > 1 && !layout_.streams_inside) {
        std::ranges::copy(streams_inside(state, layout_.n_embd, layout_.streams), state.begin());
    }
    captured_ = found_ + 1;
    while (!complete() && layout_.is_empty(captured_ - 1)) repeat_state(size);
    return !complete();
}

void CaptureStates::repeat_state(std::size_t size) {
    float* const next = states_.data() + static_cast<std::size_t>(captured_) * size;
    std::copy(next - size, next, next);
    ++captured_;
}

SkipBlocks::~SkipBlocks() {
    // llama.cpp may use the graph again.
    for (const auto& [node, op] : idle_) node->op = op;
}

bool SkipBlocks::depends(const ggml_tensor& node) const {
    return inside_.contains(node.view_src) ||
           std::ranges::any_of(node.src, [this](const ggml_tensor* source) { return inside_.contains(source); });
}

bool SkipBlocks::wants(ggml_tensor& node) {
    const auto state = finder_.find(node);
    if (depends(node)) {
        inside_.insert(&node);
        if (finder_.inside_blocks()) idle_.emplace_back(&node, std::exchange(node.op, GGML_OP_NONE));
    }
    if (!state) return false;
    found_ = state->index;
    is_output_ = state->is_output;
    const bool before_start = found_ < kept_.from;
    if (before_start || enters_skipped(found_))
        inside_.insert(&node);
    else
        inside_.clear();
    return !before_start && (enters_skipped(found_) || overwrites() || keeps(found_));
}

bool SkipBlocks::computed(ggml_tensor& node) {
    if (overwrites()) {
        if (starts()) {
            const std::span<const float> known = kept_.states[static_cast<std::size_t>(found_)];
            state_.assign(known.begin(), known.end());
        }
        require_contiguous(node);
        const std::size_t bytes = llama().ggml_nbytes(&node);
        if (bytes != state_.size() * sizeof(float)) {
            throw std::runtime_error(std::string("the state tensor ") + node.name +
                                     " has another size than the block's input");
        }
        llama().ggml_backend_tensor_set(&node, state_.data(), 0, bytes);
        if (!starts()) ++overwritten_;
    } else {
        state_.resize(element_count(node));
        read_rows(node, state_.data());
    }
    if (keeps(found_)) {
        const std::span<float> kept = kept_.states[static_cast<std::size_t>(found_)];
        if (kept.size() != state_.size())
            throw std::runtime_error(std::string("the state tensor ") + node.name + " has another size than expected");
        std::ranges::copy(state_, kept.begin());
    }
    return true;
}

bool SkipBlocks::complete() const {
    std::int32_t expected = 0;
    for (std::int32_t block = kept_.from; block < layout_.n_blocks; ++block)
        expected += skips(block) && !layout_.is_empty(block);
    return overwritten_ == expected;
}

}  // namespace lorp
