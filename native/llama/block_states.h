#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "control.h"
#include "llama_api.h"

namespace lorp {

/** Where a model's block boundaries are in llama.cpp's compute graph. */
struct BlockLayout {
    /** Number of runs of blocks: a block that runs in several loops is one of them, and counted, in each. */
    std::int32_t n_blocks = 0;
    /** Loops, one after the other, which all run the same blocks. */
    std::int32_t loops = 1;
    std::int32_t n_embd = 0;
    /** Name of the block output tensors without their `-<il>`; `l_out` for most architectures. */
    std::string output_name = "l_out";
    /** Name of the block input tensors without their `-<il>`, where it replaces the output name of the block before. */
    std::string block_input_name;
    /** Name of the tensor that enters block 0, where it is not the last one of its shape before the block's nodes. */
    std::string input_name;
    /** Name of the last block's output, where it is another. */
    std::string last_output_name;
    /** Residual streams, each of n_embd. */
    std::int32_t streams = 1;
    /** Whether a token's streams lie side by side, n_embd × streams × n_tokens; else n_embd × n_tokens × streams. */
    bool streams_inside = false;
    /** Whether the graph's result is embeddings, one a token, that are wanted instead of logits. */
    bool embeds = false;
    /** n_blocks flags: blocks that llama.cpp passes over, so that they have no output tensor. */
    std::vector<bool> empty;

    /** Floats of one token's state. */
    std::int64_t state_size() const { return static_cast<std::int64_t>(n_embd) * streams; }
    /** Blocks of one loop. */
    std::int32_t loop_length() const { return n_blocks / loops; }
    /** Whether this state enters the first block of a loop. */
    bool begins_loop(std::int32_t state) const { return state < n_blocks && state % loop_length() == 0; }
    bool is_empty(std::int32_t block) const {
        return block >= 0 && static_cast<std::size_t>(block) < empty.size() && empty[static_cast<std::size_t>(block)];
    }
};

/** `name-12` → ("name", 12) */
std::optional<std::pair<std::string_view, std::int32_t>> split_index(std::string_view name);
std::size_t element_count(const ggml_tensor& tensor);
/** @throws std::runtime_error naming the tensor */
void require_contiguous(const ggml_tensor& tensor);

/** A state between blocks: it enters this block, and usually is the output of the one before. */
struct State {
    std::int32_t index;
    /** Whether the node is the output of block index−1, and not what is made of it before a loop's first block. */
    bool is_output = true;
};

/**
 * Recognises the tensors that carry the state between blocks while llama.cpp asks about every node of a graph in turn.
 * State 0 enters block 0; state i is the output of block i−1, or what a loop that begins with block i makes of it.
 */
class StateFinder {
public:
    StateFinder(const BlockLayout& layout, std::int64_t n_tokens) : layout_(layout), n_tokens_(n_tokens) {}

    /**
     * The state this node may be, to be called once a node in graph order. What enters a loop has no name of its own:
     * each n_embd × n_tokens tensor before the first node of the loop's first block is reported as that state, and the
     * last one is it. The block begins where a node takes its index as name or a block's weights.
     */
    std::optional<State> find(const ggml_tensor& node);
    /** Whether the last node was one of a block, not one before a loop's first block. */
    bool inside_blocks() const { return inside_blocks_; }

private:
    const BlockLayout& layout_;
    std::int64_t n_tokens_;
    /** The first block of the loop that has begun last, or begins next. */
    std::int32_t loop_start_ = 0;
    bool inside_blocks_ = false;
    /** Whether a node named as one of that block has been seen, and no weight of the model since. */
    bool perhaps_inside_ = false;
};

/** What one pass through the model does at the graph's nodes (ggml_backend_sched_eval_callback). */
class EvalHook {
public:
    virtual ~EvalHook() = default;
    /** Whether llama.cpp shall stop after this node; asked of every node in order, before it is computed. */
    virtual bool wants(ggml_tensor& node) = 0;
    /** A wanted node has been computed. Returning false ends the pass. */
    virtual bool computed(ggml_tensor& node) = 0;
};

/** Two hooks on one pass, the first's work done first; both see a node that either wants only if they want it. */
class ChainedHooks final : public EvalHook {
public:
    ChainedHooks(EvalHook& first, EvalHook& second) : first_(first), second_(second) {}

    bool wants(ggml_tensor& node) override {
        first_wants_ = first_.wants(node);
        second_wants_ = second_.wants(node);
        return first_wants_ || second_wants_;
    }
    bool computed(ggml_tensor& node) override {
        const bool first_goes_on = !first_wants_ || first_.computed(node);
        const bool second_goes_on = !second_wants_ || second_.computed(node);
        return first_goes_on && second_goes_on;
    }

private:
    EvalHook& first_;
    EvalHook& second_;
    bool first_wants_ = false;
    bool second_wants_ = false;
};

/**
 * Copies every block's input, n_blocks × n_tokens × state_size, then ends the pass before the last block is computed.
 * An output must be asked for all the same: some graphs cannot be built without one.
 */
class CaptureStates final : public EvalHook {
public:
    CaptureStates(const BlockLayout& layout, std::int64_t n_tokens, std::span<float> states)
        : layout_(layout), finder_(layout, n_tokens), states_(states) {}

