#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control.h"
#include "llama_api.h"

namespace lorp {

/** Where a model's block boundaries are in llama.cpp's compute graph. */
struct BlockLayout {
    /** Number of blocks that run. */
    std::int32_t n_blocks = 0;
    std::int32_t n_embd = 0;
    /** Name of the block output tensors without their `-<il>`; `l_out` for most architectures. */
    std::string output_name = "l_out";
    /** Whether a block adds its attention and its feed-forward to the same state, instead of one after the other. */
    bool parallel = false;
};

/** `name-12` → ("name", 12) */
std::optional<std::pair<std::string_view, std::int32_t>> split_index(std::string_view name);
std::size_t element_count(const ggml_tensor& tensor);
/** @throws std::runtime_error naming the tensor */
void require_contiguous(const ggml_tensor& tensor);

/**
 * Recognises the tensors that carry the state between blocks while llama.cpp asks about every node of a graph in turn.
 * State 0 enters block 0; state i is the output of block i−1.
 */
class StateFinder {
public:
    StateFinder(const BlockLayout& layout, std::int64_t n_tokens) : layout_(layout), n_tokens_(n_tokens) {}

    /**
     * The state this node may be, to be called once a node in graph order. State 0 has no name of its own: each
     * n_embd × n_tokens tensor before the first node of block 0 is reported as state 0, and the last one is it.
     */
    std::optional<std::int32_t> find(const ggml_tensor& node);

private:
    const BlockLayout& layout_;
    std::int64_t n_tokens_;
    bool inside_blocks_ = false;
};

/** What one pass through the model does at the graph's nodes (ggml_backend_sched_eval_callback). */
class EvalHook {
public:
    virtual ~EvalHook() = default;
    /** Whether llama.cpp shall stop after this node; asked of every node in order. */
    virtual bool wants(const ggml_tensor& node) = 0;
    /** A wanted node has been computed. Returning false ends the pass. */
    virtual bool computed(ggml_tensor& node) = 0;
};

/** Copies every block's input, n_blocks × n_tokens × n_embd, then ends the pass before the last block is computed. */
class CaptureStates final : public EvalHook {
public:
    CaptureStates(const BlockLayout& layout, std::int64_t n_tokens, std::span<float> states)
        : layout_(layout), finder_(layout, n_tokens), states_(states) {}

    bool wants(const ggml_tensor& node) override;
    bool computed(ggml_tensor& node) override;
    /** Whether every state was seen. */
    bool complete() const { return captured_ == layout_.n_blocks; }

private:
    const BlockLayout& layout_;
    StateFinder finder_;
    std::span<float> states_;
    std::int32_t found_ = 0;
    std::int32_t captured_ = 0;
};

/** Makes blocks the identity: overwrites their output with their input ("virtual pruning"). */
class SkipBlocks final : public EvalHook {
public:
    /** @param skipped n_blocks flags */
    SkipBlocks(const BlockLayout& layout, std::int64_t n_tokens, const std::vector<bool>& skipped)
        : finder_(layout, n_tokens), skipped_(skipped) {}

    bool wants(const ggml_tensor& node) override;
    bool computed(ggml_tensor& node) override;
    /** Whether every block to skip was found. */
    bool complete() const;

private:
    bool skips(std::int32_t block) const {
        return block >= 0 && static_cast<std::size_t>(block) < skipped_.size() && skipped_[static_cast<std::size_t>(block)];
    }

    StateFinder finder_;
    const std::vector<bool>& skipped_;
    std::vector<float> state_;
    std::int32_t found_ = 0;
    std::int32_t overwritten_ = 0;
};

}  // namespace lorp
