#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "residual_stream.h"

namespace lorp {

/** Keeps the stream at every middle and output of the blocks from `first` on, and ends the pass after the last. */
class CaptureStream final : public StreamHook {
public:
    CaptureStream(const BlockLayout& layout, std::int32_t first)
        : StreamHook(layout),
          n_blocks_(layout.n_blocks),
          first_(first),
          points_(2 * static_cast<std::size_t>(layout.n_blocks)) {}

    /** tokens × n_embd; empty for a point that was not found. */
    std::span<const float> at(const StreamPoint& point) const { return points_[index(point)]; }

private:
    static std::size_t index(const StreamPoint& point) {
        return 2 * static_cast<std::size_t>(point.block) + (point.kind == StreamPoint::Kind::output ? 1 : 0);
    }
    bool follows(std::int32_t block) const override { return block >= first_ && block < n_blocks_; }
    double factor(const StreamPoint& point, std::span<const float> before, std::span<const float> after) override;
    bool goes_on(std::int32_t block) const override { return block + 1 < n_blocks_; }

    std::int32_t n_blocks_;
    std::int32_t first_;
    std::vector<std::vector<float>> points_;
};

/** Sums of one least-squares problem in one unknown: argmin over f of Σ w ‖target − before − f·added‖². */
struct FactorSums {
    /** Σ w added·(target − before) */
    double along = 0;
    /** Σ w ‖added‖² */
    double squared = 0;

    /**
     * The solution, drawn towards 1: argmin of the above + ridge · squared · (f − 1)², between 1/4 and 4: an output is
     * neither turned off nor round. 1 where nothing is added.
     */
    double solve(double ridge) const {
        return squared > 0 ? std::clamp((along + ridge * squared) / ((1 + ridge) * squared), 0.25, 4.0) : 1;
    }
};

/**
 * Fits, front to back in one pass, the factor of every addition that brings the stream nearest to where it was in the
 * original model, and applies it before the next block is computed. A token counts by the square of its error relative
 * to its stream's norm, so that the few tokens with massive activations do not decide. Sums go on over micro-batches.
 */
class FitFactors final : public StreamHook {
public:
    struct Options {
        std::int32_t n_embd;
        /** Blocks fitted; n_blocks flags. */
        const std::vector<bool>& fitted;
        double ridge;
        /** Tokens at the start of the micro-batch that do not count. */
        std::size_t ignored;
    };

    /** @param sums two a block: attention, feed-forward */
    FitFactors(const BlockLayout& layout, const Options& options, const CaptureStream& original,
               std::span<FactorSums> sums)
        : StreamHook(layout), options_(options), n_blocks_(layout.n_blocks), original_(original), sums_(sums) {}

private:
    bool follows(std::int32_t block) const override {
        return block >= 0 && block < n_blocks_ && options_.fitted[static_cast<std::size_t>(block)];
    }
    double factor(const StreamPoint& point, std::span<const float> before, std::span<const float> after) override;
    bool goes_on(std::int32_t block) const override { return block + 1 < n_blocks_; }

    Options options_;
    std::int32_t n_blocks_;
    const CaptureStream& original_;
    std::span<FactorSums> sums_;
};

}  // namespace lorp
