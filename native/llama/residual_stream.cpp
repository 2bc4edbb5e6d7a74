#include "residual_stream.h"

#include <algorithm>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace lorp {

std::optional<StreamPoint> StreamFinder::find(const ggml_tensor& node) {
    if (node.type != GGML_TYPE_F32 || node.ne[0] != layout_.n_embd) return std::nullopt;
    std::optional<StreamPoint> point;
    const auto indexed = split_index(node.name);
    if (indexed && indexed->first == layout_.output_name) {
        const bool sum = adds_to_stream(node) && additions_ == (layout_.parallel ? 0 : 1);
        point = StreamPoint{StreamPoint::Kind::output, indexed->second, sum};
        block_ = indexed->second + 1;
        additions_ = 0;
    } else if (node.op == GGML_OP_GET_ROWS && is_stream(node.src[0])) {
        point = StreamPoint{StreamPoint::Kind::rows, block_};
    } else if (!layout_.parallel && adds_to_stream(node)) {
        point = StreamPoint{StreamPoint::Kind::middle, block_};
        ++additions_;
    }
    if (point) {
        stream_ = &node;
        copy_name_ = std::string("#") + node.name + "#";
    }
    return point;
}

/** Where the next node runs on another device, the scheduler gives it a copy named `device#name#number`. */
bool StreamFinder::is_stream(const ggml_tensor* source) const {
    return source != nullptr && stream_ != nullptr &&
           (source == stream_ || std::string_view(source->name).find(copy_name_) != std::string_view::npos);
}

bool StreamFinder::adds_to_stream(const ggml_tensor& node) const {
    if (node.op != GGML_OP_ADD) return false;
    if (is_stream(node.src[0]) || is_stream(node.src[1])) return true;
    if (!layout_.parallel) return false;
    // Attention and feed-forward may be added to the stream one after the other.
    const auto adds = [this](const ggml_tensor* source) {
        return source->op == GGML_OP_ADD && (is_stream(source->src[0]) || is_stream(source->src[1]));
    };
    return adds(node.src[0]) || adds(node.src[1]);
}

bool StreamHook::wants(ggml_tensor& node) {
    const auto point = finder_.find(node);
    if (!point) return false;
    point_ = *point;
    // A block's output is also the next block's input.
    return follows(point_.block) || (point_.kind == StreamPoint::Kind::output && follows(point_.block + 1));
}

bool StreamHook::computed(ggml_tensor& node) {
    require_contiguous(node);
    next_.resize(element_count(node));
    const std::size_t bytes = llama().ggml_nbytes(&node);
    llama().ggml_backend_tensor_get(&node, next_.data(), 0, bytes);
    if (point_.kind != StreamPoint::Kind::rows && follows(point_.block)) {
        if (point_.kind == StreamPoint::Kind::output && !point_.sum) {
            throw std::runtime_error("block " + std::to_string(point_.block) +
                                     " does not add its attention and then its feed-forward to its input");
        }
        if (next_.size() != stream_.size()) {
            throw std::runtime_error(std::string("the stream tensor ") + node.name +
                                     " has another size than the one before it");
        }
        const auto by = static_cast<float>(factor(point_, stream_, next_));
        if (by != 1.0F) {
            for (std::size_t i = 0; i < next_.size(); ++i) next_[i] = stream_[i] + by * (next_[i] - stream_[i]);
            llama().ggml_backend_tensor_set(&node, next_.data(), 0, bytes);
        }
    }
    std::swap(stream_, next_);
    return point_.kind != StreamPoint::Kind::output || goes_on(point_.block);
}

namespace {

bool changes(const BlockFactors& factors) { return factors.attention != 1 || factors.feed_forward != 1; }

}  // namespace

bool ScaleBlocks::follows(std::int32_t block) const {
    return block >= 0 && static_cast<std::size_t>(block) < factors_.size() &&
           changes(factors_[static_cast<std::size_t>(block)]);
}

double ScaleBlocks::factor(const StreamPoint& point, std::span<const float>, std::span<const float>) {
    if (point.kind == StreamPoint::Kind::output) ++scaled_;
    return factors_[static_cast<std::size_t>(point.block)].at(point);
}

bool ScaleBlocks::complete() const { return scaled_ == std::count_if(factors_.begin(), factors_.end(), changes); }

}  // namespace lorp
