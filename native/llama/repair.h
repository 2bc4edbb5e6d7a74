#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "block_states.h"

namespace lorp {

/** A block whose output is wanted, and perhaps the input of one of its matrix products. */
struct OutputPoint {
    std::int32_t block;
    /**
     * Name of the weight whose product is wanted; empty: none. The block's output must be a sum of which that product
     * is one term, so that what a changed weight adds to the product it adds to the output.
     */
    std::string weight;
};

/** Reads the outputs of some blocks as they are computed, n_tokens × n_embd, and may change them. */
class OutputHook : public EvalHook {
public:
    bool wants(ggml_tensor& node) final;
    bool computed(ggml_tensor& node) final;
    /** Whether every output was seen. */
    bool complete() const { return seen_ == points_.size(); }

protected:
    OutputHook(const BlockLayout& layout, std::vector<OutputPoint> points);

    /**
     * @param index of the point
     * @param input of the point's product, n_tokens × its length
     * @return whether `output` has been changed
     */
    virtual bool at(std::size_t index, std::span<float> output, std::span<const float> input) = 0;
    /** Whether the pass goes on when every output was seen. */
    virtual bool goes_on() const { return true; }

private:
    struct Followed {
        OutputPoint point;
        /** The product, or the sum it has become a term of. */
        const ggml_tensor* term = nullptr;
        std::vector<float> input;
    };

    StateFinder finder_;
    std::vector<Followed> points_;
    std::size_t seen_ = 0;
    /** What the node wanted last is: the product or the output of a point. */
    std::size_t wanted_ = 0;
    bool wants_output_ = false;
    std::vector<float> output_;
};

/** Keeps outputs and inputs, and ends the pass when it has all. */
class CaptureOutputs final : public OutputHook {
public:
    CaptureOutputs(const BlockLayout& layout, std::vector<OutputPoint> points);

    std::span<const float> output(std::size_t index) const { return outputs_[index]; }
    std::span<const float> input(std::size_t index) const { return inputs_[index]; }

private:
    bool at(std::size_t index, std::span<float> output, std::span<const float> input) override;
    bool goes_on() const override { return false; }

    std::vector<std::vector<float>> outputs_;
    std::vector<std::vector<float>> inputs_;
};

/** A linear map that adds to a block's output what removed blocks did. */
struct Repair {
    /** What the map is applied to: the input of its product, or without one the output divided by its RMS. */
    OutputPoint point;
    /** Of the RMS. */
    double epsilon;
    /** n_embd × length of the input */
    std::vector<float> map;
};

/** Adds repairs to the outputs of blocks ("virtual repair"). */
class ApplyRepairs final : public OutputHook {
public:
    ApplyRepairs(const BlockLayout& layout, std::span<const Repair> repairs, std::size_t n_threads);

private:
    bool at(std::size_t index, std::span<float> output, std::span<const float> input) override;

    std::span<const Repair> repairs_;
    std::size_t n_embd_;
    std::size_t n_threads_;
    std::vector<float> normalized_;
};

}  // namespace lorp
