#include "session.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <utility>

#include "linear_map.h"
#include "log_softmax.h"
#include "random_token.h"
#include "similarity.h"

namespace lorp {
namespace {

/** A function that only the CPU backend's plug-in has, found the way llama.cpp's own tools do. */
template <typename Function>
Function cpu_backend_function(const char* name) {
    ggml_backend_dev_t const device = llama().ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    if (device == nullptr) throw std::runtime_error("llama.cpp has loaded no CPU backend");
    void* const address = llama().ggml_backend_reg_get_proc_address(llama().ggml_backend_dev_backend_reg(device), name);
    if (address == nullptr) throw std::runtime_error(std::string("the CPU backend has no function ") + name);
    return reinterpret_cast<Function>(address);
}

/** Broken weights make NaN of everything that follows. */
void require_numbers(double normalizer) {
    if (!std::isfinite(normalizer)) {
        throw std::domain_error("its predictions are not numbers (NaN or infinite): its weights are broken");
    }
}

}  // namespace

Session::Session(std::shared_ptr<const Model> model, const Options& options)
    : model_(std::move(model)),
      options_(options),
      kept_(options.layout, options.kept_bytes),
      threadpool_(nullptr, FreeThreadpool{nullptr}) {
    // llama.cpp wants room for one token of every sequence.
    options_.n_ubatch = std::max(options_.n_ubatch, options_.n_sequences);
    llama_context_params params = llama().llama_context_default_params();
    params.n_ctx = static_cast<std::uint32_t>(options_.n_ctx * options_.n_sequences);
    params.n_seq_max = static_cast<std::uint32_t>(options_.n_sequences);
    // Sequences share one buffer, so that a pass over several is still one graph.
    params.kv_unified = true;
    // One micro-batch a call, so that one call is one graph.
    params.n_batch = static_cast<std::uint32_t>(options_.n_ubatch);
    params.n_ubatch = static_cast<std::uint32_t>(options_.n_ubatch);
    params.n_threads = options_.n_threads;
    params.n_threads_batch = options_.n_threads;
    if (options_.exact_attention) {
        params.type_k = params.type_v = GGML_TYPE_F32;
        params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
    }
    params.embeddings = options_.layout.embeds;
    params.pooling_type = LLAMA_POOLING_TYPE_NONE;
    params.no_perf = true;
    params.cb_eval_user_data = this;
    params.cb_eval = [](ggml_tensor* node, bool ask, void* user_data) noexcept {
        auto& self = *static_cast<Session*>(user_data);
        if (self.hook_ == nullptr) return false;
        try {
            // After a failure: stop at the next node and end the pass there.
            if (self.hook_error_) return ask;
            return ask ? self.hook_->wants(*node) : self.hook_->computed(*node);
        } catch (...) {
            self.hook_error_ = std::current_exception();
            return ask;
        }
    };
    params.abort_callback_data = this;
    params.abort_callback = [](void* user_data) noexcept {
        const auto& self = *static_cast<const Session*>(user_data);
        return self.control_ != nullptr && self.control_->stop_requested();
    };
    context_.reset(llama().llama_init_from_model(model_->get(), params));
    if (!context_) throw std::runtime_error("llama.cpp could not make a context");

    // Without a pool of its own ggml starts and joins its threads at every stop of the eval callback.
    const auto make = cpu_backend_function<decltype(&::ggml_threadpool_new)>("ggml_threadpool_new");
    threadpool_.get_deleter().free = cpu_backend_function<decltype(&::ggml_threadpool_free)>("ggml_threadpool_free");
    ggml_threadpool_params pool = llama().ggml_threadpool_params_default(options_.n_threads);
    threadpool_.reset(make(&pool));
    if (!threadpool_) throw std::runtime_error("the compute threads could not be started");
    llama().llama_attach_threadpool(context_.get(), threadpool_.get(), threadpool_.get());
}

Session::~Session() = default;

std::size_t Session::shared_micro_batch(const Session& other) const {
    return static_cast<std::size_t>(std::min(options_.n_ubatch, other.options_.n_ubatch));
}

void Session::start_sequence(std::span<const llama_token> tokens) {
    if (tokens.empty()) throw std::runtime_error("the sequence is empty");
    if (tokens.size() > static_cast<std::size_t>(options_.n_ctx)) {
        throw std::runtime_error("the sequence has " + std::to_string(tokens.size()) + " tokens, the context " +
                                 std::to_string(options_.n_ctx));
    }
    for (const llama_token token : tokens) {
        if (token < 0 || token >= model_->n_vocab()) {
            throw std::runtime_error("token " + std::to_string(token) + " is not in the vocabulary");
        }
    }
    if (llama_memory_t const memory = llama().llama_get_memory(context_.get())) {
        // The values too: masked ones of an earlier sequence are multiplied by 0, which NaN and infinity survive.
        llama().llama_memory_clear(memory, true);
    }
}

void Session::run(Batch batch, EvalHook* hook, const Control& control) {
    const std::size_t count = batch.token.size();
    std::vector<std::int32_t> n_seq_id(count, 1);
    std::vector<llama_seq_id*> seq_id(count);
    std::transform(batch.sequence.begin(), batch.sequence.end(), seq_id.begin(),
                   [](llama_seq_id& sequence) { return &sequence; });
    const llama_batch native{static_cast<std::int32_t>(count),
                             batch.token.data(),
                             nullptr,
                             batch.position.data(),
                             n_seq_id.data(),
                             seq_id.data(),
                             batch.output.data()};
    hook_ = hook;
    control_ = &control;
    const std::int32_t status = llama().llama_decode(context_.get(), native);
    hook_ = nullptr;
    control_ = nullptr;
    if (const std::exception_ptr error = std::exchange(hook_error_, nullptr)) std::rethrow_exception(error);
    if (control.stop_requested()) throw Stopped{};
    if (status != 0) throw std::runtime_error("llama_decode failed with status " + std::to_string(status));
}

Session::Batch Session::part(std::span<const llama_token> tokens, std::size_t from, std::size_t count,
                             std::size_t first_output, std::size_t in_sequence) {
    Batch batch;
    for (std::size_t at = from; at < from + count; ++at) batch.add(tokens[at], at, in_sequence, at >= first_output);
    return batch;
}

void Session::decode(std::span<const llama_token> tokens, std::size_t from, std::size_t count, std::size_t first_output,
                     EvalHook* hook, const Control& control) {
    run(part(tokens, from, count, first_output), hook, control);
}

std::vector<double> Session::sum_cosines(std::span<const llama_token> tokens, std::size_t first,
                                         const Control& control) {
    if (first >= tokens.size()) throw std::runtime_error("no token of the sequence would count");
    start_sequence(tokens);
    const auto n_blocks = static_cast<std::size_t>(layout().n_blocks);
    const auto loop_length = static_cast<std::size_t>(layout().loop_length());
    const auto state_size = static_cast<std::size_t>(layout().state_size());
    const auto n_ubatch = static_cast<std::size_t>(options_.n_ubatch);
    std::vector<double> sums(loop_length * loop_length);
    for (std::size_t from = 0; from < tokens.size(); from += n_ubatch) {
        const std::size_t count = std::min(n_ubatch, tokens.size() - from);
        states_.resize(n_blocks * count * state_size);
        CaptureStates capture(layout(), static_cast<std::int64_t>(count), states_);
        decode(tokens, from, count, from + count - 1, &capture, control);
        if (!capture.complete()) fail_without_outputs();
        const std::size_t uncounted = from < first ? std::min(first - from, count) : 0;
        for (std::size_t block = 0; block < n_blocks; ++block) {
            // A zero vector has cosine 0 with everything.
            std::fill_n(states_.begin() + static_cast<std::ptrdiff_t>(block * count * state_size),
                        uncounted * state_size, 0.0F);
        }
        // A block that goes, goes from every loop: S is the mean over loops, as if each were a pass over more tokens.
        const std::size_t loop_size = loop_length * count * state_size;
        for (std::size_t at = 0; at < states_.size(); at += loop_size) {
            accumulate_cosines(std::span(states_).subspan(at, loop_size), loop_length, count, state_size, sums);
        }
        control.report(static_cast<double>(from + count) / static_cast<double>(tokens.size()));
    }
    for (double& sum : sums) sum /= layout().loops;
    return sums;
}

void Session::fail_without_outputs() const {
    throw std::runtime_error("not every block output named " + layout().output_name + " is in the graph");
}

void Session::decode_changed(std::span<const llama_token> tokens, std::size_t from, std::size_t count,
                             std::size_t first_output, const BlockChanges& changes, const KeptStates* kept,
                             const Control& control) {
    run_changed(part(tokens, from, count, first_output), changes, kept, control);
}

void Session::run_changed(Batch batch, const BlockChanges& changes, const KeptStates* kept, const Control& control) {
    const std::vector<bool>& skipped = changes.skipped;
    if (kept == nullptr && std::find(skipped.begin(), skipped.end(), true) == skipped.end() &&
        changes.repairs.empty()) {
        run(std::move(batch), nullptr, control);
        return;
    }
    SkipBlocks skip(layout(), static_cast<std::int64_t>(batch.token.size()), skipped,
                    kept == nullptr ? KeptStates{} : *kept);
    ApplyRepairs repair(layout(), changes.repairs, static_cast<std::size_t>(options_.n_threads));
    SkipAndChange hooks(skip, repair);
    // llama.cpp's last block keeps only the rows whose logits are asked for; its input can replace all or none.
    if (skipped.back()) std::fill(batch.output.begin(), batch.output.end(), std::int8_t{1});
    run(std::move(batch), &hooks, control);
    if (!skip.complete() || !repair.complete()) fail_without_outputs();
}

std::span<const float> Session::logits_at(std::size_t index) const {
    const float* const row = llama().llama_get_logits_ith(context_.get(), static_cast<std::int32_t>(index));
    if (row == nullptr) throw std::runtime_error("llama.cpp returned no logits");
    return {row, static_cast<std::size_t>(model_->n_vocab())};
}

std::span<const float> Session::embedding_at(std::size_t index) const {
    const float* const row = llama().llama_get_embeddings_ith(context_.get(), static_cast<std::int32_t>(index));
    if (row == nullptr) throw std::runtime_error("llama.cpp returned no embeddings");
    return {row, static_cast<std::size_t>(llama().llama_model_n_embd_out(model_->get()))};
}

Session::Scores Session::score(std::span<const llama_token> tokens, std::size_t first, const BlockChanges& changes,
                               const Comparison& comparison, const Control& control) {
    const auto [base, file, base_top, keep_top] = comparison;
    if (first < 1 || first >= tokens.size()) throw std::runtime_error("no token of the sequence would be scored");
    start_sequence(tokens);
    if (base != nullptr) base->session.start_sequence(tokens);
    const std::size_t n_ubatch = shared_micro_batch(base == nullptr ? *this : base->session);
    if (base_top != nullptr && base_top->rows() != tokens.size() - first) {
        throw std::runtime_error("the base has another number of distributions");
    }
    Scores scores;
    scores.top.width = keep_top;
    // The last token is predicted, never fed.
    const auto fed = tokens.first(tokens.size() - 1);
    const bool keeps = options_.kept_bytes > 0 && base == nullptr && file == nullptr && changes.repairs.empty();
    const std::int32_t start = keeps ? kept_.recall(fed, changes.skipped) : 0;
    for (std::size_t from = 0; from < fed.size(); from += n_ubatch) {
        const std::size_t count = std::min(n_ubatch, fed.size() - from);
        const KeptStates kept = keeps ? kept_.micro_batch(start, from, count) : KeptStates{};
        decode_changed(tokens, from, count, first - 1, changes, keeps ? &kept : nullptr, control);
        if (base != nullptr)
            base->session.decode_changed(tokens, from, count, first - 1, base->changes, nullptr, control);
        for (std::size_t i = from < first - 1 ? std::min(first - 1 - from, count) : 0; i < count; ++i) {
            const auto target = static_cast<std::size_t>(tokens[from + i + 1]);
            const std::span<const float> row = logits_at(i);
            const double normalizer = log_sum_exp(row);
            scores.log_prob.push_back(static_cast<double>(row[target]) - normalizer);
            if (file != nullptr && file->appends()) file->append(row);
            if (keep_top > 0) scores.top.append(row, normalizer);
            if (base_top != nullptr) {
                const Divergence divergence = base_top->compare(scores.kl.size(), row, normalizer);
                scores.kl.push_back(divergence.kl);
                scores.same_top.push_back(divergence.same_top ? 1 : 0);
            }
            if (base == nullptr && (file == nullptr || file->appends())) continue;
            const std::span<const float> base_row =
                base != nullptr ? base->session.logits_at(i) : file->read(row.size());
            const double base_normalizer = log_sum_exp(base_row);
            const Divergence divergence = compare_distributions(base_row, base_normalizer, row, normalizer);
            scores.base_log_prob.push_back(static_cast<double>(base_row[target]) - base_normalizer);
            scores.kl.push_back(divergence.kl);
            scores.same_top.push_back(divergence.same_top ? 1 : 0);
        }
    }
    if (keeps) kept_.keep(fed, changes.skipped);
    return scores;
}

std::vector<std::vector<llama_token>> Session::generate(std::span<const std::vector<llama_token>> prompts,
                                                        std::size_t n_tokens, std::optional<std::uint32_t> seed,
                                                        const BlockChanges& changes, const Control& control) {
    const auto n_ubatch = static_cast<std::size_t>(options_.n_ubatch);
    if (prompts.size() > static_cast<std::size_t>(options_.n_sequences)) {
        throw std::runtime_error("there are more prompts than the context has sequences");
    }
    for (const std::vector<llama_token>& prompt : prompts) {
        start_sequence(prompt);
        if (prompt.size() + n_tokens > static_cast<std::size_t>(options_.n_ctx)) {
            throw std::runtime_error("a prompt and its continuation are longer than the context");
        }
    }
    std::vector<RandomToken> draws;
    for (std::size_t i = 0; seed && i < prompts.size(); ++i) draws.emplace_back(*seed, i);
    const auto next = [&](std::size_t index, std::size_t in_sequence) {
        const std::span<const float> row = logits_at(index);
        const double normalizer = log_sum_exp(row);
        require_numbers(normalizer);
        return static_cast<llama_token>(seed ? draws[in_sequence].draw(row, normalizer) : likeliest(row));
    };
    std::vector<std::vector<llama_token>> generated(prompts.size());
    for (std::size_t i = 0; i < prompts.size(); ++i) {
        const std::span<const llama_token> prompt = prompts[i];
        for (std::size_t from = 0; from < prompt.size(); from += n_ubatch) {
            const std::size_t count = std::min(n_ubatch, prompt.size() - from);
            run_changed(part(prompt, from, count, prompt.size() - 1, i), changes, nullptr, control);
            if (from + count == prompt.size() && n_tokens > 0) generated[i].push_back(next(count - 1, i));
        }
    }
    for (std::size_t step = 1; step < n_tokens; ++step) {
        Batch batch;
        std::vector<std::size_t> going;
        for (std::size_t i = 0; i < prompts.size(); ++i) {
            if (model_->ends(generated[i].back())) continue;
            batch.add(generated[i].back(), prompts[i].size() + step - 1, i, true);
            going.push_back(i);
        }
        if (going.empty()) break;
        run_changed(std::move(batch), changes, nullptr, control);
        for (std::size_t row = 0; row < going.size(); ++row) generated[going[row]].push_back(next(row, going[row]));
        control.report(static_cast<double>(step + 1) / static_cast<double>(n_tokens));
    }
    return generated;
}

Session::Timing Session::time(std::span<const llama_token> tokens, std::size_t n_prompt, bool every_logit,
                              const Control& control) {
    if (n_prompt < 1 || n_prompt > tokens.size()) throw std::runtime_error("the prompt is not a part of the sequence");
    start_sequence(tokens);
    using Clock = std::chrono::steady_clock;
    const auto run = [&](std::size_t first, std::size_t end, std::size_t step) {
        const Clock::time_point start = Clock::now();
        for (std::size_t from = first; from < end; from += step) {
            const std::size_t count = std::min(step, end - from);
            decode(tokens, from, count, every_logit ? from : from + count - 1, nullptr, control);
            // A GPU may still be at work until its result is asked for.
            logits_at(count - 1);
        }
        return std::chrono::duration<double>(Clock::now() - start).count();
    };
    const double prompt = run(0, n_prompt, static_cast<std::size_t>(options_.n_ubatch));
    return {prompt, run(n_prompt, tokens.size(), 1)};
}

std::vector<float> Session::logits(std::span<const llama_token> tokens, const BlockChanges& changes,
                                   const Control& control) {
    return rows(tokens, changes, &Session::logits_at, control);
}

std::vector<float> Session::embeddings(std::span<const llama_token> tokens, const BlockChanges& changes,
                                       const Control& control) {
    return rows(tokens, changes, &Session::embedding_at, control);
}

std::vector<float> Session::rows(std::span<const llama_token> tokens, const BlockChanges& changes,
                                 std::span<const float> (Session::*row_at)(std::size_t) const, const Control& control) {
    start_sequence(tokens);
    const auto n_ubatch = static_cast<std::size_t>(options_.n_ubatch);
    std::vector<float> all;
    for (std::size_t from = 0; from < tokens.size(); from += n_ubatch) {
        const std::size_t count = std::min(n_ubatch, tokens.size() - from);
        decode_changed(tokens, from, count, 0, changes, nullptr, control);
        for (std::size_t i = 0; i < count; ++i) {
            const std::span<const float> row = (this->*row_at)(i);
            all.reserve(tokens.size() * row.size());
            all.insert(all.end(), row.begin(), row.end());
        }
    }
    return all;
}

std::vector<float> Session::state_norms(std::span<const llama_token> tokens, const Control& control) {
    start_sequence(tokens);
    const auto n_blocks = static_cast<std::size_t>(layout().n_blocks);
    const auto state_size = static_cast<std::size_t>(layout().state_size());
    const auto n_ubatch = static_cast<std::size_t>(options_.n_ubatch);
    std::vector<float> norms(n_blocks * tokens.size());
    std::vector<float> states;
    for (std::size_t from = 0; from < tokens.size(); from += n_ubatch) {
        const std::size_t count = std::min(n_ubatch, tokens.size() - from);
        states.resize(n_blocks * count * state_size);
        CaptureStates capture(layout(), static_cast<std::int64_t>(count), states);
        decode(tokens, from, count, from + count - 1, &capture, control);
        if (!capture.complete()) fail_without_outputs();
        for (std::size_t block = 0; block < n_blocks; ++block) {
            for (std::size_t i = 0; i < count; ++i) {
                const float* const state = states.data() + (block * count + i) * state_size;
                const double squared = std::inner_product(state, state + state_size, state, 0.0);
                norms[block * tokens.size() + from + i] = static_cast<float>(std::sqrt(squared));
            }
        }
    }
    return norms;
}

void Session::gather(std::span<const llama_token> tokens, const Gap& gap, const BlockChanges& changes,
                     Session* original, const RepairSums& sums, const Control& control) {
    start_sequence(tokens);
    if (original != nullptr) original->start_sequence(tokens);
    const auto n_ubatch = static_cast<std::size_t>(options_.n_ubatch);
    const auto n_embd = static_cast<std::size_t>(layout().n_embd);
    const auto n_threads = static_cast<std::size_t>(options_.n_threads);
    const OutputPoint after{gap.last, ""};
    std::vector<float> targets;
    std::vector<float> normalized;
    for (std::size_t from = 0; from < tokens.size(); from += n_ubatch) {
        const std::size_t count = std::min(n_ubatch, tokens.size() - from);
        // llama.cpp's last block keeps only the rows whose logits are asked for.
        const std::size_t first_output = gap.last + 1 == layout().n_blocks ? 0 : from + count - 1;
        CaptureOutputs target(layout(), {after});
        CaptureOutputs both(layout(), {gap.before, after});
        CaptureOutputs before(layout(), {gap.before});
        const CaptureOutputs& mine = original == nullptr ? both : before;
        if (original == nullptr) {
            decode(tokens, from, count, first_output, &both, control);
        } else {
            original->decode(tokens, from, count, first_output, &target, control);
            SkipBlocks skip(layout(), static_cast<std::int64_t>(count), changes.skipped);
            ApplyRepairs repair(layout(), changes.repairs, n_threads);
            ChainedHooks changed(repair, before);
            SkipAndChange hooks(skip, changed);
            decode(tokens, from, count, from + count - 1, &hooks, control);
        }
        if (!mine.complete() || (original != nullptr && !target.complete())) fail_without_outputs();
        const std::span<const float> output = mine.output(0);
        const std::span<const float> wanted = original == nullptr ? both.output(1) : target.output(0);
        if (output.size() != wanted.size()) {
            throw std::runtime_error("the outputs before and after the removed blocks differ in size");
        }
        targets.resize(output.size());
        std::ranges::transform(wanted, output, targets.begin(), std::minus<>());
        if (sums.product != nullptr) sums.product->add(mine.input(0), targets, n_threads);
        if (sums.normalized != nullptr) {
            normalized.resize(output.size());
            rms_normalize(output, n_embd, gap.epsilon, normalized);
            sums.normalized->add(normalized, targets, n_threads);
        }
        control.report(static_cast<double>(from + count) / static_cast<double>(tokens.size()));
    }
}

}  // namespace lorp
