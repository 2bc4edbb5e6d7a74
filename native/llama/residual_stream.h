#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "block_states.h"

namespace lorp {

/** A node of the graph that holds the whole residual stream. */
struct StreamPoint {
    enum class Kind {
        /** The block's input, cut to the tokens whose logits are wanted (llama.cpp's last block). */
        rows,
        /** After the attention has been added; blocks that add attention and feed-forward at once have none. */
        middle,
        /** The block's output. */
        output,
    };
    Kind kind;
    std::int32_t block;
    /**
     * Of an output: whether the block only ever added to the stream, as often as its layout says, so that it is the
     * input + what the attention wrote + what the feed-forward wrote.
     */
    bool sum = false;
};

/**
 * Follows the residual stream through a graph by its additions, not by names, which differ between architectures: what
 * is added to the last known point of the stream is the next one. Starts at the output of block 0.
 */
class StreamFinder {
public:
    explicit StreamFinder(const BlockLayout& layout) : layout_(layout) {}

    /** To be called once a node in graph order. */
    std::optional<StreamPoint> find(const ggml_tensor& node);

private:
    bool is_stream(const ggml_tensor* source) const;
    bool adds_to_stream(const ggml_tensor& node) const;

    const BlockLayout& layout_;
    const ggml_tensor* stream_ = nullptr;
    std::string copy_name_;
    /** The block that the stream enters or is in, and the additions seen in it. */
    std::int32_t block_ = 0;
    std::int32_t additions_ = 0;
};

/** Reads the stream at the points of some blocks and may change what was added to it there. */
class StreamHook : public EvalHook {
public:
    bool wants(ggml_tensor& node) final;
    bool computed(ggml_tensor& node) final;

protected:
    explicit StreamHook(const BlockLayout& layout) : finder_(layout) {}

    /** Whether this block's points are wanted. */
    virtual bool follows(std::int32_t block) const = 0;
    /**
     * A middle or output of a followed block: the stream before and after the addition, tokens × n_embd.
     * @return what the addition is to be multiplied by
     */
    virtual double factor(const StreamPoint& point, std::span<const float> before, std::span<const float> after) = 0;
    /** Whether the pass goes on after this block. */
    virtual bool goes_on(std::int32_t) const { return true; }

private:
    StreamFinder finder_;
    StreamPoint point_{};
    std::vector<float> stream_;
    std::vector<float> next_;
};

/** What a block's attention and feed-forward outputs are multiplied by. */
struct BlockFactors {
    double attention = 1;
    double feed_forward = 1;

    double at(const StreamPoint& point) const {
        return point.kind == StreamPoint::Kind::middle ? attention : feed_forward;
    }
};

/** Multiplies what blocks add to the stream ("virtual compensation"). In parallel blocks both factors must be equal. */
class ScaleBlocks final : public StreamHook {
public:
    /** @param factors one a block */
    ScaleBlocks(const BlockLayout& layout, std::span<const BlockFactors> factors)
        : StreamHook(layout), factors_(factors) {}

    /** Whether every block to scale was found. */
    bool complete() const;

private:
    bool follows(std::int32_t block) const override;
    double factor(const StreamPoint& point, std::span<const float> before, std::span<const float> after) override;

    std::span<const BlockFactors> factors_;
    std::int32_t scaled_ = 0;
};

/** Skips blocks and changes others on one pass: a skipped block hands on its input as it was changed. */
class SkipAndChange final : public EvalHook {
public:
    SkipAndChange(SkipBlocks& skip, EvalHook& change) : skip_(skip), change_(change) {}

    bool wants(ggml_tensor& node) override {
        // Skipping takes a node's operation away, by which the stream is followed.
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
