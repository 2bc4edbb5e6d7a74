#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "block_states.h"
#include "control.h"
#include "logits_file.h"
#include "model.h"
#include "normal_equations.h"
#include "repair.h"
#include "state_cache.h"
#include "top_distribution.h"

namespace lorp {

/** What is done to a model's blocks while it runs; every block left alone unless said otherwise. */
struct BlockChanges {
    /** n_blocks flags: blocks made the identity. */
    std::vector<bool> skipped;
    /** At most one a block. */
    std::vector<Repair> repairs;
};

/** A llama.cpp context over a model: runs one sequence at a time, micro-batch by micro-batch. Not thread-safe. */
class Session {
public:
    struct Options {
        /** Longest sequence in tokens. */
        std::int32_t n_ctx = 512;
        /** Sequences that are generated side by side, each as long as n_ctx. */
        std::int32_t n_sequences = 1;
        /** Tokens of one micro-batch; hidden states and logits never outlive it. */
        std::int32_t n_ubatch = 512;
        std::int32_t n_threads = 1;
        /** Attention in F32 throughout: keys and values are not rounded to f16, and there is no flash attention. */
        bool exact_attention = false;
        /**
         * Bytes for the block inputs of the sequence scored last. The next score of the same sequence starts at the
         * first block that is changed in another way; for models whose blocks take nothing from earlier ones but the
         * state.
         */
        std::size_t kept_bytes = 0;
        BlockLayout layout;
    };

    /** llama_init_from_model, with a thread pool that lives as long. @throws std::runtime_error */
    Session(std::shared_ptr<const Model> model, const Options& options);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    const Model& model() const { return *model_; }
    const BlockLayout& layout() const { return options_.layout; }

    /**
     * Runs a sequence through all blocks but the last.
     * @param first index of the first token whose states count
     * @return loop_length × loop_length sums over tokens of the cosines of the block inputs, the mean of all loops;
     * above the diagonal
     * @throws std::runtime_error, Stopped
     */
    std::vector<double> sum_cosines(std::span<const llama_token> tokens, std::size_t first, const Control& control);

    /** What `score` says of the tokens first … n−1 of a sequence; empty what was not asked for. */
    struct Scores {
        /** Natural log-probability of each token given those before it. */
        std::vector<double> log_prob;
        std::vector<double> base_log_prob;
        /** KL(base ‖ this) of the distributions that predict each token, in nats. */
        std::vector<double> kl;
        std::vector<std::uint8_t> same_top;
        /** One row a scored token. */
        TopDistributions top;
    };

    /** Another session that runs the same tokens side by side, to compare distributions with. */
    struct Base {
        Session& session;
        const BlockChanges& changes;
    };

    /** What distributions are compared with or kept for; one of the first three at most. */
    struct Comparison {
        const Base* base = nullptr;
        /** Logits of each scored token, to be kept there, or kept there as the base's. */
        LogitsFile* file = nullptr;
        /** The base's, one row a scored token. */
        const TopDistributions* top = nullptr;
        /** How many of the most probable tokens of each distribution to return. */
        std::size_t keep_top = 0;
    };

    /**
     * Log-probabilities of the tokens first … n−1 of the changed model. Logits are reduced as each micro-batch is done.
     * @param first index of the first token scored, ≥ 1
     * @throws std::runtime_error, Stopped
     */
    Scores score(std::span<const llama_token> tokens, std::size_t first, const BlockChanges& changes,
                 const Comparison& comparison, const Control& control);

    /** Seconds that a run took. */
    struct Timing {
        double prompt = 0;
        double generation = 0;
    };

    /**
     * Times the first n_prompt tokens run as a prompt, and the others one at a time, as when text is generated.
     * @param every_logit compute the logits of every token of the prompt, not of each micro-batch's last only
     * @throws std::runtime_error, Stopped
     */
    Timing time(std::span<const llama_token> tokens, std::size_t n_prompt, bool every_logit, const Control& control);

    /** The logits at every position, n_tokens × n_vocab: for tests and inspection, not for long texts. */
    std::vector<float> logits(std::span<const llama_token> tokens, const BlockChanges& changes, const Control& control);

    /** The embedding of every token, n_tokens × width, of a model that embeds. */
    std::vector<float> embeddings(std::span<const llama_token> tokens, const BlockChanges& changes,
                                  const Control& control);

