#include "repair.h"

#include <algorithm>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "linear_map.h"

namespace lorp {
namespace {

/** Whether a tensor is the named one, or the copy of it on another device, `device#name#number`. */
bool is_named(const ggml_tensor& tensor, const std::string& name) {
    return tensor.name == name || std::string_view(tensor.name).find("#" + name + "#") != std::string_view::npos;
}

bool takes(const ggml_tensor& node, const ggml_tensor* source) {
    return std::ranges::any_of(node.src, [source](const ggml_tensor* own) { return own == source; });
}

void read(const ggml_tensor& tensor, std::vector<float>& to) {
    require_contiguous(tensor);
    to.resize(element_count(tensor));
    llama().ggml_backend_tensor_get(&tensor, to.data(), 0, llama().ggml_nbytes(&tensor));
}

std::vector<OutputPoint> points_of(std::span<const Repair> repairs) {
    std::vector<OutputPoint> points;
    for (const Repair& repair : repairs) points.push_back(repair.point);
    return points;
}

}  // namespace

OutputHook::OutputHook(const BlockLayout& layout, std::vector<OutputPoint> points) : finder_(layout, 0) {
    for (OutputPoint& point : points) {
        // An empty block hands on the output of the one before.
        while (layout.is_empty(point.block)) --point.block;
        points_.push_back({std::move(point), nullptr, {}});
    }
}

bool OutputHook::wants(ggml_tensor& node) {
    const auto state = finder_.find(node);
    for (std::size_t index = 0; index < points_.size(); ++index) {
        Followed& followed = points_[index];
        const bool is_output = state && state->is_output && state->index == followed.point.block + 1;
        const bool is_sum = followed.term != nullptr && node.op == GGML_OP_ADD && takes(node, followed.term);
        if (!followed.point.weight.empty() && node.op == GGML_OP_MUL_MAT &&
            is_named(*node.src[0], followed.point.weight)) {
            followed.term = &node;
            wants_output_ = false;
        } else if (is_output) {
            if (!followed.point.weight.empty() && !is_sum && followed.term != &node) {
                throw std::runtime_error("the output of block " + std::to_string(followed.point.block) +
                                         " is no sum with the product of " + followed.point.weight + " as a term");
            }
            wants_output_ = true;
        } else {
            if (is_sum) followed.term = &node;
            continue;
        }
        wanted_ = index;
        return true;
    }
    return false;
}

bool OutputHook::computed(ggml_tensor& node) {
    Followed& followed = points_[wanted_];
    if (!wants_output_) {
        read(*node.src[1], followed.input);
        return true;
    }
    read(node, output_);
    if (at(wanted_, output_, followed.input)) {
        llama().ggml_backend_tensor_set(&node, output_.data(), 0, llama().ggml_nbytes(&node));
    }
    ++seen_;
    return goes_on() || !complete();
}

CaptureOutputs::CaptureOutputs(const BlockLayout& layout, std::vector<OutputPoint> points)
    : OutputHook(layout, points), outputs_(points.size()), inputs_(points.size()) {}

bool CaptureOutputs::at(std::size_t index, std::span<float> output, std::span<const float> input) {
    outputs_[index].assign(output.begin(), output.end());
    inputs_[index].assign(input.begin(), input.end());
    return false;
}

ApplyRepairs::ApplyRepairs(const BlockLayout& layout, std::span<const Repair> repairs, std::size_t n_threads)
    : OutputHook(layout, points_of(repairs)),
      repairs_(repairs),
      n_embd_(static_cast<std::size_t>(layout.n_embd)),
      n_threads_(n_threads) {}

bool ApplyRepairs::at(std::size_t index, std::span<float> output, std::span<const float> input) {
    const Repair& repair = repairs_[index];
    std::span<const float> features = input;
    if (repair.point.weight.empty()) {
        normalized_.resize(output.size());
        rms_normalize(output, n_embd_, repair.epsilon, normalized_);
        features = normalized_;
    }
    const std::size_t n_inputs = repair.map.size() / n_embd_;
    if (features.size() / n_inputs != output.size() / n_embd_) {
        throw std::runtime_error("a repair's map has another width than the input of " + repair.point.weight);
    }
    add_mapped(repair.map, features, n_inputs, output, n_embd_, n_threads_);
    return true;
}

}  // namespace lorp