    bool wants(ggml_tensor& node) override;
    bool computed(ggml_tensor& node) override;
    /** Whether every state was seen. */
    bool complete() const { return captured_ == layout_.n_blocks; }

private:
    /** Hands the last state on through an empty block. */
    void repeat_state(std::size_t size);

    const BlockLayout& layout_;
    StateFinder finder_;
    std::span<float> states_;
    std::int32_t found_ = 0;
    std::int32_t captured_ = 0;
};

/** Block inputs of one micro-batch that are kept from pass to pass. */
struct KeptStates {
    /** The state that this pass starts from: what comes before it is not computed. 0: the whole model runs. */
    std::int32_t from = 0;
    /** By state, n_tokens × state_size floats, or empty where none is kept. Read at `from`, written after it. */
    std::vector<std::span<float>> states;
};

/**
 * Makes blocks the identity: overwrites their output with their input ("virtual pruning"). What depends on a skipped
 * block's input is not computed: its operation is none until this object goes, which must be before the next pass.
 */
class SkipBlocks final : public EvalHook {
public:
    /**
     * @param skipped n_blocks flags
     * @param kept where the pass starts from and what it keeps, of models whose blocks take nothing else from earlier
     * ones
     */
    SkipBlocks(const BlockLayout& layout, std::int64_t n_tokens, const std::vector<bool>& skipped,
               const KeptStates& kept = {})
        : layout_(layout), finder_(layout, n_tokens), skipped_(skipped), kept_(kept) {}
    ~SkipBlocks() override;
    SkipBlocks(const SkipBlocks&) = delete;
    SkipBlocks& operator=(const SkipBlocks&) = delete;

    bool wants(ggml_tensor& node) override;
    bool computed(ggml_tensor& node) override;
    /** Whether every block to skip was found. */
    bool complete() const;
    /** Whether the node wanted last is one that `computed` overwrites: a skipped block's output, or where it starts. */
    bool overwrites() const { return (is_output_ && skips(found_ - 1)) || starts(); }

private:
    bool skips(std::int32_t block) const {
        return block >= 0 && static_cast<std::size_t>(block) < skipped_.size() &&
               skipped_[static_cast<std::size_t>(block)];
    }

    /** Whether a block to skip takes this state, perhaps through empty blocks. */
    bool enters_skipped(std::int32_t state) const {
        while (layout_.is_empty(state)) ++state;
        return skips(state);
    }

    const BlockLayout& layout_;
    StateFinder finder_;
    bool starts() const { return found_ > 0 && found_ == kept_.from; }
    bool keeps(std::int32_t state) const {
        return state > kept_.from && static_cast<std::size_t>(state) < kept_.states.size() &&
               !kept_.states[static_cast<std::size_t>(state)].empty();
    }

    /** Whether the node takes what a skipped block computes. */
    bool depends(const ggml_tensor& node) const;

    const std::vector<bool>& skipped_;
    KeptStates kept_;
    std::vector<float> state_;
    /** The state that entered the skipped block, and what has been seen to depend on it. */
    std::unordered_set<const ggml_tensor*> inside_;
    std::vector<std::pair<ggml_tensor*, ggml_op>> idle_;
    /** The state that the node wanted last is, and whether it is a block's output. */
    std::int32_t found_ = 0;
    bool is_output_ = false;
    std::int32_t overwritten_ = 0;
};

/** Skips blocks and changes others on one pass: a skipped block hands on its input as it was changed. */
class SkipAndChange final : public EvalHook {
public:
    SkipAndChange(SkipBlocks& skip, EvalHook& change) : skip_(skip), change_(change) {}

    bool wants(ggml_tensor& node) override {
        // Skipping takes a node's operation away, by which sums are followed.
        change_wants_ = change_.wants(node);
        skip_wants_ = skip_.wants(node);
        return skip_wants_ || change_wants_;
    }
    bool computed(ggml_tensor& node) override {
        if (skip_wants_ && skip_.overwrites()) skip_.computed(node);
        const bool goes_on = !change_wants_ || change_.computed(node);
        if (skip_wants_ && !skip_.overwrites()) skip_.computed(node);
        return goes_on;
    }

private:
    SkipBlocks& skip_;
    EvalHook& change_;
    bool skip_wants_ = false;
    bool change_wants_ = false;
};

}  // namespace lorp