    /**
     * Continues prompts, all side by side, token after token: by what the changed model finds likeliest or, with a seed,
     * by draws from what it predicts, at temperature 1. What follows a prompt does not depend on the others.
     * @return for each prompt at most n_tokens; the last one may be that by which the model ends
     * @throws std::runtime_error, Stopped
     */
    std::vector<std::vector<llama_token>> generate(std::span<const std::vector<llama_token>> prompts,
                                                   std::size_t n_tokens, std::optional<std::uint32_t> seed,
                                                   const BlockChanges& changes, const Control& control);

    /** Euclidean norms of the block inputs, n_blocks × n_tokens. @throws std::runtime_error, Stopped */
    std::vector<float> state_norms(std::span<const llama_token> tokens, const Control& control);

    /** Removed blocks that stand together, and the kept one before them, whose output is to make up for them. */
    struct Gap {
        /** The kept block; its product's input is one of the features. */
        OutputPoint before;
        std::int32_t last;
        /** Of the RMS that the kept block's output is divided by to become the other features. */
        double epsilon;
    };

    /** Sums of the repairs of one gap that are fitted together. */
    struct RepairSums {
        /** With the kept block's product's input as features, or null. */
        NormalEquations* product;
        /** With the kept block's output divided by its RMS as features, or null. */
        NormalEquations* normalized;
    };

    /**
     * Adds to sums for each token of a sequence how far the output of the block before a gap is, in the changed model,
     * from what the original's gap makes of it.
     * @param original runs the unchanged model side by side; null: this one does both, as nothing before the gap is
     * changed
     * @throws std::runtime_error, Stopped
     */
    void gather(std::span<const llama_token> tokens, const Gap& gap, const BlockChanges& changes, Session* original,
                const RepairSums& sums, const Control& control);

private:
    /** What one pass runs: each token with its place in its sequence, and whether its logits are wanted. */
    struct Batch {
        std::vector<llama_token> token;
        std::vector<llama_pos> position;
        std::vector<llama_seq_id> sequence;
        std::vector<std::int8_t> output;

        void add(llama_token of, std::size_t at, std::size_t in_sequence, bool wanted) {
            token.push_back(of);
            position.push_back(static_cast<llama_pos>(at));
            sequence.push_back(static_cast<llama_seq_id>(in_sequence));
            output.push_back(wanted ? 1 : 0);
        }
    };

    static Batch part(std::span<const llama_token> tokens, std::size_t from, std::size_t count,
                      std::size_t first_output, std::size_t in_sequence = 0);
    void run(Batch batch, EvalHook* hook, const Control& control);
    /** As run, with blocks changed. */
    void run_changed(Batch batch, const BlockChanges& changes, const KeptStates* kept, const Control& control);
    /** One micro-batch: tokens from … from+count−1 at these positions; logits for positions ≥ first_output. */
    void decode(std::span<const llama_token> tokens, std::size_t from, std::size_t count, std::size_t first_output,
                EvalHook* hook, const Control& control);
    /** As decode, with blocks changed. */
    void decode_changed(std::span<const llama_token> tokens, std::size_t from, std::size_t count,
                        std::size_t first_output, const BlockChanges& changes, const KeptStates* kept,
                        const Control& control);
    [[noreturn]] void fail_without_outputs() const;
    /** Tokens of a micro-batch that both contexts can run. */
    std::size_t shared_micro_batch(const Session& other) const;
    /** Clears the context for a sequence that it can run. @throws std::runtime_error */
    void start_sequence(std::span<const llama_token> tokens);
    std::span<const float> logits_at(std::size_t index) const;
    std::span<const float> embedding_at(std::size_t index) const;
    /** A row of results at every position, one after the other. */
    std::vector<float> rows(std::span<const llama_token> tokens, const BlockChanges& changes,
                            std::span<const float> (Session::*row_at)(std::size_t) const, const Control& control);

    struct FreeContext {
        void operator()(llama_context* context) const { llama().llama_free(context); }
    };
    struct FreeThreadpool {
        decltype(&::ggml_threadpool_free) free;
        void operator()(ggml_threadpool* pool) const { free(pool); }
    };

    std::shared_ptr<const Model> model_;
    Options options_;
    EvalHook* hook_ = nullptr;
    const Control* control_ = nullptr;
    std::exception_ptr hook_error_;
    StateCache kept_;
    /** One micro-batch's; kept, because fresh memory costs more to touch than similarities to compute. */
    std::vector<float> states_;
    // The context is freed before the thread pool that it uses.
    std::unique_ptr<ggml_threadpool, FreeThreadpool> threadpool_;
    std::unique_ptr<llama_context, FreeContext> context_;
};

}  // namespace lorp
