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

std::optional<std::int32_t> StateFinder::find(const ggml_tensor& node) {
    const bool is_state =
        node.type == GGML_TYPE_F32 && node.ne[0] == layout_.n_embd && element_count(node) % static_cast<std::size_t>(layout_.n_embd) == 0;
    const auto indexed = split_index(node.name);
    if (indexed && indexed->second == 0) inside_blocks_ = true;
    if (!is_state) return std::nullopt;
    if (indexed && indexed->first == layout_.output_name) return indexed->second + 1;
    if (!inside_blocks_ && node.ne[1] == n_tokens_ && node.ne[2] == 1 && node.ne[3] == 1) return 0;
    return std::nullopt;
}

bool CaptureStates::wants(const ggml_tensor& node) {
    // After the last state: stop at the first node of what another backend would still compute.
    if (complete()) return true;
    const auto state = finder_.find(node);
    if (!state || *state >= layout_.n_blocks) return false;
    found_ = *state;
    return true;
}

bool CaptureStates::computed(ggml_tensor& node) {
    if (complete()) return false;
    require_contiguous(node);
    const std::size_t size = states_.size() / static_cast<std::size_t>(layout_.n_blocks);
    if (element_count(node) != size) throw std::runtime_error(std::string("the state tensor ") + node.name + " has another size than the input");
    if (found_ > captured_) {
        throw std::runtime_error("the output of block " + std::to_string(captured_ - 1) + " was not found in the graph");
    }
    llama().ggml_backend_tensor_get(&node, states_.data() + static_cast<std::size_t>(found_) * size, 0, size * sizeof(float));
    captured_ = found_ + 1;
    return !complete();
}

bool SkipBlocks::wants(const ggml_tensor& node) {
    const auto state = finder_.find(node);
    if (!state) return false;
    found_ = *state;
    return skips(found_) || skips(found_ - 1);
}

bool SkipBlocks::computed(ggml_tensor& node) {
    require_contiguous(node);
    const std::size_t bytes = llama().ggml_nbytes(&node);
    if (skips(found_ - 1)) {
        if (bytes != state_.size() * sizeof(float)) {
            throw std::runtime_error(std::string("the state tensor ") + node.name + " has another size than the block's input");
        }
        llama().ggml_backend_tensor_set(&node, state_.data(), 0, bytes);
        ++overwritten_;
    } else {
        state_.resize(element_count(node));
        llama().ggml_backend_tensor_get(&node, state_.data(), 0, bytes);
    }
    return true;
}

bool SkipBlocks::complete() const {
    return overwritten_ == std::count(skipped_.begin(), skipped_.end(), true);
}

}  // namespace lorp
