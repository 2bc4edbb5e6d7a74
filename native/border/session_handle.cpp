#include "session_handle.h"

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "arguments.h"
#include "async.h"
#include "block_arguments.h"
#include "control_handle.h"
#include "model_handle.h"
#include "normal_equations_handle.h"
#include "values.h"

namespace lorp {

Napi::Function SessionHandle::define(Napi::Env env) {
    return DefineClass(env, "Session",
                       {
                           InstanceMethod("open", &SessionHandle::open),
                           InstanceMethod("sumCosines", &SessionHandle::sum_cosines),
                           InstanceMethod("score", &SessionHandle::score),
                           InstanceMethod("logits", &SessionHandle::logits),
                           InstanceMethod("embeddings", &SessionHandle::embeddings),
                           InstanceMethod("generate", &SessionHandle::generate),
                           InstanceMethod("time", &SessionHandle::time),
                           InstanceMethod("stateNorms", &SessionHandle::state_norms),
                           InstanceMethod("gather", &SessionHandle::gather),
                           InstanceMethod("close", &SessionHandle::close),
                       });
}

SessionHandle::SessionHandle(const Napi::CallbackInfo& info) : Napi::ObjectWrap<SessionHandle>(info) {
    const Napi::Object given = arguments::object(info[1], "options");
    model_ = unwrapped<ModelHandle>(info[0], "model", "a Model").model(info.Env());
    options_.n_ctx = arguments::integer<std::int32_t>(given.Get("contextLength"), "contextLength", 1);
    options_.n_sequences = arguments::integer<std::int32_t>(given.Get("sequences"), "sequences", 1, 64);
    options_.n_ubatch = arguments::integer<std::int32_t>(given.Get("microBatch"), "microBatch", 1);
    options_.n_threads = arguments::integer<std::int32_t>(given.Get("threads"), "threads", 1, GGML_MAX_N_THREADS);
    options_.layout = block_layout(given, *model_);
    options_.exact_attention = arguments::boolean(given.Get("exactAttention"), "exactAttention");
    options_.kept_bytes = arguments::integer<std::size_t>(given.Get("keptBytes"), "keptBytes", 0U);
    Value().TypeTag(&tag);
}

Napi::Value SessionHandle::open(const Napi::CallbackInfo& info) {
    const auto self = std::make_shared<Napi::ObjectReference>(Napi::Persistent(Value()));
    using Opened = std::shared_ptr<Session>;
    return Task<Opened>::run(
        info.Env(), control(info[0]),
        [model = model_, options = options_](const Control&) -> Opened {
            return std::make_shared<Session>(model, options);
        },
        [self](Napi::Env env, Opened&& opened) -> Napi::Value {
            Unwrap(self->Value())->session_ = std::move(opened);
            return env.Undefined();
        });
}

std::shared_ptr<Session> SessionHandle::take(Napi::Env env) {
    if (!session_) throw Napi::Error::New(env, "the session is not open");
    if (session_.use_count() > 1) throw Napi::Error::New(env, "the session is still busy with an earlier call");
    return session_;
}

std::shared_ptr<Session> SessionHandle::take_other(const Napi::Value& value, const std::string& name,
                                                   const std::shared_ptr<Session>& session) {
    auto other = unwrapped<SessionHandle>(value, name, "a Session").take(value.Env());
    if (other == session) throw arguments::wrong(value, name, "another session");
    return other;
}

Napi::Value SessionHandle::sum_cosines(const Napi::CallbackInfo& info) {
    const auto session = take(info.Env());
    const auto tokens = arguments::int32s(info[0], "tokens");
    const auto first = arguments::integer<std::uint32_t>(info[1], "first", 0U);
    return Task<std::vector<double>>::run(
        info.Env(), control(info[2]),
        [=](const Control& control) { return session->sum_cosines(tokens, first, control); },
        [](Napi::Env env, std::vector<double>&& sums) { return typed_array<Napi::Float64Array>(env, sums); });
}

Napi::Value SessionHandle::score(const Napi::CallbackInfo& info) {
    const auto session = take(info.Env());
    const auto tokens = arguments::int32s(info[0], "tokens");
    const Napi::Object given = arguments::object(info[1], "options");
    const auto first = arguments::integer<std::uint32_t>(given.Get("first"), "first", 1U);
    const auto changes = block_changes(given, session->layout());
    std::shared_ptr<Session> base;
    BlockChanges base_changes;
    if (const Napi::Value base_value = given.Get("base"); !base_value.IsUndefined()) {
        base = take_other(base_value, "base", session);
        base_changes = block_changes(arguments::object(given.Get("baseChanges"), "baseChanges"), base->layout());
        if (base->model().n_vocab() != session->model().n_vocab()) {
            throw arguments::wrong(base_value, "base", "a session with as large a vocabulary");
        }
    }
    std::shared_ptr<LogitsFile> file;
    if (const Napi::Value file_value = given.Get("file"); !file_value.IsUndefined()) {
        const Napi::Object named = arguments::object(file_value, "file");
        const std::string path = arguments::string(named.Get("path"), "path");
        const auto mode =
            arguments::boolean(named.Get("append"), "append") ? LogitsFile::Mode::append : LogitsFile::Mode::read;
        const auto offset = arguments::integer<std::uint64_t>(named.Get("offset"), "offset", 0U);
        file = guarded(info.Env(), [&] { return std::make_shared<LogitsFile>(path, mode, offset); });
    }
    const auto n_vocab = static_cast<std::uint32_t>(session->model().n_vocab());
    const auto keep_top = arguments::integer<std::uint32_t>(given.Get("keepTop"), "keepTop", 0U, n_vocab);
    std::shared_ptr<const TopDistributions> base_top;
    if (const Napi::Value top = given.Get("baseTop"); !top.IsUndefined()) {
        base_top = std::make_shared<TopDistributions>(top_distributions(top, "baseTop", n_vocab));
    }
    return Task<Session::Scores>::run(
        info.Env(), control(info[2]),
        [=](const Control& control) {
            Session::Comparison comparison{nullptr, file.get(), base_top.get(), keep_top};
            if (!base) return session->score(tokens, first, changes, comparison, control);
            const Session::Base side{*base, base_changes};
            comparison.base = &side;
            return session->score(tokens, first, changes, comparison, control);
        },
        [](Napi::Env env, Session::Scores&& scores) -> Napi::Value {
            Napi::Object result = Napi::Object::New(env);
            result.Set("logProb", typed_array<Napi::Float64Array>(env, scores.log_prob));
            result.Set("baseLogProb", typed_array<Napi::Float64Array>(env, scores.base_log_prob));
            result.Set("kl", typed_array<Napi::Float64Array>(env, scores.kl));
            result.Set("sameTop", typed_array<Napi::Uint8Array>(env, scores.same_top));
            if (scores.top.width > 0) {
                Napi::Object top = Napi::Object::New(env);
                top.Set("width", static_cast<double>(scores.top.width));
                top.Set("tokens", typed_array<Napi::Int32Array>(env, scores.top.tokens));
                top.Set("logProb", typed_array<Napi::Float32Array>(env, scores.top.log_prob));
                result.Set("top", top);
            }
            return result;
        });
}

Napi::Value SessionHandle::logits(const Napi::CallbackInfo& info) {
    const auto session = take(info.Env());
    const auto tokens = arguments::int32s(info[0], "tokens");
    const auto changes = block_changes(arguments::object(info[1], "changes"), session->layout());
    return Task<std::vector<float>>::run(
        info.Env(), control(info[2]), [=](const Control& control) { return session->logits(tokens, changes, control); },
        [](Napi::Env env, std::vector<float>&& logits) { return typed_array<Napi::Float32Array>(env, logits); });
}

Napi::Value SessionHandle::embeddings(const Napi::CallbackInfo& info) {
    const auto session = take(info.Env());
    const auto tokens = arguments::int32s(info[0], "tokens");
    const auto changes = block_changes(arguments::object(info[1], "changes"), session->layout());
    return Task<std::vector<float>>::run(
        info.Env(), control(info[2]),
        [=](const Control& control) { return session->embeddings(tokens, changes, control); },
        [](Napi::Env env, std::vector<float>&& rows) { return typed_array<Napi::Float32Array>(env, rows); });
}

Napi::Value SessionHandle::generate(const Napi::CallbackInfo& info) {
    const auto session = take(info.Env());
    const Napi::Value given = info[0];
    if (!given.IsArray()) throw arguments::wrong(given, "prompts", "an array of Int32Arrays");
    const auto array = given.As<Napi::Array>();
    std::vector<std::vector<llama_token>> prompts;
    for (std::uint32_t i = 0; i < array.Length(); ++i) prompts.push_back(arguments::int32s(array.Get(i), "prompts"));
    const auto length = arguments::integer<std::uint32_t>(info[1], "length", 0U);
    std::optional<std::uint32_t> seed;
    if (!info[2].IsUndefined()) seed = arguments::integer<std::uint32_t>(info[2], "seed", 0U);
    const auto changes = block_changes(arguments::object(info[3], "changes"), session->layout());
    using Generated = std::vector<std::vector<llama_token>>;
    return Task<Generated>::run(
        info.Env(), control(info[4]),
        [=](const Control& control) { return session->generate(prompts, length, seed, changes, control); },
        [](Napi::Env env, Generated&& generated) -> Napi::Value {
            Napi::Array result = Napi::Array::New(env, generated.size());
            for (std::uint32_t i = 0; i < generated.size(); ++i) {
                result.Set(i, typed_array<Napi::Int32Array>(env, generated[i]));
            }
            return result;
        });
}

Napi::Value SessionHandle::state_norms(const Napi::CallbackInfo& info) {
    const auto session = take(info.Env());
    const auto tokens = arguments::int32s(info[0], "tokens");
    return Task<std::vector<float>>::run(
        info.Env(), control(info[1]), [=](const Control& control) { return session->state_norms(tokens, control); },
        [](Napi::Env env, std::vector<float>&& norms) { return typed_array<Napi::Float32Array>(env, norms); });
}

Napi::Value SessionHandle::gather(const Napi::CallbackInfo& info) {
    const auto session = take(info.Env());
    const auto tokens = arguments::int32s(info[0], "tokens");
    const Napi::Object given = arguments::object(info[1], "options");
    const BlockLayout& layout = session->layout();
    const auto before = arguments::integer<std::int32_t>(given.Get("before"), "before", 0, layout.n_blocks - 2);
    const Session::Gap gap{{before, arguments::string(given.Get("weight"), "weight")},
                           arguments::integer<std::int32_t>(given.Get("last"), "last", before, layout.n_blocks - 1),
                           arguments::number(given.Get("epsilon"), "epsilon", 0.0)};
    const auto changes = block_changes(given, layout);
    std::shared_ptr<Session> original;
    if (const Napi::Value value = given.Get("original"); !value.IsUndefined()) {
        original = take_other(value, "original", session);
    }
    const auto sums = [&](const char* name) -> std::shared_ptr<NormalEquations> {
        const Napi::Value value = given.Get(name);
        if (value.IsUndefined()) return nullptr;
        auto taken = unwrapped<NormalEquationsHandle>(value, name, "NormalEquations").take(info.Env());
        if (taken->n_targets() != static_cast<std::size_t>(layout.n_embd)) {
            throw arguments::wrong(value, name, "sums with as many targets as the embedding is long");
        }
        return taken;
    };
    const auto product = sums("product");
    const auto normalized = sums("normalized");
    if (product && gap.before.weight.empty()) {
        throw arguments::wrong(given.Get("weight"), "weight", "the name of the tensor whose input is wanted");
    }
    return Task<bool>::run(
        info.Env(), control(info[2]),
        [=](const Control& control) {
            session->gather(tokens, gap, changes, original.get(), {product.get(), normalized.get()}, control);
            return true;
        },
        [](Napi::Env env, bool&&) { return env.Undefined(); });
}

Napi::Value SessionHandle::time(const Napi::CallbackInfo& info) {
    const auto session = take(info.Env());
    const auto tokens = arguments::int32s(info[0], "tokens");
    const auto prompt = arguments::integer<std::uint32_t>(info[1], "prompt", 1U);
    const bool every_logit = arguments::boolean(info[2], "everyLogit");
    return Task<Session::Timing>::run(
        info.Env(), control(info[3]),
        [=](const Control& control) { return session->time(tokens, prompt, every_logit, control); },
        [](Napi::Env env, Session::Timing&& timing) -> Napi::Value {
            Napi::Object result = Napi::Object::New(env);
            result.Set("prompt", timing.prompt);
            result.Set("generation", timing.generation);
            return result;
        });
}

void SessionHandle::close(const Napi::CallbackInfo&) {
    session_.reset();
    model_.reset();
}

}  // namespace lorp
